#include "page/report.h"

#include "page/html.h"
#include "page/sections.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what every page of runs has ---- */

static int put_all(eex_page *page, const eex_page_run *runs, size_t count)
{
    EEX_TRY(eex_page_put_summary(page, runs, count));
    EEX_TRY(eex_page_put_search(page, runs, count));
    EEX_TRY(eex_page_put_exits(page, runs, count));
    if (count == 1)
        EEX_TRY(eex_page_put_exit_table(page, &runs[0]));
    return eex_page_put_training(page, runs, count);
}

static int put_each(eex_page *page, const eex_page_run *run, bool named)
{
    static eex_page_of_run *const sections[] = {eex_page_put_front, eex_page_put_policy,
                                                eex_page_put_predictor, eex_page_put_images,
                                                eex_page_put_source};
    if (named) {
        eex_html_element(&page->html, "h1 class=\"run\"", "%s", run->label);
        EEX_TRY(eex_page_put_exit_table(page, run));
    }
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        if (eex_interrupted())
            return eex_fail(EEX_EINTERRUPTED, "interrupted: no page is written");
        EEX_TRY(sections[i](page, run));
    }
    return EEX_OK;
}

/* Each in full, where they are few. */
static int put_runs(eex_page *page, const eex_page_run *runs, size_t count)
{
    EEX_TRY(put_all(page, runs, count));
    for (size_t i = 0; i < count && count <= EEX_PAGE_WHOLE; i++)
        EEX_TRY(put_each(page, &runs[i], count > 1));
    if (count > EEX_PAGE_WHOLE)
        eex_html_element(
            &page->html, "p class=\"note\"",
            "Thresholds, images and sources are shown of up to %d runs: these are %zu.",
            EEX_PAGE_WHOLE, count);
    return eex_buffer_status(&page->html);
}

/* ---- runs ---- */

static int finish_runs(eex_buffer *out, bool *drawn, const eex_page_run *runs, size_t count)
{
    eex_page page = {.html = EEX_BUFFER_INIT};
    int code = EEX_OK;
    if (count > 1)
        eex_html_element(&page.html, "h1", "%zu runs", count);
    code = put_runs(&page, runs, count);
    if (code == EEX_OK)
        code = eex_page_finish(out, drawn, &page, count == 1 ? runs[0].report->name : "runs");
    eex_page_free(&page);
    return code;
}

/* The folder's own name where no other has it. */
static const char *label_of(const char *const *folders, size_t count, size_t i)
{
    const char *base = eex_path_base(folders[i]);
    for (size_t k = 0; k < count; k++)
        if (k != i && strcmp(eex_path_base(folders[k]), base) == 0)
            return folders[i];
    return *base ? base : folders[i];
}

static int report_runs(eex_buffer *out, bool *drawn, const char *const *folders, size_t count)
{
    size_t opened = 0;
    int code = EEX_OK;
    eex_page_run *runs = calloc(count, sizeof *runs);
    if (!runs)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu runs", count);
    while (code == EEX_OK && opened < count) {
        code = eex_page_run_open(&runs[opened], folders[opened], label_of(folders, count, opened));
        opened += code == EEX_OK;
    }
    if (code == EEX_OK)
        code = finish_runs(out, drawn, runs, count);
    while (opened > 0)
        eex_page_run_close(&runs[--opened]);
    free(runs);
    return code;
}

/* ---- a sweep ---- */

typedef struct sweep_page {
    eex_sweep *sweep;
    eex_collection collection;
    eex_page_run run[EEX_PAGE_RUNS];
    size_t runs, left_out;
} sweep_page;

/* Those that are done, as many as a page shows; the table has all. */
static int open_tasks(sweep_page *s, const char *folder)
{
    for (size_t t = 0; t < eex_sweep_tasks(s->sweep); t++) {
        char *path = NULL, *label = NULL;
        if (s->collection.task[t].state != EEX_TASK_DONE)
            continue;
        if (s->runs == EEX_PAGE_RUNS) {
            s->left_out++;
            continue;
        }
        int code = eex_sweep_path(&path, folder, "runs", t, "");
        if (code == EEX_OK)
            code = eex_sweep_label(&label, s->sweep, t);
        if (code == EEX_OK)
            code = eex_page_run_open(&s->run[s->runs], path, label);
        s->runs += code == EEX_OK;
        free(path);
        free(label);
        EEX_TRY(code);
    }
    return EEX_OK;
}

static int finish_sweep(eex_buffer *out, bool *drawn, sweep_page *s)
{
    eex_page page = {.html = EEX_BUFFER_INIT};
    int code = eex_page_put_sweep(&page, &s->collection);
    if (code == EEX_OK && s->left_out)
        eex_html_element(&page.html, "p class=\"note\"",
                         "Below are the first %d runs that are done; %zu more are in the means.",
                         EEX_PAGE_RUNS, s->left_out);
    if (code == EEX_OK && s->runs > 0)
        code = put_all(&page, s->run, s->runs);
    if (code == EEX_OK)
        code = eex_page_finish(out, drawn, &page, s->sweep->name);
    eex_page_free(&page);
    return code;
}

static int report_sweep(eex_buffer *out, bool *drawn, const char *folder)
{
    sweep_page *s = calloc(1, sizeof *s);
    if (!s)
        return eex_fail(EEX_ENOMEM, "out of memory for a sweep");
    int code = eex_sweep_read(&s->sweep, folder);
    if (code == EEX_OK)
        code = eex_collect(&s->collection, s->sweep, folder);
    if (code == EEX_OK)
        code = open_tasks(s, folder);
    if (code == EEX_OK)
        code = finish_sweep(out, drawn, s);
    while (s->runs > 0)
        eex_page_run_close(&s->run[--s->runs]);
    eex_collection_free(&s->collection);
    eex_sweep_free(s->sweep);
    free(s);
    return code;
}

static bool holds_sweep(const char *folder)
{
    char *path = NULL;
    const bool there = eex_path_join(&path, folder, "sweep.h5") == EEX_OK && eex_fs_exists(path);
    free(path);
    return there;
}

int eex_page_find(const char *const *folders, size_t count)
{
    if (count == 1 && holds_sweep(folders[0]))
        return EEX_OK;
    if (count > EEX_PAGE_RUNS)
        return eex_fail(EEX_EINVAL, "a page shows up to %d runs, got %zu", EEX_PAGE_RUNS, count);
    for (size_t i = 0; i < count; i++)
        if (holds_sweep(folders[i]))
            return eex_fail(EEX_EINVAL,
                            "%s is a sweep, which has a page of its own: give it alone, or name "
                            "runs in %s/runs",
                            folders[i], folders[i]);
    return eex_report_find_all(folders, count);
}

int eex_page_report(eex_buffer *out, bool *drawn, const char *const *folders, size_t count)
{
    *drawn = false;
    EEX_TRY(eex_page_find(folders, count));
    return holds_sweep(folders[0]) ? report_sweep(out, drawn, folders[0])
                                   : report_runs(out, drawn, folders, count);
}
