#include "base/text.h"

#include "base/numbers.h"
#include "base/status.h"
#include "base/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_WORD = 63 };

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* Optimal string alignment distance, by rows; words of up to LONGEST_WORD bytes. */
static int distance(const char *a, const char *b)
{
    int rows[3][LONGEST_WORD + 1];
    const int n = (int)strlen(a), m = (int)strlen(b);
    for (int j = 0; j <= m; j++)
        rows[0][j] = j;
    for (int i = 1; i <= n; i++) {
        int *row = rows[i % 3];
        const int *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            const int changed = a[i - 1] != b[j - 1];
            row[j] = smaller(above[j - 1] + changed, smaller(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = smaller(row[j], above2[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

const char *eex_text_nearest(const char *word, const char *const *words, size_t count)
{
    if (strlen(word) > LONGEST_WORD)
        return NULL;
    const size_t length = strlen(word + strspn(word, "-")); /* all options begin so */
    if (length == 0)
        return NULL;
    const char *best = NULL;
    int fewest = 1 + (int)length / 3; /* one slip for each three letters, and one for free */
    if ((int)length <= fewest)
        fewest = (int)length - 1; /* a word with nothing in common is not near */
    for (size_t i = 0; i < count; i++) {
        if (strlen(words[i]) > LONGEST_WORD)
            continue;
        const int d = distance(word, words[i]);
        if (d < fewest || (d == fewest && !best)) {
            fewest = d;
            best = words[i];
        }
    }
    return best;
}

void eex_text_clip(char *out, size_t size, const char *text)
{
    char bytes[4];
    size_t used = 0;
    while (*text) {
        const char *from = text;
        uint32_t c = eex__utf8_next(&text);
        if (c == 0xfffd && text - from == 1)
            c = '?';
        const size_t more = eex__utf8_encode(bytes, c);
        if (used + more >= size)
            break;
        memcpy(out + used, bytes, more);
        used += more;
    }
    out[used] = '\0';
}

size_t eex_text_width(const char *text)
{
    size_t width = 0;
    while (*text)
        width += (size_t)eex__utf8_columns(eex__utf8_next(&text));
    return width;
}

/* Three significant digits of a number below 1000, without an exponent. */
static int digits_after_point(double value)
{
    value = fabs(value);
    if (value == 0.0 || value >= 99.95)
        return 0;
    if (value >= 9.995)
        return 1;
    return value >= 0.9995 ? 2 : 3;
}

static bool is_unseen(const char *text)
{
    return eex__utf8_is_unseen(eex__utf8_next(&text));
}

void eex_text_disarm(char *text, const char *kept)
{
    for (unsigned char *c = (unsigned char *)text; *c; c++) {
        const bool control = *c < ' ' || *c == 0x7f;
        if (control && !strchr(kept, *c))
            *c = '?';
        else if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0)
            c[0] = c[1] = '?';
        else if (c[0] == 0xe2 && is_unseen((const char *)c))
            c[0] = c[1] = c[2] = '?';
    }
}

void eex_text_disarm_printed(char *text, const char *format)
{
    const bool whole = strcmp(format, "%s") == 0 || strpbrk(format, "\n\t");
    eex_text_disarm(text, whole ? "\n\t" : "");
}

static bool is_within_character(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

void eex_text_shorten(char *out, size_t size, const char *text, size_t length)
{
    static const char dots[] = "...";
    const size_t room = size - 1, gap = sizeof dots - 1;
    size_t head = (room - gap) / 2, tail = room - gap - head;
    if (length <= room) {
        memmove(out, text, length);
        out[length] = '\0';
        return;
    }
    while (head && is_within_character(text[head]))
        head--;
    while (tail && is_within_character(text[length - tail]))
        tail--;
    memmove(out, text, head);
    memmove(out + head + gap, text + length - tail, tail);
    memcpy(out + head, dots, gap);
    out[head + gap + tail] = '\0';
}

bool eex_text_print(char *out, size_t size, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    const int length = vsnprintf(out, size, format, args);
    char *whole = length >= 0 && (size_t)length >= size ? malloc((size_t)length + 1) : NULL;
    if (whole) { /* else its beginning does */
        vsnprintf(whole, (size_t)length + 1, format, again);
        eex_text_shorten(out, size, whole, (size_t)length);
        free(whole);
    }
    va_end(again);
    return length >= 0;
}

double eex_text_unsigned_zero(double value, int digits)
{
    return fabs(value) < 0.5 * pow(10, -digits) ? 0 : value;
}

const char *eex_text_number(char out[EEX_TEXT_SIZE], double value, const char *unit)
{
    static const char *const prefixes[] = {"", "k", "M", "G", "T", "P", "E"};
    const size_t last = sizeof prefixes / sizeof prefixes[0] - 1;
    size_t prefix = 0;
    while (fabs(value) >= 999.5 && prefix < last && isfinite(value)) {
        value /= 1000.0;
        prefix++;
    }
    int digits = digits_after_point(value);
    if (prefix == 0 && value == floor(value))
        digits = 0; /* counts stay counts: "7", not "7.00" */
    const char *gap = *prefixes[prefix] || (unit && *unit) ? " " : "";
    const locale_t before = eex_numbers_begin();
    snprintf(out, EEX_TEXT_SIZE, "%.*f%s%s%.24s", digits, value, gap, prefixes[prefix],
             unit ? unit : "");
    eex_numbers_end(before);
    return out;
}

const char *eex_plural(int64_t count)
{
    return count == 1 ? "" : "s";
}

const char *eex_text_time(char out[EEX_TEXT_SIZE], double seconds)
{
    static const char *const units[] = {"s", "ms", "us", "ns"};
    size_t unit = 0;
    while (fabs(seconds) < 0.9995 && unit < 3 && seconds != 0.0) {
        seconds *= 1000.0;
        unit++;
    }
    const locale_t before = eex_numbers_begin();
    snprintf(out, EEX_TEXT_SIZE, "%.*f %s", digits_after_point(seconds), seconds, units[unit]);
    eex_numbers_end(before);
    return out;
}

const char *eex_text_duration(char out[EEX_TEXT_SIZE], double seconds)
{
    if (!(seconds >= 0.0 && seconds < 1e9)) {
        snprintf(out, EEX_TEXT_SIZE, "?");
        return out;
    }
    const long s = lround(seconds);
    if (s < 60)
        snprintf(out, EEX_TEXT_SIZE, "%ld s", s);
    else if (s < 3600)
        snprintf(out, EEX_TEXT_SIZE, "%ld:%02ld", s / 60, s % 60);
    else
        snprintf(out, EEX_TEXT_SIZE, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    return out;
}

/* strtod and its like skip blanks and accept "inf" and hexadecimal: people who write those in an
 * option mistyped it. */
static int only_chars(const char *text, const char *allowed)
{
    return *text && strspn(text, allowed) == strlen(text);
}

int eex_text_parse_int(int64_t *out, const char *text, int64_t min, int64_t max, const char *what)
{
    char *end = NULL;
    errno = 0;
    const long long value = strtoll(text, &end, 10);
    const int whole = only_chars(text, "+-0123456789") && *end == '\0' && end != text;
    if (!whole || errno != 0 || value < min || value > max)
        return eex_fail(EEX_EINVAL,
                        "%s: an integer from %" PRId64 " to %" PRId64 ", got \"%.100s\"", what, min,
                        max, text);
    *out = value;
    return EEX_OK;
}

int eex_text_parse_double(double *out, const char *text, double min, double max, const char *what)
{
    char *end = NULL;
    const locale_t before = eex_numbers_begin();
    const double value = strtod(text, &end);
    eex_numbers_end(before);
    const int whole = only_chars(text, "+-0123456789.eE") && *end == '\0' && end != text;
    if (!whole || !isfinite(value) || value < min || value > max)
        return eex_fail(EEX_EINVAL, "%s: a number from %g to %g, got \"%.100s\"", what, min, max,
                        text);
    *out = value;
    return EEX_OK;
}
