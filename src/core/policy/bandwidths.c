/* Bandwidths as they were measured: lines of seconds and Mbit/s. */
#include "core/policy/link.h"

#include "base/fs.h"
#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_LINES = 1 << 20, FILE_LIMIT = 64 << 20 };

static const double most_seconds = 1e9, least_mbit = 1e-6, most_mbit = 1e6;

typedef struct parser {
    const char *name;
    int line;
    eex_bandwidths *out;
    size_t room;
} parser;

static int wrong(const parser *p, const char *line, size_t length, const char *expected)
{
    return eex_fail(EEX_EFORMAT, "%s: line %d is \"%.*s\": %s expected", p->name, p->line,
                    (int)(length < 60 ? length : 60), line, expected);
}

static int grow(parser *p)
{
    if (p->out->count < p->room)
        return EEX_OK;
    const size_t room = p->room ? 2 * p->room : 64;
    double *seconds = realloc(p->out->seconds, room * sizeof *seconds);
    if (seconds)
        p->out->seconds = seconds;
    double *bits = realloc(p->out->bits, room * sizeof *bits);
    if (bits)
        p->out->bits = bits;
    if (!seconds || !bits)
        return eex_fail(EEX_ENOMEM, "%s: out of memory for %zu bandwidths", p->name, room);
    p->room = room;
    return EEX_OK;
}

/* Two numbers and nothing else; false: it is no such line. */
static bool read_pair(double pair[2], const char *line, size_t length)
{
    char text[96], *second;
    if (length >= sizeof text)
        return false;
    memcpy(text, line, length);
    text[length] = 0;
    second = strchr(text, ',');
    if (!second)
        return false;
    *second++ = 0;
    second += strspn(second, " \t");
    return eex_text_parse_double(&pair[0], text, -HUGE_VAL, HUGE_VAL, "") == EEX_OK &&
           eex_text_parse_double(&pair[1], second, -HUGE_VAL, HUGE_VAL, "") == EEX_OK;
}

/* Whether it begins with what is a number to somebody, and so is no heading. */
static bool begins_with_number(const char *line, size_t length)
{
    static const char *const words[] = {"nan", "inf", "infinity"};
    while (length && strchr(" \t+-.\"", *line))
        line++, length--;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const size_t size = strlen(words[i]);
        if (length > size && strncasecmp(line, words[i], size) == 0 && strchr(",; \t", line[size]))
            return true;
    }
    return length && *line >= '0' && *line <= '9';
}

static int add_line(parser *p, const char *line, size_t length)
{
    eex_bandwidths *t = p->out;
    double pair[2];
    while (length && strchr(" \t\r", line[length - 1]))
        length--;
    if (length == 0 || *line == '#')
        return EEX_OK;
    if (!read_pair(pair, line, length))
        return p->line == 1 && !begins_with_number(line, length)
                   ? EEX_OK
                   : wrong(p, line, length, "\"seconds,Mbit/s\"");
    if (!(pair[0] >= 0 && pair[0] <= most_seconds))
        return wrong(p, line, length, "seconds from 0 to 1e9");
    if (!(pair[1] >= least_mbit && pair[1] <= most_mbit))
        return wrong(p, line, length, "1e-6 to 1e6 Mbit/s");
    if (t->count && pair[0] <= t->seconds[t->count - 1])
        return wrong(p, line, length, "a later time than that of the line in front");
    if (t->count >= MOST_LINES)
        return wrong(p, line, length, "no more than 1048576 lines");
    EEX_TRY(grow(p));
    t->seconds[t->count] = pair[0];
    t->bits[t->count++] = 1e6 * pair[1];
    return EEX_OK;
}

static int parse(parser *p, const char *text)
{
    static const char mark[] = "\xef\xbb\xbf"; /* that it is UTF-8: spreadsheets write it */
    if (strncmp(text, mark, sizeof mark - 1) == 0)
        text += sizeof mark - 1;
    while (*text) {
        const size_t length = strcspn(text, "\n");
        p->line++;
        EEX_TRY(add_line(p, text, length));
        text += length + (text[length] == '\n');
    }
    return p->out->count
               ? EEX_OK
               : eex_fail(EEX_EFORMAT, "%s: no line of \"seconds,Mbit/s\" in it", p->name);
}

int eex_bandwidths_parse(eex_bandwidths *out, const char *text, const char *name)
{
    *out = (eex_bandwidths){.count = 0};
    parser p = {.name = name, .out = out};
    int code = parse(&p, text);
    if (code < 0)
        eex_bandwidths_free(out);
    return code;
}

int eex_bandwidths_read(eex_bandwidths *out, const char *path)
{
    char *text = NULL;
    size_t size;
    *out = (eex_bandwidths){.count = 0};
    EEX_TRY(eex_fs_read(&text, &size, path, FILE_LIMIT));
    const int code =
        memchr(text, 0, size)
            ? eex_fail(EEX_EFORMAT, "%s is no text: lines of \"seconds,Mbit/s\" expected", path)
            : eex_bandwidths_parse(out, text, path);
    free(text);
    return code;
}

void eex_bandwidths_free(eex_bandwidths *t)
{
    free(t->seconds);
    free(t->bits);
    *t = (eex_bandwidths){.count = 0};
}

double eex_bandwidths_at(const eex_bandwidths *t, double seconds)
{
    size_t low = 0, high = t->count;
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        if (t->seconds[middle] <= seconds)
            low = middle;
        else
            high = middle;
    }
    return t->bits[low];
}
