#include "base/utf8.h"

static const uint32_t replacement = 0xfffd;

/* How many bytes follow a lead byte; -1 for one that begins nothing. */
static int continuation_bytes(unsigned char lead)
{
    if (lead < 0x80)
        return 0;
    if (lead >= 0xc2 && lead < 0xe0)
        return 1;
    if (lead >= 0xe0 && lead < 0xf0)
        return 2;
    if (lead >= 0xf0 && lead < 0xf5)
        return 3;
    return -1;
}

uint32_t eex__utf8_next(const char **text)
{
    static const uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
    static const unsigned char lead_bits[] = {0x7f, 0x1f, 0x0f, 0x07};
    const unsigned char *at = (const unsigned char *)*text;
    const int more = continuation_bytes(*at);
    *text += 1;
    if (more < 0)
        return replacement;
    uint32_t code = *at & lead_bits[more];
    for (int i = 1; i <= more; i++) {
        if ((at[i] & 0xc0) != 0x80) /* also stops at the NUL */
            return replacement;
        code = code << 6 | (at[i] & 0x3f);
    }
    if (code < smallest[more] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return replacement;
    *text += more;
    return code;
}

size_t eex__utf8_encode(char out[4], uint32_t code)
{
    static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
    const size_t bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = bytes - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (char)(marks[bytes] | code);
    return bytes;
}

typedef struct range {
    uint32_t first, last;
} range;

static int in_ranges(uint32_t code, const range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return 1;
    return 0;
}

int eex__utf8_columns(uint32_t code)
{
    /* The large blocks are enough for names and table cells; terminals differ on the rest. */
    static const range none[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0x300, 0x36f},   {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
        {0x200b, 0x200f}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}};
    static const range wide[] = {{0x1100, 0x115f},  {0x2e80, 0x303e},   {0x3041, 0xa4cf},
                                 {0xac00, 0xd7a3},  {0xf900, 0xfaff},   {0xfe30, 0xfe6f},
                                 {0xff00, 0xff60},  {0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff},
                                 {0x20000, 0x3fffd}};
    if (in_ranges(code, none, sizeof none / sizeof none[0]))
        return 0;
    return in_ranges(code, wide, sizeof wide / sizeof wide[0]) ? 2 : 1;
}

bool eex__utf8_is_unseen(uint32_t code)
{
    return (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}
