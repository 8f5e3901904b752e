#include "page/report.h"

#include "page/html.h"
#include "page/report_impl.h"

#include "base/fs.h"
#include "base/signals.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* ---- sections, in the order of a page ---- */

static const struct {
    const char *name;
    eex_page_of_runs *all; /* of several on the same axes, or of one */
    eex_page_of_run *one;  /* of one alone */
} sections[EEX__SECTIONS] = {
    [EEX__SECTION_SUMMARY] = {"figures", eex_page_put_summary, NULL},
    [EEX__SECTION_SEARCH] = {"search", eex_page_put_search, NULL},
    [EEX__SECTION_EXITS] = {"exits", eex_page_put_exits, NULL},
    [EEX__SECTION_EXIT_TABLE] = {"exit by exit", NULL, eex_page_put_exit_table},
    [EEX__SECTION_TRAINING] = {"training", eex_page_put_training, NULL},
    [EEX__SECTION_FRONT] = {"the front, tested", NULL, eex_page_put_front},
    [EEX__SECTION_POLICY] = {"when images leave", NULL, eex_page_put_policy},
    [EEX__SECTION_PREDICTOR] = {"exit predictor", NULL, eex_page_put_predictor},
    [EEX__SECTION_IMAGES] = {"images", NULL, eex_page_put_images},
    [EEX__SECTION_SOURCE] = {"where it comes from", NULL, eex_page_put_source}};

const char *eex__section_name(eex__section section)
{
    return sections[section].name;
}

int eex__section_put(eex_page *page, eex__section section, const eex_page_run *run)
{
    if (eex_interrupted())
        return eex_fail(EEX_EINTERRUPTED, "interrupted: no page is written");
    return sections[section].all ? sections[section].all(page, run, 1)
                                 : sections[section].one(page, run);
}

void eex__sections_choose(bool in[EEX__SECTIONS], const size_t size[EEX__SECTIONS], size_t room)
{
    static const eex__section order[EEX__SECTIONS] = {
        EEX__SECTION_SUMMARY, EEX__SECTION_EXITS,  EEX__SECTION_EXIT_TABLE, EEX__SECTION_TRAINING,
        EEX__SECTION_POLICY,  EEX__SECTION_SEARCH, EEX__SECTION_FRONT,      EEX__SECTION_PREDICTOR,
        EEX__SECTION_SOURCE,  EEX__SECTION_IMAGES};
    for (int i = 0; i < EEX__SECTIONS; i++) {
        in[order[i]] = size[order[i]] <= room;
        room -= in[order[i]] ? size[order[i]] : 0;
    }
}

int eex__sections_put_all(eex_page *page, const eex_page_run *runs, size_t count)
{
    for (int i = 0; i < EEX__SECTIONS; i++)
        if (sections[i].all)
            EEX_TRY(sections[i].all(page, runs, count));
    return EEX_OK;
}

static int put_one(eex_page *page, const eex_page_run *run)
{
    for (int i = 0; i < EEX__SECTIONS; i++)
        EEX_TRY(eex__section_put(page, (eex__section)i, run));
    return EEX_OK;
}

/* What several do not have in common. */
static int put_own(eex_page *page, const eex_page_run *run)
{
    eex_html_element(&page->html, "h1 class=\"run\"", "%s", run->label);
    for (int i = 0; i < EEX__SECTIONS; i++)
        if (sections[i].one)
            EEX_TRY(eex__section_put(page, (eex__section)i, run));
    return EEX_OK;
}

/* Each in full, where they are few. */
static int put_several(eex_page *page, const eex_page_run *runs, size_t count)
{
    EEX_TRY(eex__sections_put_all(page, runs, count));
    for (size_t i = 0; i < count && count <= EEX_PAGE_WHOLE; i++)
        EEX_TRY(put_own(page, &runs[i]));
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
    code = count == 1 ? put_one(&page, runs) : put_several(&page, runs, count);
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

/* ---- all of them ---- */

int eex_page_find(const char *const *folders, size_t count)
{
    if (count == 1 && eex__page_is_sweep(folders[0]))
        return EEX_OK;
    if (count > EEX_PAGE_RUNS)
        return eex_fail(EEX_EINVAL, "a page shows up to %d runs, got %zu", EEX_PAGE_RUNS, count);
    for (size_t i = 0; i < count; i++)
        if (eex__page_is_sweep(folders[i]))
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
    return eex__page_is_sweep(folders[0]) ? eex__page_sweep(out, drawn, folders[0])
                                          : report_runs(out, drawn, folders, count);
}
