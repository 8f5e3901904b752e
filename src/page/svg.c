/* gnuplot's SVG is text of a regular kind: a few fixed strings are replaced, whatever stands
 * between them is copied. */
#include "page/svg.h"

#include "page/html.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is said of a point stands in a call of a script that is not here. */
#define HOVER " onmousemove=\"gnuplot_svg.showHypertext(evt,'"
#define HOVER_END "')\" onmouseout=\"gnuplot_svg.hideHypertext()\"><title> </title>"
#define COLOUR "rgb("
#define PLOT " id=\"gnuplot_plot_"

static const struct {
    const char *from, *to;
} plain[] = {
    {"'black'", "'currentColor'"},
    {"\"black\"", "\"currentColor\""},
    {"'gray'", "'var(--grid)'"},
    {"\"gray\"", "\"var(--grid)\""},
    {"\"white\"", "\"none\""},
    {"'white'", "'var(--card)'"},
    {" id=\"gnuplot_canvas\"", ""},
    {" font-family=\"sans-serif\"", ""},
    {" stroke-linecap=\"round\" stroke-linejoin=\"round\"", ""},
    {"xlink:href", "href"},
};

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* As strstr, for what is near: under the address sanitizer that looks for the end of the text
 * first. */
static const char *next(const char *text, const char *what)
{
    while ((text = strchr(text, *what)) && !begins(text, what))
        text++;
    return text;
}

/* "<g ...>" with nothing but white space up to "</g>": where that ends; else NULL. */
static const char *empty_group(const char *at)
{
    const char *end = begins(at, "<g ") ? strchr(at, '>') : NULL;
    if (!end)
        return NULL;
    end += 1 + strspn(end + 1, " \t\n");
    return begins(end, "</g>") ? end + 4 : NULL;
}

/* rgb(  1,   1,   3): the third number is the place among the page's colours. */
static const char *colour(eex_buffer *out, const char *at)
{
    int r = 0, g = 0, b = 0;
    char numbers[32]; /* sscanf looks for the end of its text first, which may be far away */
    const char *end = strchr(at, ')');
    const size_t length = end ? (size_t)(end - at) - strlen(COLOUR) : sizeof numbers;
    if (length >= sizeof numbers)
        return at;
    memcpy(numbers, at + strlen(COLOUR), length);
    numbers[length] = '\0';
    if (sscanf(numbers, "%d ,%d ,%d", &r, &g, &b) != 3)
        return at;
    if (r == 1 && g == 1)
        eex_buffer_printf(out, "var(--c%d)", b + 1);
    else
        eex_buffer_puts(out, "currentColor");
    return end + 1;
}

static const char *hover(eex_buffer *out, const char *at)
{
    const char *text = at + strlen(HOVER), *end = next(text, HOVER_END);
    if (!end)
        return at;
    eex_buffer_puts(out, "><title>");
    eex_buffer_append(out, text, (size_t)(end - text));
    eex_buffer_puts(out, "</title>");
    return end + strlen(HOVER_END);
}

/* The name of a plot, which would be shown wherever the pointer is. */
static const char *plot(const char *at)
{
    const char *end = next(at, "</title>");
    return end ? end + strlen("</title>") : at;
}

/* Writes one piece in another way and returns what follows; `at` itself where nothing is to do. */
static const char *rewrite(eex_buffer *out, const char *at)
{
    const char *end;
    if (*at == '<' && (end = empty_group(at)))
        return end;
    if (begins(at, COLOUR))
        return colour(out, at);
    if (begins(at, HOVER))
        return hover(out, at);
    if (begins(at, PLOT)) {
        eex_buffer_putc(out, '>');
        return plot(at);
    }
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (begins(at, plain[i].from)) {
            eex_buffer_puts(out, plain[i].to);
            return at + strlen(plain[i].from);
        }
    return at;
}

static void copy(eex_buffer *out, const char *at, const char *end)
{
    while (at < end) {
        const char *after = rewrite(out, at);
        if (after == at)
            eex_buffer_putc(out, *at++);
        else
            at = after;
        if (*at == '\n' || *at == '\t') { /* it may stand between numbers */
            eex_buffer_putc(out, ' ');
            at += strspn(at, "\n\t ");
        }
    }
}

int eex_svg_put(eex_buffer *out, const char *svg, const char *label, bool first)
{
    const char *view = strstr(svg, "viewBox=\""), *defs = strstr(svg, "<defs>");
    const char *after = defs ? strstr(defs, "</defs>") : NULL, *end = strstr(svg, "</svg>");
    const char *filter = defs ? strstr(defs, "<filter") : NULL;
    if (!view || !after || !end || !filter)
        return eex_fail(EEX_EFORMAT, "what gnuplot drew is no SVG as gnuplot 5 writes it");
    eex_buffer_printf(out, "<svg class=\"plot\" %.*s\" role=\"img\" aria-label=\"",
                      (int)strcspn(view, "\n") - 1, view);
    eex_html_text(out, label);
    eex_buffer_puts(out, "\" xmlns=\"http://www.w3.org/2000/svg\">");
    if (first) {
        copy(out, defs, filter);
        eex_buffer_puts(out, "</defs>");
    }
    eex_buffer_puts(out, "<g>");
    copy(out, after + strlen("</defs>"), end);
    eex_buffer_puts(out, "</svg>\n");
    return eex_buffer_status(out);
}
