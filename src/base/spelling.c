#include "base/spelling.h"

#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

/* Steps over a character. False: over a byte that is none. */
static bool next(uint32_t *code, const char **text)
{
    const char *from = *text;
    *code = eex__utf8_next(text);
    return *code != 0xfffd || *text - from > 1;
}

bool eex_spelling_is_utf8(const char *text)
{
    uint32_t code;
    while (*text)
        if (!next(&code, &text))
            return false;
    return true;
}

typedef struct range {
    uint32_t first, last;
} range;

/* Of any width, none at all too: white space, and what Unicode calls ignorable. */
static const range blanks[] = {
    {'\t', '\r'},     {' ', ' '},         {0x85, 0x85},     {0xa0, 0xa0},     {0xad, 0xad},
    {0x34f, 0x34f},   {0x61c, 0x61c},     {0x115f, 0x1160}, {0x1680, 0x1680}, {0x17b4, 0x17b5},
    {0x180b, 0x180f}, {0x2000, 0x200f},   {0x2028, 0x202f}, {0x205f, 0x206f}, {0x2800, 0x2800},
    {0x3000, 0x3000}, {0x3164, 0x3164},   {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0},
    {0xfff0, 0xfffb}, {0xe0000, 0xe0fff},
};

static bool is_blank(uint32_t c)
{
    for (size_t i = 0; i < sizeof blanks / sizeof *blanks; i++)
        if (c >= blanks[i].first && c <= blanks[i].last)
            return true;
    return false;
}

/* ---- escaped ---- */

static void escape_byte(eex_buffer *out, unsigned char byte)
{
    static const char letters[] = "\a\b\t\n\v\f\r";
    const char *letter = byte ? strchr(letters, byte) : NULL;
    if (letter)
        eex_buffer_printf(out, "\\%c", "abtnvfr"[letter - letters]);
    else
        eex_buffer_printf(out, "\\x%02x", byte);
}

void eex_spelling_escape(eex_buffer *out, const char *text)
{
    while (*text) {
        uint32_t c;
        const char *from = text;
        if (!next(&c, &text) || c < ' ' || c == 0x7f)
            escape_byte(out, (unsigned char)*from);
        else if ((c >= 0x80 && c < 0xa0) || (c != ' ' && is_blank(c)))
            eex_buffer_printf(out, c > 0xffff ? "\\U%08x" : "\\u%04x", (unsigned)c);
        else if (c == '"' || c == '\\')
            eex_buffer_printf(out, "\\%c", (int)c);
        else
            eex_buffer_append(out, from, (size_t)(text - from));
    }
}

/* ---- the core ---- */

/* Capitals, each or every second one in a range, and how far behind them their small ones are. The
 * sigma at the end of a word is taken for one. */
static const struct capitals {
    range of;
    uint32_t step;
    int32_t plus;
} capitals[] = {
    {{'A', 'Z'}, 1, 32},       {{0xc0, 0xd6}, 1, 32},        {{0xd8, 0xde}, 1, 32},
    {{0x100, 0x12e}, 2, 1},    {{0x132, 0x136}, 2, 1},       {{0x139, 0x147}, 2, 1},
    {{0x14a, 0x176}, 2, 1},    {{0x178, 0x178}, 1, -121},    {{0x179, 0x17d}, 2, 1},
    {{0x1a0, 0x1a4}, 2, 1},    {{0x1af, 0x1af}, 1, 1},       {{0x1cd, 0x1db}, 2, 1},
    {{0x1de, 0x1ee}, 2, 1},    {{0x1f8, 0x21e}, 2, 1},       {{0x222, 0x232}, 2, 1},
    {{0x246, 0x24e}, 2, 1},    {{0x386, 0x386}, 1, 38},      {{0x388, 0x38a}, 1, 37},
    {{0x38c, 0x38c}, 1, 64},   {{0x38e, 0x38f}, 1, 63},      {{0x391, 0x3a1}, 1, 32},
    {{0x3a3, 0x3ab}, 1, 32},   {{0x3c2, 0x3c2}, 1, 1},       {{0x400, 0x40f}, 1, 80},
    {{0x410, 0x42f}, 1, 32},   {{0x460, 0x480}, 2, 1},       {{0x48a, 0x4be}, 2, 1},
    {{0x4c0, 0x4c0}, 1, 15},   {{0x4c1, 0x4cd}, 2, 1},       {{0x4d0, 0x52e}, 2, 1},
    {{0x1e00, 0x1e94}, 2, 1},  {{0x1e9e, 0x1e9e}, 1, -7615}, {{0x1ea0, 0x1efe}, 2, 1},
    {{0x1f08, 0x1f0f}, 1, -8}, {{0x1f18, 0x1f1d}, 1, -8},    {{0x1f28, 0x1f2f}, 1, -8},
    {{0x1f38, 0x1f3f}, 1, -8}, {{0x1f48, 0x1f4d}, 1, -8},    {{0x1f59, 0x1f5f}, 2, -8},
    {{0x1f68, 0x1f6f}, 1, -8},
};

