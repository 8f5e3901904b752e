#include "base/clock.h"
#include "base/status.h"
#include "base/text.h"
#include "base/utf8.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *nearest(const char *word)
{
    static const char *const words[] = {"--device", "--seed",  "--set",
                                        "--json",   "--fresh", "--out"};
    const char *found = eex_text_nearest(word, words, sizeof words / sizeof *words);
    return found ? found : "(none)";
}

Test(text, nearest_word)
{
    cr_assert_str_eq(nearest("--devise"), "--device");
    cr_assert_str_eq(nearest("--jsno"), "--json");
    cr_assert_str_eq(nearest("--fersh"), "--fresh");
    cr_assert_str_eq(nearest("-out"), "--out");
    cr_assert_str_eq(nearest("--seed"), "--seed");
    cr_assert_str_eq(nearest("--population"), "(none)");
    cr_assert_str_eq(nearest("--exit"), "(none)", "dashes are nothing in common");
    cr_assert_str_eq(nearest("--x"), "(none)");
    cr_assert_str_eq(nearest(""), "(none)");
    cr_assert_str_eq(nearest("x"), "(none)");
}

Test(text, nearest_survives_endless_words)
{
    char word[1000];
    memset(word, 'a', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    cr_assert_str_eq(nearest(word), "(none)");
    const char *const words[] = {word};
    cr_assert_null(eex_text_nearest("aaaa", words, 1));
}

Test(text, width_counts_columns)
{
    cr_assert_eq(eex_text_width(""), 0);
    cr_assert_eq(eex_text_width("abc"), 3);
    cr_assert_eq(eex_text_width("µ±x"), 3);
    cr_assert_eq(eex_text_width("e\xcc\x81"), 1);                /* combining acute */
    cr_assert_eq(eex_text_width("\xe6\x97\xa5\xe6\x9c\xac"), 4); /* two wide characters */
    cr_assert_eq(eex_text_width("\xf0\x9f\x98\x80"), 2);
    cr_assert_eq(eex_text_width("\xff\xfe"), 2); /* shown as replacements */
}

/* No character is cut, and nothing is left that is none. */
Test(text, clipped_texts_are_whole_characters)
{
    static const struct {
        const char *is;
        size_t size;
        const char *becomes;
    } texts[] = {{"", 1, ""},
                 {"abc", 4, "abc"},
                 {"abc", 3, "ab"},
                 {"abc", 1, ""},
                 {"a\u00e9z", 5, "a\u00e9z"},
                 {"a\u00e9z", 4, "a\u00e9"},
                 {"a\u00e9z", 3, "a"},
                 {"\u732b", 3, ""},
                 {"a\U0001f600", 5, "a"},
                 {"a\xff\ufffd", 6, "a?\ufffd"},
                 {"caf\xe9", 8, "caf?"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *out = malloc(texts[i].size); /* so that a byte too far is found */
        cr_assert(out);
        eex_text_clip(out, texts[i].size, texts[i].is);
        cr_expect_str_eq(out, texts[i].becomes, "%zu", i);
        free(out);
    }
}

/* Nothing that moves the cursor, and nothing that turns or breaks the text behind it. */
Test(text, what_does_not_show_is_disarmed)
{
    static const char *const texts[][2] = {
        {"caf\u00e9 \u732b\u2026\u2027\u202f\u2065\u206a",
         "caf\u00e9 \u732b\u2026\u2027\u202f\u2065\u206a"},
        {"\x1b[31m\x7f\t\xc2\x9b", "?[31m?\t??"},
        {"a\u202eb\u202ac\u2028d\u2029", "a???b???c???d???"},
        {"\u2066a\u2067b\u2068c\u2069", "???a???b???c???"},
        {"\xe2", "\xe2"},
        {"\xe2\x80", "\xe2\x80"},
        {"\xe2\xe2\x80\xae", "\xe2???"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *text = strdup(texts[i][0]);
        eex_text_disarm(text, "\t");
        cr_expect_str_eq(text, texts[i][1], "%zu", i);
        free(text);
    }
}

Test(text, utf8_round_trip)
{
    for (uint32_t code = 1; code <= 0x10ffff; code += code < 0x3000 ? 1 : 251) {
        char bytes[5] = "";
        if (code >= 0xd800 && code < 0xe000)
            continue;
        const size_t size = eex__utf8_encode(bytes, code);
        const char *at = bytes;
        cr_assert_eq(eex__utf8_next(&at), code);
        cr_assert_eq((size_t)(at - bytes), size);
    }
}

static void expect_number(double value, const char *unit, const char *expected)
{
    char out[EEX_TEXT_SIZE];
    cr_assert_str_eq(eex_text_number(out, value, unit), expected);
}

Test(text, numbers_for_people)
{
    expect_number(0, NULL, "0");
    expect_number(7, NULL, "7");
    expect_number(999, NULL, "999");
    expect_number(999.6, NULL, "1.00 k");
    expect_number(1234567, NULL, "1.23 M");
    expect_number(12345, "images", "12.3 kimages");
    expect_number(1.5e9, "B", "1.50 GB");
    expect_number(0.05, NULL, "0.050");
    expect_number(12.34, "x", "12.3 x");
    expect_number(-2500, NULL, "-2.50 k");
    expect_number(123.4, NULL, "123");
}

static void expect_time(double seconds, const char *expected)
{
    char out[EEX_TEXT_SIZE];
    cr_assert_str_eq(eex_text_time(out, seconds), expected);
}

Test(text, only_one_is_no_plural)
{
    cr_assert_str_eq(eex_plural(1), "");
    cr_assert_str_eq(eex_plural(0), "s");
    cr_assert_str_eq(eex_plural(2), "s");
    cr_assert_str_eq(eex_plural(INT64_MAX), "s");
}

Test(text, short_times)
{
    expect_time(0.0123, "12.3 ms");
    expect_time(1.5, "1.50 s");
    expect_time(0.00048, "480 us");
    expect_time(2.5e-9, "2.50 ns");
    expect_time(0.0, "0 s");
    expect_time(0.9999, "1.00 s");
    expect_time(75.0, "75.0 s");
}

static void expect_duration(double seconds, const char *expected)
{
    char out[EEX_TEXT_SIZE];
    cr_assert_str_eq(eex_text_duration(out, seconds), expected);
}

Test(text, durations)
{
    expect_duration(8.2, "8 s");
    expect_duration(59.7, "1:00");
    expect_duration(185, "3:05");
    expect_duration(3723, "1:02:03");
    expect_duration(NAN, "?");
    expect_duration(-1, "?");
    expect_duration(INFINITY, "?");
}

Test(text, what_is_written_as_zero_has_no_sign)
{
    cr_assert_not(signbit(eex_text_unsigned_zero(-0.0, 1)));
    cr_assert_not(signbit(eex_text_unsigned_zero(-0.04, 1)));
    cr_assert_eq(eex_text_unsigned_zero(-0.06, 1), -0.06);
    cr_assert_eq(eex_text_unsigned_zero(-0.04, 2), -0.04);
    cr_assert(isnan(eex_text_unsigned_zero(NAN, 2)));
}

Test(text, integers_are_parsed_strictly)
{
    int64_t v = 77;
    cr_assert_eq(eex_text_parse_int(&v, "-12", -100, 100, "x"), EEX_OK);
    cr_assert_eq(v, -12);
    cr_assert_eq(eex_text_parse_int(&v, "9223372036854775807", 0, INT64_MAX, "x"), EEX_OK);
    cr_assert_eq(v, INT64_MAX);
    const char *const bad[] = {"",       " 1", "1 ",  "1.0", "0x10", "1e3",
                               "twenty", "-",  "+-1", "101", "-101", "99999999999999999999"};
    v = 77;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(eex_text_parse_int(&v, bad[i], -100, 100, "x"), EEX_EINVAL, "\"%s\"", bad[i]);
    cr_assert_eq(v, 77);
    eex_text_parse_int(&v, "twenty", 1, 100, "search.population");
    cr_assert_str_eq(eex_error(), "search.population: an integer from 1 to 100, got \"twenty\"");
}

Test(text, doubles_are_parsed_strictly)
{
    double v = 77;
    cr_assert_eq(eex_text_parse_double(&v, "1e-3", 0, 1, "x"), EEX_OK);
    cr_assert_eq(v, 1e-3);
    const char *const bad[] = {"", " 1", "1 ", "nan", "inf", "0x1p3", "1e", "2", "-0.1", "1e999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(eex_text_parse_double(&v, bad[i], 0, 1, "x"), EEX_EINVAL, "\"%s\"", bad[i]);
    cr_assert_eq(v, 1e-3);
}

Test(clock, goes_forward_and_dates_are_iso)
{
    char date[EEX_DATE_SIZE];
    const double before = eex_clock_seconds();
    cr_assert(eex_clock_seconds() >= before);
    eex_clock_date(date);
    int y, mo, d, h, mi, s, end = 0;
    cr_assert_eq(sscanf(date, "%4d-%2d-%2dT%2d:%2d:%2dZ%n", &y, &mo, &d, &h, &mi, &s, &end), 6);
    cr_assert_eq((size_t)end, strlen(date));
    cr_assert(y >= 2020 && mo >= 1 && mo <= 12 && d >= 1 && d <= 31 && h < 24 && mi < 60);
}
