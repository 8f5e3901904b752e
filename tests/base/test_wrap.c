/* Lines that are broken where they are too long. */
#include "base/text.h"
#include "base/wrap.h"

#include <criterion/criterion.h>
#include <string.h>

static void expect(size_t width, const char *text, const char *wrapped)
{
    eex_buffer out = EEX_BUFFER_INIT;
    eex_wrap(&out, text, width);
    cr_assert_str_eq(eex_buffer_text(&out), wrapped, "got \"%s\"", eex_buffer_text(&out));
    eex_buffer_free(&out);
}

Test(wrap, what_fits_stays)
{
    expect(0, "as long as it is", "as long as it is");
    expect(16, "as long as it is", "as long as it is");
    expect(5, "", "");
    expect(5, "a\n\n  b\n", "a\n\n  b\n");
}

Test(wrap, breaks_at_blanks)
{
    expect(10, "as long as it is", "as long as\nit is");
    expect(9, "as long as it is", "as long\nas it is");
    expect(8, "one  two  three", "one  two\nthree");
    expect(11, "it is 87.5 % of all", "it is\n87.5 % of\nall");
    expect(7, "one two\nthree four", "one two\nthree\nfour");
}

Test(wrap, goes_on_under_itself)
{
    expect(12, "  one two three", "  one two\n  three");
    expect(24, "  -o F  writes it into a file", "  -o F  writes it into a\n        file");
    expect(20, "  -o F  writes it into F", "  -o F  writes it\n  into F");
    expect(12, "  --a-long-option  x y", "  --a-long-o\n  ption  x y");
}

Test(wrap, cuts_words_that_are_too_long_at_characters)
{
    expect(4, "abcdefghij", "abcd\nefgh\nij");
    expect(3, "\xc2\xb5\xc2\xb5\xc2\xb5\xc2\xb5", "\xc2\xb5\xc2\xb5\xc2\xb5\n\xc2\xb5");
    expect(1, "\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\n\xe6\x9c\xac"); /* two columns each */
}

static void expect_reflow(const char *text, const char *wanted)
{
    eex_buffer out = EEX_BUFFER_INIT;
    eex_reflow(&out, text);
    cr_assert_str_eq(eex_buffer_text(&out), wanted, "got \"%s\"", eex_buffer_text(&out));
    eex_buffer_free(&out);
}

Test(wrap, paragraphs_are_joined_and_examples_are_not)
{
    expect_reflow("", "");
    expect_reflow("one\ntwo\n\nthree\nfour\n", "one two\n\nthree four\n");
    expect_reflow("try:\n  eex a\n  eex b\nor not", "try:\n  eex a\n  eex b\nor not");
    expect_reflow("one of\n  -x    what it\n        does\n  -y    other\nend",
                  "one of\n  -x    what it does\n  -y    other\nend");
    expect_reflow("  -x    what\n\n        apart", "  -x    what\n\n        apart");
}

/* The text without blanks and ends of lines. */
static const char *dense(char out[256], const char *text)
{
    size_t used = 0;
    for (; *text; text++)
        if (*text > ' ')
            out[used++] = *text;
    out[used] = '\0';
    return out;
}

Test(wrap, no_line_is_wider_and_no_word_is_lost)
{
    static const char text[] = "usage: eex x [y]\n\n  --option VALUE       what it does, in "
                               "words (0)\n    indented text that goes on for a while\n";
    char found[256], wanted[256];
    for (size_t width = 1; width < 60; width++) {
        eex_buffer out = EEX_BUFFER_INIT;
        eex_wrap(&out, text, width);
        cr_assert_str_eq(dense(found, eex_buffer_text(&out)), dense(wanted, text), "%zu", width);
        for (char *line = strtok(out.data, "\n"); line; line = strtok(NULL, "\n"))
            cr_assert(eex_text_width(line) <= width, "\"%s\" in %zu", line, width);
        eex_buffer_free(&out);
    }
}
