/* Pages and charts: what texts from files can do to them, and charts at their limits. */
#include "page/chart.h"
#include "page/html.h"
#include "page/report_impl.h"
#include "page/svg.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

TestSuite(page, .timeout = 60);

static const char evil[] = "'\n`touch eex-pwned`\n!touch eex-pwned\n\"$(touch eex-pwned)\"<script>";

Test(page, text_is_never_markup)
{
    eex_buffer out = EEX_BUFFER_INIT;
    eex_html_text(&out, "a<b>&\"'\x01\xff é\u202e\u2028\n");
    cr_expect_str_eq(eex_buffer_text(&out),
                     "a&#60;b&#62;&#38;&#34;&#39;\xef\xbf\xbd\xef\xbf\xbd é\ufffd\ufffd\n");
    eex_buffer_clear(&out);
    eex_html_element(&out, "td class=\"n\"", "%s", "<");
    cr_expect_str_eq(eex_buffer_text(&out), "<td class=\"n\">&#60;</td>\n");
    eex_buffer_clear(&out);
    eex_html_text(&out, NULL);
    cr_expect_str_eq(eex_buffer_text(&out), "");
    eex_buffer_free(&out);
}

Test(page, base64)
{
    static const char *const pairs[][2] = {
        {"", ""},        {"f", "Zg=="},          {"fo", "Zm8="},
        {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}, {"\xff\xfe\xfd", "//79"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        eex_buffer out = EEX_BUFFER_INIT;
        eex_html_base64(&out, (const uint8_t *)pairs[i][0], strlen(pairs[i][0]));
        cr_expect_str_eq(eex_buffer_text(&out), pairs[i][1]);
        eex_buffer_free(&out);
    }
}

static void finish(eex_buffer *out, eex_page *page)
{
    bool drawn = false;
    OK(eex_page_finish(out, &drawn, page, "title"));
    eex_page_free(page);
    if (!drawn)
        cr_skip_test("gnuplot is not installed");
}

Test(page, what_texts_say_is_not_done)
{
    eex_page page = {.html = EEX_BUFFER_INIT};
    eex_buffer out = EEX_BUFFER_INIT;
    eex_chart c = {.title = evil, .x = evil, .y = evil, .about = evil};
    eex_chart_tic(&c, 0, evil);
    eex_chart_tic(&c, 1, "EOD");
    eex_chart_series(&c, evil, 0, EEX_MARK_POINTS);
    eex_chart_point(&c, 0, 1, "%s", evil);
    eex_chart_point(&c, 1, 2, "EOD\nEOD");
    OK(eex_chart_put(&page, &c));
    finish(&out, &page);
    cr_expect(access("eex-pwned", F_OK) != 0, "a text was run");
    cr_expect(strstr(eex_buffer_text(&out), "<script") == NULL);
    cr_expect(strstr(eex_buffer_text(&out), "<title>EOD EOD</title>") ||
              strstr(eex_buffer_text(&out), "<title>EOD_EOD</title>"));
    eex_buffer_free(&out);
}

/* ---- parts of a page ---- */

static void put_line(eex_page *page, const char *title)
{
    eex_chart c = {.title = title, .x = "x", .y = "y"};
    eex_chart_series(&c, "points", 0, EEX_MARK_POINTS);
    eex_chart_point(&c, 0, 1, "here");
    eex_chart_point(&c, 1, 2, "there");
    eex_html_element(&page->html, "h2", "%s", title);
    OK(eex_chart_put(page, &c));
}

static size_t times(const char *text, const char *word)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, word)); at++)
        count++;
    return count;
}

