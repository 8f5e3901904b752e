/* When images leave: thresholds by class, and how far confidence is from accuracy. */
#include "page/chart.h"
#include "page/html.h"
#include "page/sections.h"

#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BINS = 10, NAMED = 24, NAME = 96 };

static const char *const scores[EEX_POLICY_KINDS] = {
    [EEX_POLICY_PER_CLASS] = "confidence that it takes to leave",
    [EEX_POLICY_MARGIN] = "margin that it takes to leave",
    [EEX_POLICY_CONFIDENCE] = "confidence that it takes to leave",
    [EEX_POLICY_ENTROPY] = "minus the entropy that it takes to leave",
};

static const char *class_name(const eex_model *m, int c)
{
    return (size_t)c < m->input.classes.count ? m->input.classes.item[c] : "?";
}

/* ---- thresholds ---- */

static int thresholds(eex_page *page, const eex_page_run *run)
{
    const eex_policy *p = run->model->policy;
    char name[EEX_MAX_EXITS][NAME];
    eex_chart c = {.title = "Thresholds by class",
                   .x = "predicted class",
                   .y = scores[p->kind],
                   .about = "An image leaves at an exit whose score for it is at least this. An "
                            "exit that lets everybody go, or nobody, has no point.",
                   .turned = true};
    for (int i = 0; p->classes <= NAMED && i < p->classes; i++)
        eex_chart_tic(&c, i, class_name(run->model, i));
    for (int k = 0; k + 1 < p->exits; k++) {
        const eex_report_exit *x = &run->report->best.exit[k];
        snprintf(name[k], NAME, "exit %d", k + 1);
        eex_chart_series(&c, name[k], k, EEX_MARK_POINTS);
        for (int i = 0; i < p->classes; i++) {
            const double high = p->high[(size_t)k * (size_t)p->classes + (size_t)i];
            eex_chart_point(&c, i, high, "exit %d, %s; %s; %.4f; from %lld images", k + 1,
                            k < run->report->best.exits ? x->node : "", class_name(run->model, i),
                            high, (long long)p->count[(size_t)k * (size_t)p->classes + (size_t)i]);
        }
    }
    return eex_chart_put(page, &c);
}

/* ---- calibration ---- */

static void put_errors(eex_chart *c, const eex_report *r, bool after, size_t runs, const char *name,
                       int colour)
{
    eex_chart_series(c, name, colour, EEX_MARK_POINTS);
    for (int k = 0; k < r->best.exits; k++) {
        const eex_report_exit *x = &r->best.exit[k];
        const double error = after ? x->ece_after : x->ece_before;
        eex_chart_point(c, runs > 1 ? x->macs : k + 1, error, "%s; %s; %.4f", x->node,
                        after ? "calibrated" : "before", error);
    }
}

int eex_page_put_errors(eex_page *page, const eex_page_run *runs, size_t count)
{
    char name[NAME];
    eex_chart c = {.title = "Calibration error by exit",
                   .x = count > 1 ? "MACs of an image that leaves there" : "exit",
                   .y = "expected calibration error",
                   .about = count > 1 ? "How far confidence is from accuracy on the validation "
                                        "split, as calibrated."
                                      : "How far confidence is from accuracy on the validation "
                                        "split, at temperature 1 and as calibrated.",
                   .from_zero = true};
    const eex_report *r = runs[0].report;
    for (int k = 0; count == 1 && k < r->best.exits; k++) {
        snprintf(name, sizeof name, r->best.exit[k].blocks < 0 ? "end" : "%d", k + 1);
        eex_chart_tic(&c, k + 1, name);
    }
    if (count == 1)
        put_errors(&c, r, false, count, "before", 1);
    for (size_t i = 0; i < count; i++)
        put_errors(&c, runs[i].report, true, count, count > 1 ? runs[i].label : "calibrated",
                   (int)i);
    return eex_chart_put(page, &c);
}

typedef struct bin {
    double confidence, right;
    int count;
} bin;

static void count_in(bin *bins, double confidence, bool right)
{
    const int at = confidence >= 1 ? BINS - 1 : confidence > 0 ? (int)(confidence * BINS) : 0;
    bins[at].confidence += confidence;
    bins[at].right += right;
    bins[at].count++;
}

/* Confidence at temperature 1 from the logits; calibrated, the trace has it. */
static double plain_confidence(const eex_trace *t, size_t at)
{
    const float *logits = t->logits + at * (size_t)t->classes;
    double top = logits[0], sum = 0;
    for (int c = 1; c < t->classes; c++)
        top = fmax(top, (double)logits[c]);
    for (int c = 0; c < t->classes; c++)
        sum += exp((double)logits[c] - top);
    return 1 / sum;
}

static int reliability(eex_page *page, const eex_trace *t)
{
    bin bins[2][BINS] = {{{0}}};
    eex_chart c = {.title = "Reliability",
                   .x = "confidence, %",
                   .y = "right, %",
                   .about = "All exits together on the validation split; on the diagonal, "
                            "confidence is what it says.",
                   .diagonal = true};
    for (int k = 0; k < t->exits; k++)
        for (int i = 0; i < t->samples; i++) {
            const size_t at = (size_t)k * (size_t)t->samples + (size_t)i;
            const bool right = t->top[at] == t->labels[i];
            count_in(bins[0], plain_confidence(t, at), right);
            count_in(bins[1], (double)t->confidence[at], right);
        }
    for (int after = 0; after < 2; after++) {
        eex_chart_series(&c, after ? "calibrated" : "before", after ? 0 : 1, EEX_MARK_LINE);
        for (int b = 0; b < BINS; b++) {
            const bin *x = &bins[after][b];
            if (x->count)
                eex_chart_point(&c, 100 * x->confidence / x->count, 100 * x->right / x->count,
                                "confidence %.1f %%; %.1f %% right; %d scores",
                                100 * x->confidence / x->count, 100 * x->right / x->count,
                                x->count);
        }
    }
    return eex_chart_put(page, &c);
}

int eex_page_put_policy(eex_page *page, const eex_page_run *run)
{
    if (!run->model || !run->model->policy)
        return EEX_OK;
    eex_html_element(&page->html, "h2", "When images leave");
    eex_buffer_puts(&page->html, "<div class=\"charts\">\n");
    EEX_TRY(thresholds(page, run));
    if (run->validation)
        EEX_TRY(reliability(page, run->validation));
    eex_buffer_puts(&page->html, "</div>\n");
    return eex_buffer_status(&page->html);
}