static uint32_t small(uint32_t c)
{
    for (size_t i = 0; i < sizeof capitals / sizeof *capitals; i++) {
        const struct capitals *k = &capitals[i];
        if (c >= k->of.first && c <= k->of.last && (c - k->of.first) % k->step == 0)
            return (uint32_t)((int32_t)c + k->plus);
    }
    return c;
}

/* Letters with an accent, which may be stored as the letter and a mark behind it: those of Latin-1
 * and of Latin Extended-A, and two Cyrillic ones. */
static const struct accents {
    uint32_t mark;
    const char *plain, *accented;
} accents[] = {
    {0x300, "aeiou", "\u00e0\u00e8\u00ec\u00f2\u00f9"},
    {0x301, "aeiouyclnrsz",
     "\u00e1\u00e9\u00ed\u00f3\u00fa\u00fd\u0107\u013a\u0144\u0155\u015b\u017a"},
    {0x302, "aeioucghjswy",
     "\u00e2\u00ea\u00ee\u00f4\u00fb\u0109\u011d\u0125\u0135\u015d\u0175\u0177"},
    {0x303, "anoiu", "\u00e3\u00f1\u00f5\u0129\u0169"},
    {0x304, "aeiou", "\u0101\u0113\u012b\u014d\u016b"},
    {0x306, "aegiou\u0438", "\u0103\u0115\u011f\u012d\u014f\u016d\u0439"},
    {0x307, "cegz", "\u010b\u0117\u0121\u017c"},
    {0x308, "aeiouy\u0435", "\u00e4\u00eb\u00ef\u00f6\u00fc\u00ff\u0451"},
    {0x30a, "au", "\u00e5\u016f"},
    {0x30b, "ou", "\u0151\u0171"},
    {0x30c, "cdelnrstz", "\u010d\u010f\u011b\u013e\u0148\u0159\u0161\u0165\u017e"},
    {0x327, "cgklnrst", "\u00e7\u0123\u0137\u013c\u0146\u0157\u015f\u0163"},
    {0x328, "aeiu", "\u0105\u0119\u012f\u0173"},
};

/* The one character that the two are another spelling of, or 0. */
static uint32_t composed(uint32_t letter, uint32_t mark)
{
    for (size_t i = 0; i < sizeof accents / sizeof *accents; i++) {
        const char *plain = accents[i].plain, *accented = accents[i].accented;
        while (accents[i].mark == mark && *plain) {
            const uint32_t found = eex__utf8_next(&accented);
            if (eex__utf8_next(&plain) == letter)
                return found;
        }
    }
    return 0;
}

static void put_letter(eex_buffer *out, uint32_t letter)
{
    char bytes[4];
    if (letter)
        eex_buffer_append(out, bytes, eex__utf8_encode(bytes, letter));
}

void eex_spelling_core(eex_buffer *out, const char *text)
{
    uint32_t letter = 0; /* the last one, which a mark may follow */
    while (*text) {
        uint32_t c;
        const char *from = text;
        const bool right = next(&c, &text);
        if (right && is_blank(c))
            continue;
        const uint32_t both = right ? composed(letter, c) : 0;
        if (!both)
            put_letter(out, letter);
        letter = both ? both : right ? small(c) : 0;
        if (!right)
            eex_buffer_putc(out, *from);
    }
    put_letter(out, letter);
}