/* Each has its pictures, and the symbols of points come with the first of those that are there. */
Test(page, is_drawn_in_parts)
{
    eex_page whole = {.html = EEX_BUFFER_INIT}, part = {.html = EEX_BUFFER_INIT};
    eex_buffer out[2] = {{0}}, all = EEX_BUFFER_INIT;
    size_t end[2];
    put_line(&part, "one");
    end[0] = part.html.size;
    put_line(&part, "two");
    put_line(&part, "three");
    end[1] = part.html.size;
    OK(eex_page_draw(out, &whole, &part, end, 2));
    if (whole.missing)
        cr_skip_test("gnuplot is not installed");
    const char *first = eex_buffer_text(&out[0]), *second = eex_buffer_text(&out[1]);
    cr_expect_eq(times(first, "<svg"), 1);
    cr_expect_eq(times(second, "<svg"), 2);
    cr_expect(strstr(first, ">one</h2>") && !strstr(first, ">two</h2>"));
    cr_expect(strstr(second, ">two</h2>") && strstr(second, ">three</h2>") &&
              !strstr(second, ">one</h2>"));
    cr_expect_eq(times(second, "<defs"), 1);
    eex_buffer_append(&whole.html, out[1].data, out[1].size);
    eex_page_free(&part);
    finish(&all, &whole);
    cr_expect_eq(times(eex_buffer_text(&all), "<svg"), 2);
    for (int i = 0; i < 2; i++)
        eex_buffer_free(&out[i]);
    eex_buffer_free(&all);
}

Test(page, what_does_not_fit_is_left_out)
{
    size_t size[EEX__SECTIONS] = {0};
    bool in[EEX__SECTIONS];
    size[EEX__SECTION_SUMMARY] = 10;
    size[EEX__SECTION_SEARCH] = 500;
    size[EEX__SECTION_EXITS] = 50;
    size[EEX__SECTION_IMAGES] = 100;
    size[EEX__SECTION_SOURCE] = 5;
    eex__sections_choose(in, size, 1000);
    for (int i = 0; i < EEX__SECTIONS; i++)
        cr_expect(in[i], "%s", eex__section_name((eex__section)i));
    eex__sections_choose(in, size, 164);
    cr_expect(in[EEX__SECTION_SUMMARY] && in[EEX__SECTION_EXITS] && in[EEX__SECTION_SOURCE]);
    cr_expect(!in[EEX__SECTION_SEARCH] && !in[EEX__SECTION_IMAGES]);
    eex__sections_choose(in, size, 9);
    cr_expect(!in[EEX__SECTION_SUMMARY] && in[EEX__SECTION_SOURCE]);
}

Test(page, charts_at_their_limits)
{
    static const double values[][2] = {{0, 0}, {1, 1e-300}, {1e15, -5}, {1e15 + 0.25, -5}};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        for (int from_zero = 0; from_zero < 2; from_zero++) {
            eex_page page = {.html = EEX_BUFFER_INIT};
            eex_buffer out = EEX_BUFFER_INIT;
            eex_chart c = {.title = "t", .x = "x", .y = "y", .from_zero = from_zero};
            for (int mark = EEX_MARK_POINTS; mark <= EEX_MARK_BARS; mark++) {
                eex_chart_series(&c, "empty", mark, (eex_mark)mark);
                eex_chart_series(&c, "one", mark, (eex_mark)mark);
                eex_chart_point(&c, NAN, 1, "left out");
                eex_chart_point(&c, 1, INFINITY, "left out");
                eex_chart_interval(&c, values[i][0], values[i][1], values[i][1], values[i][1],
                                   "in");
            }
            OK(eex_chart_put(&page, &c));
            finish(&out, &page);
            cr_expect(strstr(eex_buffer_text(&out), "left out") == NULL);
            cr_expect(strstr(eex_buffer_text(&out), "empty") == NULL);
            cr_expect(strstr(eex_buffer_text(&out), "6 points as a table"));
            eex_buffer_free(&out);
        }
}

