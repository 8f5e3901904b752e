/* What people do not see of a name. */
#include "base/spelling.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <string.h>

typedef struct text {
    const char *is, *becomes;
} text;

static void expect(void (*append)(eex_buffer *, const char *), const text *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        eex_buffer out = EEX_BUFFER_INIT;
        append(&out, texts[i].is);
        cr_assert_eq(eex_buffer_status(&out), EEX_OK);
        cr_expect_str_eq(eex_buffer_text(&out), texts[i].becomes);
        eex_buffer_free(&out);
    }
}

Test(spelling, bytes_that_are_no_text_are_found)
{
    static const char *const wrong[] = {"caf\xe9",  "\xe9",         "a\xc3",
                                        "\xc0\x80", "\xed\xa0\x80", "\xff"};
    static const char *const right[] = {"", "cafe", "caf\u00e9", "\ufffd", "\u732b", "\U0001f600"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_not(eex_spelling_is_utf8(wrong[i]), "%zu", i);
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        cr_expect(eex_spelling_is_utf8(right[i]), "%zu", i);
}

Test(spelling, whatever_does_not_show_is_escaped)
{
    static const text texts[] = {{"", ""},
                                 {"dog ", "dog "},
                                 {"a\tb\nc\r", "a\\tb\\nc\\r"},
                                 {"\x1b[31m\x7f", "\\x1b[31m\\x7f"},
                                 {"caf\xe9", "caf\\xe9"},
                                 {"caf\u00e9 \u732b", "caf\u00e9 \u732b"},
                                 {"a\xc2\xa0z\xe2\x80\x8b", "a\\u00a0z\\u200b"},
                                 {"a\u2066b\u2069\u034f\u2800", "a\\u2066b\\u2069\\u034f\\u2800"},
                                 {"\u2764\ufe0f\u3164", "\u2764\\ufe0f\\u3164"},
                                 {"a\U000e0041", "a\\U000e0041"},
                                 {"a\xc2\x9bz", "a\\u009bz"},
                                 {"\"\\x1b\"", "\\\"\\\\x1b\\\""}};
    expect(eex_spelling_escape, texts, sizeof texts / sizeof *texts);
}

Test(spelling, case_blanks_and_how_accents_are_stored_make_no_difference_to_the_core)
{
    static const text texts[] = {
        {"Hot  Dog\t", "hotdog"},
        {" \xc2\xa0\xe2\x80\x8b"
         "dog",
         "dog"},
        {"hot_dog-2", "hot_dog-2"},
        {"\u00c4PFEL \u00d7\u0178", "\u00e4pfel\u00d7\u00ff"},
        {"\u0141\u00d3D\u0179 \u0100", "\u0142\u00f3d\u017a\u0101"},
        {"\u039a\u0391\u03a4", "\u03ba\u03b1\u03c4"},
        {"\u0401\u0416", "\u0451\u0436"},
        {"a\u2066b\u2067c\u2068d\u2069e\u061cf", "abcdef"},
        {"\u2764\ufe0f\u034f\u2800\u180e\u3164\U000e0001", "\u2764"},
        {"\u03c3\u03c2\u03a3", "\u03c3\u03c3\u03c3"},
        {"\u0386\u0388\u0389\u038a\u038c\u038e\u038f\u03aa\u03ab",
         "\u03ac\u03ad\u03ae\u03af\u03cc\u03cd\u03ce\u03ca\u03cb"},
        {"\u0218\u01a0\u01af\u01cd\u1e9e", "\u0219\u01a1\u01b0\u01ce\u00df"},
        {"\u04c0\u04c1\u1f08\u1f59", "\u04cf\u04c2\u1f00\u1f51"},
        {"\u0142\u017a\u0101\u0131", "\u0142\u017a\u0101\u0131"},
        {"\u732b\xe9", "\u732b\xe9"},
        {"cafe\u0301", "caf\u00e9"},
        {"CAFE\u0301S", "caf\u00e9s"},
        {"A\u030angstro\u0308m", "\u00e5ngstr\u00f6m"},
        {"Z\u030c\u0301 c\u0327", "\u017e\u0301\u00e7"},
        {"\u0418\u0306o\u200b\u0308", "\u0439\u00f6"},
        {"x\u0301\u0301e", "x\u0301\u0301e"},
        {"\u0301e\xe9\u0301", "\u0301e\xe9\u0301"}};
    expect(eex_spelling_core, texts, sizeof texts / sizeof *texts);
}
