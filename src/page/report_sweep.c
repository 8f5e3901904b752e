/* The page of a sweep: means, runs on the same axes, and each run folded away, as its own page
 * shows it, as far as the page does not grow too large. */
#include "page/html.h"
#include "page/report.h"
#include "page/report_impl.h"

#include "base/fs.h"
#include "base/status.h"

#include <stdlib.h>

/* Bytes of a page without its head and its notes, so that all of it stays below 5 MB; runs that
 * have a section. */
enum { MOST_BYTES = 4800000, MOST_FOLDED = 40 };

/* Trials that are drawn of a run: a dot and its row take some 400 bytes, and may take a fifth. */
enum { DOT_BYTES = 2000, FEWEST_DOTS = 50 };

typedef struct sweep_page {
    eex_page page;
    const char *folder;
    eex_sweep *sweep;
    eex_collection collection;
    eex_page_run run[EEX_PAGE_RUNS]; /* the first that are done */
    size_t runs, done;
    size_t *task; /* (done) */
} sweep_page;

/* ---- runs on the same axes ---- */

static int find_done(sweep_page *s)
{
    const size_t all = eex_sweep_tasks(s->sweep);
    s->task = malloc((all + 1) * sizeof *s->task);
    if (!s->task)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu tasks", all);
    for (size_t t = 0; t < all; t++)
        if (s->collection.task[t].state == EEX_TASK_DONE)
            s->task[s->done++] = t;
    return EEX_OK;
}

static int open_task(eex_page_run *out, const sweep_page *s, size_t task)
{
    char *path = NULL, *label = NULL;
    int code = eex_sweep_path(&path, s->folder, "runs", task, "");
    if (code == EEX_OK)
        code = eex_sweep_label(&label, s->sweep, task);
    if (code == EEX_OK)
        code = eex_page_run_open(out, path, label);
    free(path);
    free(label);
    return code;
}

/* As many as a page shows beside each other; the table has all. */
static int open_first(sweep_page *s)
{
    for (; s->runs < s->done && s->runs < EEX_PAGE_RUNS; s->runs++)
        EEX_TRY(open_task(&s->run[s->runs], s, s->task[s->runs]));
    return EEX_OK;
}

static int put_front(eex_page *front, const sweep_page *s)
{
    EEX_TRY(eex_page_put_sweep(front, &s->collection));
    if (s->done > s->runs)
        eex_html_element(&front->html, "p class=\"note\"",
                         "Below are the first %zu runs that are done; %zu more are in the means.",
                         s->runs, s->done - s->runs);
    return s->runs > 0 ? eex__sections_put_all(front, s->run, s->runs) : EEX_OK;
}

/* Drawn at once, so that it is known how much room is left. */
static int put_all(sweep_page *s)
{
    eex_page front = {.html = EEX_BUFFER_INIT};
    eex_buffer drawn = EEX_BUFFER_INIT;
    int code = put_front(&front, s);
    if (code == EEX_OK)
        code = eex_page_draw(&drawn, &s->page, &front, &front.html.size, 1);
    if (code == EEX_OK) {
        s->page.symbols = front.charts > 0;
        eex_buffer_append(&s->page.html, drawn.data, drawn.size);
    }
    eex_buffer_free(&drawn);
    eex_page_free(&front);
    return code;
}

/* ---- each by itself ---- */

static int put_left_out(eex_buffer *out, const sweep_page *s, size_t task, eex_buffer *names)
{
    char *path = NULL;
    EEX_TRY(eex_sweep_path(&path, s->folder, "runs", task, ""));
    eex_html_element(out, "p class=\"note\"",
                     "Left out, so that the page stays small: %s. All of it: eex report %s",
                     eex_buffer_text(names), path);
    free(path);
    return eex_buffer_status(out);
}

static int put_sections(sweep_page *s, size_t task, const eex_buffer *section, size_t room)
{
    eex_buffer names = EEX_BUFFER_INIT;
    bool in[EEX__SECTIONS];
    size_t size[EEX__SECTIONS];
    int code = EEX_OK;
    for (int i = 0; i < EEX__SECTIONS; i++)
        size[i] = section[i].size;
    eex__sections_choose(in, size, room);
    for (int i = 0; i < EEX__SECTIONS; i++)
        if (in[i])
            eex_buffer_append(&s->page.html, section[i].data, section[i].size);
        else
            eex_buffer_printf(&names, "%s%s", names.size ? ", " : "",
                              eex__section_name((eex__section)i));
    if (names.size)
        code = put_left_out(&s->page.html, s, task, &names);
    eex_buffer_free(&names);
    return code;
}

