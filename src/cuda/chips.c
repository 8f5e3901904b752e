#include "cuda/chips.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef EEX_CUDA_CHIPS
#define EEX_CUDA_CHIPS ""
#endif

typedef struct chip {
    int major, minor;
    bool real, virtual; /* machine code, PTX */
    bool only;          /* of a kind whose code runs on this one alone: 90a */
} chip;

const char *eex_cuda_chips(void)
{
    return EEX_CUDA_CHIPS;
}

/* The chip at *list, which then points behind it; false: no number, or the end. */
static bool next_chip(const char **list, chip *out)
{
    const char *at = *list + strspn(*list, " ;");
    char *end;
    const long number = strtol(at, &end, 10);
    const size_t length = strcspn(end, " ;");
    if (end == at || number < 10 || number > 999)
        return false;
    *out = (chip){.major = (int)number / 10, .minor = (int)number % 10, .real = true};
    out->virtual = length < 5 || strncmp(end + length - 5, "-real", 5) != 0;
    out->only = *end == 'a';
    if (length >= 8 && strncmp(end + length - 8, "-virtual", 8) == 0)
        out->real = false;
    *list = end + length;
    return true;
}

static bool has(const chip *c, int major, int minor)
{
    if (c->major == major && c->minor == minor)
        return true;
    if (c->only)
        return false;
    if (c->real && c->major == major && c->minor <= minor)
        return true;
    return c->virtual && (c->major < major || (c->major == major && c->minor <= minor));
}

bool eex_cuda_chips_have(const char *list, int major, int minor)
{
    chip c;
    int known = 0;
    for (; next_chip(&list, &c); known++)
        if (has(&c, major, minor))
            return true;
    return known == 0 || list[strspn(list, " ;")] != '\0';
}

void eex_cuda_chips_text(const char *list, char *out, size_t size)
{
    chip c;
    size_t at = 0;
    bool newer = false;
    snprintf(out, size, "unknown chips");
    while (next_chip(&list, &c) && at < size) {
        at += (size_t)snprintf(out + at, size - at, "%s%d.%d", at ? ", " : "", c.major, c.minor);
        newer = newer || (c.virtual && !c.only);
    }
    if (newer && at && at < size)
        snprintf(out + at, size - at, " and newer");
}
