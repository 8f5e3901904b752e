/* Images of the test split: those that left at each exit, right and wrong, and those that were
 * rejected. */
#include "core/data/dataset.h"
#include "core/data/image.h"
#include "core/data/split.h"
#include "core/model/model_data.h"
#include "page/html.h"
#include "page/sections.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/status.h"

#include <stdlib.h>

enum { VERSION = 1, RIGHT = 8, WRONG = 4, REJECTED = 8, SIDE = 64 };

typedef struct gallery {
    const eex_page_run *run;
    eex_dataset *data;
    const eex_dataset_info *facts;
    const int32_t *labels;
    eex_split split;
    uint8_t *pixels; /* of one image */
} gallery;

/* What an image is shown for. */
typedef enum why { IS_RIGHT, IS_WRONG, IS_REJECTED } why;

static why why_of(const gallery *g, size_t i)
{
    if (g->run->test.rejected[i])
        return IS_REJECTED;
    return g->run->test.top[i] == g->labels[g->split.test.at[i]] ? IS_RIGHT : IS_WRONG;
}

static const char *class_name(const gallery *g, int c)
{
    return c >= 0 && c < g->facts->classes ? g->facts->class_names[c] : "?";
}

/* ---- one image ---- */

static int put_picture(eex_buffer *out, gallery *g, size_t i)
{
    uint8_t small[SIDE * SIDE * 3];
    const eex_image whole = {g->facts->width, g->facts->height, g->facts->channels, g->pixels};
    eex_image shown = whole;
    void *png = NULL;
    size_t bytes = 0;
    EEX_TRY(eex_dataset_gather(g->pixels, g->data, &g->split.test.at[i], 1));
    if (whole.width > SIDE || whole.height > SIDE) {
        shown = (eex_image){SIDE, SIDE, whole.channels, small};
        EEX_TRY(eex_image_resize(small, SIDE, SIDE, whole.channels, &whole, EEX_FIT_CROP));
    }
    EEX_TRY(eex_image_encode_png(&png, &bytes, &shown, "a picture of the page"));
    eex_buffer_printf(out, "<img width=\"%d\" height=\"%d\" src=\"data:image/png;base64,",
                      shown.width, shown.height);
    eex_html_base64(out, png, bytes);
    free(png);
    return eex_buffer_status(out);
}

static int put_image(eex_buffer *out, gallery *g, size_t i, why shown_for)
{
    const int top = g->run->test.top[i], label = g->labels[g->split.test.at[i]];
    eex_buffer_puts(out, "<figure>");
    EEX_TRY(put_picture(out, g, i));
    eex_buffer_puts(out, "\" alt=\"");
    eex_html_text(out, class_name(g, label));
    eex_buffer_puts(out, "\"/>");
    if (shown_for == IS_WRONG)
        eex_html_element(out, "figcaption class=\"wrong\"", "%s, is %s", class_name(g, top),
                         class_name(g, label));
    else
        eex_html_element(out, "figcaption", "%s", class_name(g, label));
    eex_buffer_puts(out, "</figure>\n");
    return EEX_OK;
}

/* ---- strips of them ---- */

static bool belongs(const gallery *g, size_t i, why shown_for, int exit)
{
    return why_of(g, i) == shown_for && (exit < 0 || g->run->test.exit[i] == exit);
}

/* At most so many of those that belong, spread evenly over the split. exit -1: any. */
static int put_some(eex_buffer *out, gallery *g, why shown_for, int exit, size_t most)
{
    size_t all = 0, seen = 0, next = 0, put = 0;
    for (size_t i = 0; i < g->run->test.count; i++)
        all += belongs(g, i, shown_for, exit);
    for (size_t i = 0; i < g->run->test.count && put < most; i++) {
        if (!belongs(g, i, shown_for, exit) || seen++ < next)
            continue;
        if (eex_interrupted())
            return eex_fail(EEX_EINTERRUPTED, "interrupted");
        EEX_TRY(put_image(out, g, i, shown_for));
        put++;
        next = put * all / most;
    }
    return EEX_OK;
}