Test(page, a_chart_without_points_is_none)
{
    eex_page page = {.html = EEX_BUFFER_INIT};
    eex_buffer out = EEX_BUFFER_INIT;
    bool drawn = true;
    eex_chart c = {.title = "t", .x = "x", .y = "y"};
    eex_chart_series(&c, "nothing", 0, EEX_MARK_LINE);
    eex_chart_point(&c, NAN, NAN, "nothing");
    OK(eex_chart_put(&page, &c));
    cr_expect_eq(page.charts, 0);
    OK(eex_page_finish(&out, &drawn, &page, "title"));
    cr_expect(drawn && !strstr(eex_buffer_text(&out), "nothing"));
    eex_page_free(&page);
    eex_buffer_free(&out);
}

Test(page, what_is_no_picture)
{
    static const char *const wrong[] = {"", "<svg>", "<svg viewBox=\"0 0 1 1\"\n><defs></defs>",
                                        "</svg><filter"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        eex_buffer out = EEX_BUFFER_INIT;
        cr_expect_eq(eex_svg_put(&out, wrong[i], "label", true), EEX_EFORMAT);
        eex_buffer_free(&out);
    }
}

/* Series of files that somebody has made long: a page stays one that can be opened. */
Test(page, charts_of_very_many_points)
{
    enum { SERIES = 100, POINTS = 5000, MOST_BYTES = 16 << 20 };
    eex_page page = {.html = EEX_BUFFER_INIT};
    eex_buffer out = EEX_BUFFER_INIT;
    eex_chart c = {.title = "t", .x = "x", .y = "y"};
    for (int s = 0; s < SERIES; s++) {
        eex_chart_series(&c, "long", s, EEX_MARK_LINE);
        for (int i = 0; i < POINTS; i++)
            eex_chart_point(&c, i, i % 7, "point %d of %d.", i, s);
    }
    OK(eex_chart_put(&page, &c));
    cr_expect(strstr(eex_buffer_text(&page.html), ", of 500000, as a table"));
    cr_expect(strstr(eex_buffer_text(&page.html), "point 0 of 0."));
    cr_expect(strstr(eex_buffer_text(&page.html), "point 4999 of 0."));
    cr_expect(strstr(eex_buffer_text(&page.html), "point 4999 of 99."));
    finish(&out, &page);
    cr_expect_lt(out.size, MOST_BYTES, "%zu bytes", out.size);
    eex_buffer_free(&out);
}

/* All points of a series that is not too long, and none twice. */
Test(page, charts_of_all_points)
{
    enum { POINTS = 4000 };
    char text[40];
    eex_page page = {.html = EEX_BUFFER_INIT};
    eex_chart c = {.title = "t", .x = "x", .y = "y"};
    eex_chart_series(&c, "all", 0, EEX_MARK_LINE);
    for (int i = 0; i < POINTS; i++)
        eex_chart_point(&c, i, i, "point %d.", i);
    OK(eex_chart_put(&page, &c));
    cr_expect(strstr(eex_buffer_text(&page.html), "4000 points as a table"));
    for (int i = 0; i < POINTS; i++) {
        snprintf(text, sizeof text, "point %d.", i);
        const char *found = strstr(eex_buffer_text(&page.html), text);
        cr_assert(found && !strstr(found + 1, text), "%s", text);
    }
    eex_page_free(&page);
}

/* As long as gnuplot may write it, in time that grows with it. */
Test(page, a_long_drawing)
{
    eex_buffer svg = EEX_BUFFER_INIT, out = EEX_BUFFER_INIT;
    eex_buffer_puts(&svg, "<svg viewBox=\"0 0 1 1\"\n><defs><filter></filter></defs>");
    for (int i = 0; i < 1000000; i++)
        eex_buffer_puts(&svg, "<path stroke='rgb(  1,   1,   3)'/>");
    eex_buffer_puts(&svg, "</svg>");
    OK(eex_svg_put(&out, eex_buffer_text(&svg), "long", true));
    cr_expect(strstr(eex_buffer_text(&out), "var(--c4)"));
    cr_expect_not(strstr(eex_buffer_text(&out), "rgb("));
    eex_buffer_free(&svg);
    eex_buffer_free(&out);
}