static void put_label(eex_buffer *out, const eex_page_run *run)
{
    const eex_report *r = run->report;
    eex_buffer_puts(out, "<details class=\"run\"><summary>");
    eex_html_element(out, "b", "%s", run->label);
    eex_buffer_printf(out, " %.2f %% of the test split</summary>\n", 100 * r->best.accuracy);
}

static int put_folded(sweep_page *s, size_t task, const eex_page_run *run, size_t room)
{
    const size_t dots = room / DOT_BYTES;
    eex_page part = {.html = EEX_BUFFER_INIT, .dots = dots > FEWEST_DOTS ? dots : FEWEST_DOTS};
    eex_buffer section[EEX__SECTIONS] = {{0}};
    size_t end[EEX__SECTIONS];
    int code = EEX_OK;
    for (int i = 0; i < EEX__SECTIONS && code == EEX_OK; i++) {
        code = eex__section_put(&part, (eex__section)i, run);
        end[i] = part.html.size;
    }
    if (code == EEX_OK)
        code = eex_page_draw(section, &s->page, &part, end, EEX__SECTIONS);
    if (code == EEX_OK) {
        put_label(&s->page.html, run);
        code = put_sections(s, task, section, room);
        eex_buffer_puts(&s->page.html, "</details>\n");
    }
    for (int i = 0; i < EEX__SECTIONS; i++)
        eex_buffer_free(&section[i]);
    eex_page_free(&part);
    return code;
}

/* An even share of what is left, so that what one does not need is the others'. */
static int put_task(sweep_page *s, size_t i, size_t shown)
{
    const size_t used = s->page.html.size < MOST_BYTES ? s->page.html.size : MOST_BYTES;
    const size_t room = (MOST_BYTES - used) / (shown - i);
    eex_page_run run = {0};
    if (i < s->runs)
        return put_folded(s, s->task[i], &s->run[i], room);
    int code = open_task(&run, s, s->task[i]);
    if (code == EEX_OK)
        code = put_folded(s, s->task[i], &run, room);
    eex_page_run_close(&run);
    return code;
}

static int put_each(sweep_page *s)
{
    const size_t shown = s->done < MOST_FOLDED ? s->done : MOST_FOLDED;
    if (shown > 0)
        eex_html_element(&s->page.html, "h2", "Each run");
    for (size_t i = 0; i < shown; i++)
        EEX_TRY(put_task(s, i, shown));
    if (s->done > shown)
        eex_html_element(&s->page.html, "p class=\"note\"",
                         "%zu more are done: eex report %s/runs/NNNN shows each, with its number.",
                         s->done - shown, s->folder);
    return eex_buffer_status(&s->page.html);
}

/* ---- all of it ---- */

static int make(eex_buffer *out, bool *drawn, sweep_page *s)
{
    EEX_TRY(eex_sweep_read(&s->sweep, s->folder));
    EEX_TRY(eex_collect(&s->collection, s->sweep, s->folder));
    EEX_TRY(find_done(s));
    EEX_TRY(open_first(s));
    EEX_TRY(put_all(s));
    EEX_TRY(put_each(s));
    return eex_page_finish(out, drawn, &s->page, s->sweep->name);
}

int eex__page_sweep(eex_buffer *out, bool *drawn, const char *folder)
{
    sweep_page *s = calloc(1, sizeof *s);
    if (!s)
        return eex_fail(EEX_ENOMEM, "out of memory for a sweep");
    s->folder = folder;
    int code = make(out, drawn, s);
    while (s->runs > 0)
        eex_page_run_close(&s->run[--s->runs]);
    eex_page_free(&s->page);
    eex_collection_free(&s->collection);
    eex_sweep_free(s->sweep);
    free(s->task);
    free(s);
    return code;
}

bool eex__page_is_sweep(const char *folder)
{
    char *path = NULL;
    const bool there = eex_path_join(&path, folder, "sweep.h5") == EEX_OK && eex_fs_exists(path);
    free(path);
    return there;
}