static size_t count(const gallery *g, why shown_for, int exit)
{
    size_t n = 0;
    for (size_t i = 0; i < g->run->test.count; i++)
        n += belongs(g, i, shown_for, exit);
    return n;
}

static int put_exit(eex_buffer *out, gallery *g, int k)
{
    const eex_report *r = g->run->report;
    const size_t right = count(g, IS_RIGHT, k), wrong = count(g, IS_WRONG, k);
    if (right + wrong == 0)
        return EEX_OK;
    if (r->best.exit[k].blocks < 0)
        eex_html_element(out, "h3", "Went to the end: %zu right, %zu wrong", right, wrong);
    else
        eex_html_element(out, "h3", "Left at exit %d: %zu right, %zu wrong", k + 1, right, wrong);
    eex_buffer_puts(out, "<div class=\"strip\">\n");
    EEX_TRY(put_some(out, g, IS_RIGHT, k, RIGHT));
    EEX_TRY(put_some(out, g, IS_WRONG, k, WRONG));
    eex_buffer_puts(out, "</div>\n");
    return EEX_OK;
}

static int put_gallery(eex_buffer *out, gallery *g)
{
    const size_t rejected = count(g, IS_REJECTED, -1);
    for (int k = 0; k < g->run->report->best.exits; k++)
        EEX_TRY(put_exit(out, g, k));
    if (rejected == 0)
        return EEX_OK;
    eex_html_element(out, "h3", "Rejected as out of distribution: %zu", rejected);
    eex_buffer_puts(out, "<div class=\"strip\">\n");
    EEX_TRY(put_some(out, g, IS_REJECTED, -1, REJECTED));
    eex_buffer_puts(out, "</div>\n");
    return EEX_OK;
}

/* ---- the images ---- */

static int use_split(eex_store_file *file, void *context)
{
    gallery *g = context;
    return eex_split_read(&g->split, file, "split", g->facts->samples);
}

static int read_split(gallery *g)
{
    char *path = NULL;
    EEX_TRY(eex_path_join(&path, g->run->report->folder, "split.h5"));
    const int code = eex_store_read_file(path, "split", VERSION, use_split, g);
    free(path);
    EEX_TRY(code);
    return g->split.test.count == g->run->test.count
               ? EEX_OK
               : eex_fail(EEX_EFORMAT, "%s: %zu test images in split.h5, %zu in result.h5",
                          g->run->report->folder, g->split.test.count, g->run->test.count);
}

static int open_gallery(gallery *g)
{
    EEX_TRY(eex_model_data_open(&g->data, g->run->model, NULL));
    eex_dataset_set_resident(g->data, 0); /* a few of them are read */
    g->facts = eex_dataset_facts(g->data);
    g->labels = eex_dataset_labels(g->data);
    g->pixels =
        malloc((size_t)g->facts->height * (size_t)g->facts->width * (size_t)g->facts->channels);
    if (!g->pixels)
        return eex_fail(EEX_ENOMEM, "out of memory for an image");
    return read_split(g);
}

/* A page is worth having where the data set is not. */
static int tell_missing(eex_buffer *out)
{
    eex_log_warn("no images in the page: %s", eex_error());
    eex_html_element(out, "p class=\"note\"", "The images are not shown: %s", eex_error());
    return eex_buffer_status(out);
}

int eex_page_put_images(eex_page *page, const eex_page_run *run)
{
    eex_buffer *out = &page->html;
    gallery g = {.run = run};
    if (!run->model || run->test.count == 0)
        return EEX_OK;
    eex_html_element(out, "h2", "Images");
    eex_html_element(
        out, "p class=\"note\"",
        "Of the test split, spread evenly over those that left at each exit: some that "
        "are right, then some that are wrong, with what they are.");
    int code = open_gallery(&g);
    if (code == EEX_OK)
        code = put_gallery(out, &g);
    else if (code != EEX_ENOMEM && code != EEX_EINTERRUPTED)
        code = tell_missing(out);
    eex_split_free(&g.split);
    eex_dataset_close(g.data);
    free(g.pixels);
    return code == EEX_OK ? eex_buffer_status(out) : code;
}
