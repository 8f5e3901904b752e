/* What a search tried: its trials and front, and how the front grew. */
#include "page/chart.h"
#include "page/html.h"
#include "page/sections.h"
#include "page/svg.h"
#include "search/growth.h"

#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_DOTS = 2000, OBJECTIVES = EEX_GROWTH_OBJECTIVES, GREY = EEX_SVG_COLOURS - 1 };

static bool judged(const eex_trial *t)
{
    return t->status == EEX_OK && isfinite(t->accuracy) && isfinite(t->macs);
}

static void point(eex_chart *c, const eex_report *r, size_t trial, const char *run)
{
    char gates[EEX_REPORT_GATES], macs[EEX_TEXT_SIZE];
    const eex_trial *t = &r->trials.at[trial];
    eex_chart_point(c, t->macs, 100 * t->accuracy, "%s%strial %zu; %.2f %%; %s MACs; gates %s", run,
                    *run ? "; " : "", trial, 100 * t->accuracy,
                    eex_text_number(macs, t->macs, NULL), eex_report_gates(gates, r, trial));
}

/* ---- the front ---- */

/* Of very many trials every so-manieth is drawn; the front is drawn whole. */
static size_t dots(eex_chart *c, const eex_report *r, size_t most)
{
    const size_t each = r->trials.count / most + 1;
    eex_chart_series(c, "trials", GREY, EEX_MARK_DOTS);
    for (size_t i = 0; i < r->trials.count; i += each)
        if (judged(&r->trials.at[i]))
            point(c, r, i, "");
    return each;
}

/* The report of a search that is not done has no front. */
static int front_of(size_t **front, size_t *count, const eex_report *r)
{
    return eex_trials_front(front, count, &r->trials, false);
}

static int put_front(eex_chart *c, const eex_page_run *run, size_t i, size_t runs)
{
    const eex_report *r = run->report;
    const char *name = runs > 1 ? run->label : "";
    size_t *front = NULL, count = 0;
    EEX_TRY(front_of(&front, &count, r));
    eex_chart_series(c, runs > 1 ? name : "Pareto front", (int)i, EEX_MARK_LINE);
    for (size_t k = 0; k < count; k++)
        point(c, r, front[k], name);
    free(front);
    if (runs == 1)
        eex_chart_series(c, "chosen", 1, EEX_MARK_POINTS);
    else
        eex_chart_series(c, NULL, (int)i, EEX_MARK_POINTS);
    if (r->chosen >= 0)
        point(c, r, (size_t)r->chosen, name);
    return EEX_OK;
}

static int fronts(eex_page *page, const eex_page_run *runs, size_t count)
{
    char about[160];
    eex_chart c = {.title = "Pareto front",
                   .x = "expected MACs of an input",
                   .y = "validation accuracy, %",
                   .about =
                       "Every structure that was tried, by what it costs and what it gets right."};
    const size_t most = page->dots && page->dots < MOST_DOTS ? page->dots : MOST_DOTS;
    size_t each = count == 1 ? dots(&c, runs[0].report, most) : 1;
    if (each > 1) {
        snprintf(about, sizeof about,
                 "What was tried, by what it costs and what it gets right: one in %zu of %zu "
                 "trials, and the whole front.",
                 each, runs[0].report->trials.count);
        c.about = about;
    }
    if (count > 1)
        c.about = "The front of each search, with its choice as a point.";
    for (size_t i = 0; i < count; i++)
        EEX_TRY(put_front(&c, &runs[i], i, count));
    return eex_chart_put(page, &c);
}

/* ---- how it grew ---- */

/* One corner for all runs, so that their volumes compare: the worst that any has judged. */
static void find_corner(double corner[OBJECTIVES], const eex_page_run *runs, size_t count)
{
    corner[0] = corner[1] = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < runs[i].report->trials.count; k++) {
            const eex_trial *t = &runs[i].report->trials.at[k];
            if (!judged(t))
                continue;
            corner[0] = fmax(corner[0], 1 - t->accuracy);
            corner[1] = fmax(corner[1], t->macs);
        }
}

/* What can be on the front. */
static bool counts(const eex_trial *t)
{
    return judged(t) && t->violation <= 0;
}

static void put_growth(eex_chart *c, eex_growth *growth, const eex_report *r, double all)
{
    double seconds = 0;
    char time[EEX_TEXT_SIZE];
    for (size_t i = 0; i < r->trials.count; i++) {
        const eex_trial *t = &r->trials.at[i];
        seconds += isfinite(t->seconds) ? t->seconds : 0;
        const bool entered = counts(t) && eex_growth_add(growth, i);
        if (!entered && i + 1 < r->trials.count)
            continue;
        const double share = 100 * eex_growth_area(growth) / all;
        eex_chart_point(c, (double)i + 1, share,
                        "after %zu trial%s, %s of judging; %.3f %%; front of %zu", i + 1,
                        eex_plural((int64_t)i + 1), eex_text_time(time, seconds), share,
                        eex_growth_count(growth));
    }
}

static int grow(eex_chart *c, const eex_report *r, const double corner[OBJECTIVES])
{
    eex_growth *growth = NULL;
    double(*points)[OBJECTIVES] = calloc(r->trials.count + 1, sizeof *points);
    if (!points)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu trials", r->trials.count);
    for (size_t i = 0; i < r->trials.count; i++) {
        const eex_trial *t = &r->trials.at[i];
        points[i][0] = counts(t) ? 1 - t->accuracy : 0;
        points[i][1] = counts(t) ? t->macs : 0;
    }
    const int code =
        eex_growth_new(&growth, (const double(*)[OBJECTIVES])points, r->trials.count, corner);
    if (code == EEX_OK)
        put_growth(c, growth, r, corner[0] * corner[1]);
    eex_growth_free(growth);
    free(points);
    return code;
}

static int history(eex_page *page, const eex_page_run *runs, size_t count)
{
    double corner[OBJECTIVES];
    eex_chart c = {.title = "How the front grew",
                   .x = "trials",
                   .whole = true,
                   .y = "hypervolume, %",
                   .about =
                       "The part of the plane of error and MACs that the front so far beats, up "
                       "to the worst of both that was tried."};
    find_corner(corner, runs, count);
    if (corner[0] <= 0 || corner[1] <= 0)
        return EEX_OK;
    for (size_t i = 0; i < count; i++) {
        eex_chart_series(&c, count > 1 ? runs[i].label : "front so far", (int)i, EEX_MARK_STEPS);
        EEX_TRY(grow(&c, runs[i].report, corner));
    }
    return eex_chart_put(page, &c);
}

int eex_page_put_search(eex_page *page, const eex_page_run *runs, size_t count)
{
    size_t trials = 0;
    for (size_t i = 0; i < count; i++)
        trials += runs[i].report->trials.count;
    if (trials == 0)
        return EEX_OK;
    eex_html_element(&page->html, "h2", "Search");
    eex_buffer_puts(&page->html, "<div class=\"charts\">\n");
    EEX_TRY(fronts(page, runs, count));
    EEX_TRY(history(page, runs, count));
    eex_buffer_puts(&page->html, "</div>\n");
    return eex_buffer_status(&page->html);
}
