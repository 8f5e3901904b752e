#include "page/page.h"

#include "page/html.h"
#include "page/plot.h"
#include "page/style.h"
#include "page/svg.h"

#include "base/log.h"
#include "base/status.h"

#include <stdlib.h>

enum { WIDTH = 450, HEIGHT = 300 };

struct eex_page_chart {
    eex_buffer script;
    char *label;
    size_t at; /* in the page's HTML */
};

void eex_page_free(eex_page *page)
{
    for (size_t i = 0; i < page->charts; i++) {
        eex_buffer_free(&page->chart[i].script);
        free(page->chart[i].label);
    }
    free(page->chart);
    eex_buffer_free(&page->html);
    *page = (eex_page){0};
}

static int grow(eex_page *page)
{
    const size_t capacity = 2 * page->capacity + 16;
    if (page->charts < page->capacity)
        return EEX_OK;
    struct eex_page_chart *chart = realloc(page->chart, capacity * sizeof *chart);
    if (!chart)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu charts", capacity);
    page->chart = chart;
    page->capacity = capacity;
    return EEX_OK;
}

int eex_page_add_chart(eex_page *page, eex_buffer *script, const char *label)
{
    eex_buffer name = EEX_BUFFER_INIT;
    char *copy = NULL;
    eex_buffer_puts(&name, label);
    int code = eex_buffer_take(&copy, &name);
    if (code == EEX_OK)
        code = eex_buffer_status(script);
    if (code == EEX_OK)
        code = grow(page);
    if (code != EEX_OK) {
        free(copy);
        eex_buffer_free(script);
        return code;
    }
    page->chart[page->charts++] =
        (struct eex_page_chart){.script = *script, .label = copy, .at = page->html.size};
    *script = (eex_buffer)EEX_BUFFER_INIT;
    return EEX_OK;
}

/* ---- the end ---- */

static void put_head(eex_buffer *out, const char *title)
{
    eex_buffer_puts(out,
                    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n"
                    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
                    "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
                    "<meta name=\"generator\" content=\"eex " EEX_VERSION "\"/>\n");
    eex_html_element(out, "title", "%s", title);
    eex_buffer_puts(out, "<style>\n" EEX_PAGE_STYLE "</style></head>\n<body><main>\n");
}

static int draw(eex_buffer *pictures, const eex_page *page)
{
    eex_buffer *scripts = malloc((page->charts + 1) * sizeof *scripts);
    if (!scripts)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu charts", page->charts);
    for (size_t i = 0; i < page->charts; i++)
        scripts[i] = page->chart[i].script;
    const int code = eex_plot_texts(pictures, scripts, page->charts, WIDTH, HEIGHT);
    free(scripts);
    return code;
}

/* NULL in *out where gnuplot is not installed; else the caller's, by free_pictures. */
static int draw_all(eex_buffer **out, const eex_page *page)
{
    *out = calloc(page->charts + 1, sizeof **out);
    int code = *out ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for %zu charts", page->charts);
    if (code == EEX_OK && page->charts > 0)
        code = draw(*out, page);
    if (code == EEX_ENOTFOUND) {
        free(*out);
        *out = NULL;
        return EEX_OK;
    }
    return code;
}

static void free_pictures(eex_buffer *pictures, const eex_page *page)
{
    for (size_t i = 0; pictures && i < page->charts; i++)
        eex_buffer_free(&pictures[i]);
    free(pictures);
}

/* The page's HTML from one byte up to another; a page without any has no bytes to point to. */
static void put_html(eex_buffer *out, const eex_page *page, size_t from, size_t to)
{
    if (to > from)
        eex_buffer_append(out, page->html.data + from, to - from);
}

/* The HTML with each picture in its place; pictures NULL: without them. `symbols`: those of points
 * are there already. */
static int put_range(eex_buffer *out, const eex_page *page, const eex_buffer *pictures, size_t from,
                     size_t to, bool symbols)
{
    size_t done = from;
    for (size_t i = 0; i < page->charts; i++) {
        const struct eex_page_chart *c = &page->chart[i];
        if (c->at < from || c->at >= to) /* text follows each */
            continue;
        put_html(out, page, done, c->at);
        done = c->at;
        if (pictures)
            EEX_TRY(eex_svg_put(out, eex_buffer_text(&pictures[i]), c->label, !symbols));
        symbols = true;
    }
    put_html(out, page, done, to);
    return eex_buffer_status(out);
}

int eex_page_draw(eex_buffer *out, eex_page *whole, const eex_page *part, const size_t *end,
                  size_t count)
{
    eex_buffer *pictures = NULL;
    EEX_TRY(eex_buffer_status(&part->html));
    int code = draw_all(&pictures, part);
    for (size_t i = 0; i < count && code == EEX_OK; i++)
        code = put_range(&out[i], part, pictures, i ? end[i - 1] : 0, end[i], whole->symbols);
    if (code == EEX_OK && part->charts > 0 && !pictures)
        whole->missing = true;
    free_pictures(pictures, part);
    return code;
}

static int put_page(eex_buffer *out, const eex_page *page, const char *title,
                    const eex_buffer *pictures)
{
    EEX_TRY(eex_buffer_status(&page->html));
    put_head(out, title);
    if (!pictures || page->missing)
        eex_buffer_puts(out,
                        "<p class=\"note\">The charts are not drawn: gnuplot was not installed "
                        "where this page was made. Their points are in the tables.</p>\n");
    EEX_TRY(put_range(out, page, pictures, 0, page->html.size, page->symbols));
    eex_buffer_puts(out, "</main></body></html>\n");
    return eex_buffer_status(out);
}

int eex_page_finish(eex_buffer *out, bool *drawn, eex_page *page, const char *title)
{
    eex_buffer *pictures = NULL;
    int code = draw_all(&pictures, page);
    *drawn = pictures && !page->missing; /* what needs no picture is whole */
    if (code == EEX_OK)
        code = put_page(out, page, title, pictures);
    free_pictures(pictures, page);
    return code;
}
