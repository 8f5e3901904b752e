/* Where images leave, and what that takes. */
#include "page/chart.h"
#include "page/html.h"
#include "page/sections.h"

#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAME = 96 };

static const char *exit_name(char out[NAME], const eex_report *r, int k)
{
    if (r->best.exit[k].blocks < 0)
        snprintf(out, NAME, "end");
    else
        snprintf(out, NAME, "%d", k + 1);
    return out;
}

/* Exits are where they cost what they cost where several networks are compared. */
static double place(const eex_report *r, int k, size_t runs)
{
    return runs > 1 ? r->best.exit[k].macs : k + 1;
}

static void name_axis(eex_chart *c, const eex_page_run *runs, size_t count)
{
    char name[NAME];
    c->x = count > 1 ? "MACs of an image that leaves there" : "exit";
    for (int k = 0; count == 1 && k < runs[0].report->best.exits; k++)
        eex_chart_tic(c, k + 1, exit_name(name, runs[0].report, k));
}

/* ---- shares ---- */

static int shares(eex_page *page, const eex_page_run *runs, size_t count)
{
    eex_chart c = {.title = "Where images leave",
                   .y = "% of the test split",
                   .about = "How many leave at each exit, and how many of those are told right.",
                   .from_zero = true};
    name_axis(&c, runs, count);
    for (size_t i = 0; i < count; i++) {
        const eex_report *r = runs[i].report;
        eex_chart_series(&c, count > 1 ? runs[i].label : "leave there", (int)i,
                         count > 1 ? EEX_MARK_LINE : EEX_MARK_BARS);
        for (int k = 0; k < r->best.exits; k++)
            eex_chart_point(&c, place(r, k, count), 100 * r->best.exit[k].utilisation,
                            "%s; %.2f %% leave there; %.2f %% of them right", r->best.exit[k].node,
                            100 * r->best.exit[k].utilisation, 100 * r->best.exit[k].accuracy);
    }
    if (count == 1) {
        const eex_report *r = runs[0].report;
        eex_chart_series(&c, "right of those", 1, EEX_MARK_POINTS);
        for (int k = 0; k < r->best.exits; k++)
            eex_chart_point(&c, k + 1, 100 * r->best.exit[k].accuracy,
                            "%s; %.2f %% of those that leave there are right", r->best.exit[k].node,
                            100 * r->best.exit[k].accuracy);
    }
    return eex_chart_put(page, &c);
}

/* ---- times ---- */

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Mean and middle half of the timed images that left there. */
static void put_times(eex_chart *c, const eex_page_run *run, double *ms, int k, size_t runs)
{
    const eex_report *r = run->report;
    size_t n = 0;
    double sum = 0;
    for (size_t i = 0; i < run->test.timed; i++)
        if (run->test.exit[i] == k && isfinite(run->test.ms[i])) {
            ms[n++] = run->test.ms[i];
            sum += run->test.ms[i];
        }
    if (n == 0)
        return;
    qsort(ms, n, sizeof *ms, compare);
    const double mean = sum / (double)n;
    eex_chart_interval(c, place(r, k, runs), mean, fmin(ms[n / 4], mean),
                       fmax(ms[(3 * n) / 4 < n ? (3 * n) / 4 : n - 1], mean),
                       "%s; %.3f ms; middle half %.3f to %.3f ms; %zu images", r->best.exit[k].node,
                       mean, ms[n / 4], ms[(3 * n) / 4 < n ? (3 * n) / 4 : n - 1], n);
}

static int times(eex_page *page, const eex_page_run *runs, size_t count)
{
    eex_chart c = {.title = "Latency by exit",
                   .y = "ms of one input",
                   .about = "Mean of the timed images that left there, with their middle half.",
                   .from_zero = true};
    name_axis(&c, runs, count);
    for (size_t i = 0; i < count; i++) {
        double *ms = malloc((runs[i].test.timed + 1) * sizeof *ms);
        if (!ms)
            return eex_fail(EEX_ENOMEM, "out of memory for %zu times", runs[i].test.timed);
        eex_chart_series(&c, count > 1 ? runs[i].label : "early exit", (int)i,
                         count > 1 ? EEX_MARK_LINE : EEX_MARK_POINTS);
        for (int k = 0; k < runs[i].report->best.exits; k++)
            put_times(&c, &runs[i], ms, k, count);
        free(ms);
    }
    if (count == 1) {
        const eex_report *r = runs[0].report;
        eex_chart_series(&c, "base", 7, EEX_MARK_DASHED);
        for (int k = 0; k < r->best.exits; k++)
            eex_chart_point(&c, k + 1, r->base.latency.mean, "base; %.3f ms whatever the image",
                            r->base.latency.mean);
    }
    return eex_chart_put(page, &c);
}

int eex_page_put_exits(eex_page *page, const eex_page_run *runs, size_t count)
{
    bool known = false;
    for (size_t i = 0; i < count; i++)
        known |= runs[i].report->best.exits > 0;
    if (!known)
        return EEX_OK;
    eex_html_element(&page->html, "h2", "Exits");
    eex_buffer_puts(&page->html, "<div class=\"charts\">\n");
    EEX_TRY(shares(page, runs, count));
    EEX_TRY(times(page, runs, count));
    EEX_TRY(eex_page_put_budget(page, runs, count));
    EEX_TRY(eex_page_put_errors(page, runs, count));
    eex_buffer_puts(&page->html, "</div>\n");
    return eex_buffer_status(&page->html);
}

int eex_page_put_exit_table(eex_page *page, const eex_page_run *run)
{
    static const char *const titles[] = {"exit",       "#blocks", "#leave", "#right",
                                         "#by itself", "#MACs",   "#ECE",   "#calibrated",
                                         "#AUROC",     "#AURC",   NULL};
    const eex_report *r = run->report;
    eex_buffer *out = &page->html;
    if (r->best.exits == 0)
        return EEX_OK;
    eex_buffer_puts(out, "<div class=\"card\">");
    eex_html_table_begin(out, titles);
    for (int k = 0; k < r->best.exits; k++) {
        const eex_report_exit *x = &r->best.exit[k];
        eex_buffer_puts(out, "<tr>");
        if (x->blocks < 0)
            eex_html_cell(out, "%d  end of the backbone", k + 1);
        else
            eex_html_cell(out, "%d  %s", k + 1, x->node);
        eex_html_fixed(out, 0, x->blocks < 0 ? NAN : x->blocks);
        eex_html_percent(out, 2, x->utilisation);
        eex_html_percent(out, 2, x->accuracy);
        eex_html_percent(out, 2, x->validation_accuracy);
        eex_html_amount(out, x->macs);
        eex_html_fixed(out, 3, x->ece_before);
        eex_html_fixed(out, 3, x->ece_after);
        eex_html_fixed(out, 3, x->auroc);
        eex_html_fixed(out, 4, x->aurc);
        eex_buffer_puts(out, "</tr>\n");
    }
    eex_html_table_end(out);
    eex_buffer_puts(out, "</div>\n");
    eex_html_element(
        out, "p class=\"note\"",
        "leave, right: of the test split, and of those that leave there. By itself: of "
        "the validation split, if all images left there. MACs: everything executed. "
        "ECE: how far confidence is from accuracy, before calibration and after it. "
        "AUROC: how often a right answer has a higher score than a wrong one; AURC: the error "
        "among "
        "the surest, averaged over how many are answered.");
    return eex_buffer_status(out);
}
