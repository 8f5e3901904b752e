/* Accuracy against cost, as thresholds are moved: fitted on the calibration split, judged on the
 * validation split. */
#include "core/policy/binomial.h"
#include "core/policy/replay.h"
#include "core/policy/tune.h"
#include "core/use/model_costs.h"
#include "page/chart.h"
#include "page/sections.h"

#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>

enum { STEPS = 20 };

/* 95 %, exact (Clopper and Pearson), of a fraction of n. */
static void interval(double *low, double *high, double fraction, int n)
{
    const int right = (int)lround(fraction * n);
    *high = eex_binomial_upper(right, n, 0.025);
    *low = 1 - eex_binomial_upper(n - right, n, 0.025);
}

static void put_outcome(eex_chart *c, const eex_outcome *o, int samples, const char *what)
{
    double low = 0, high = 0;
    char macs[EEX_TEXT_SIZE];
    interval(&low, &high, o->accuracy, samples);
    eex_chart_interval(c, o->cost, 100 * o->accuracy, 100 * low, 100 * high,
                       "%s%s%.2f %%, 95 %% interval %.2f to %.2f; %s MACs; %.1f %% as the end",
                       what, *what ? "; " : "", 100 * o->accuracy, 100 * low, 100 * high,
                       eex_text_number(macs, o->cost, NULL), 100 * o->agreement);
}

/* A policy like the model's with the thresholds of each point of the front. */
static int put_front(eex_chart *c, const eex_page_run *run, const eex_exit_costs *costs,
                     eex_policy *policy)
{
    eex_operating_point *front = NULL;
    int count = 0;
    EEX_TRY(eex_policy_sweep(&front, &count, run->calibration, policy, costs, STEPS));
    int code = EEX_OK;
    for (int i = 0; i < count && code == EEX_OK; i++) {
        eex_outcome o;
        for (int k = 0; k + 1 < policy->exits; k++)
            policy->a[k] = front[i].a[k];
        eex_policy_apply(policy);
        code = eex_replay(&o, run->validation, policy, costs, NULL, NULL);
        if (code == EEX_OK)
            put_outcome(c, &o, run->validation->samples, "");
    }
    free(front);
    return code;
}

static int copy_policy(eex_policy **out, const eex_policy *policy)
{
    int exits[EEX_MAX_EXITS];
    for (int k = 0; k < policy->exits; k++)
        exits[k] = k;
    return eex_policy_select(out, policy, exits, policy->exits);
}

static int put_run(eex_chart *c, const eex_page_run *run, size_t i, size_t runs)
{
    eex_model_costs known;
    eex_policy *policy = NULL;
    eex_outcome o;
    EEX_TRY(eex_model_costs_of(&known, run->model));
    const eex_exit_costs costs = {known.exits, known.macs, known.base_macs};
    eex_chart_series(c, runs > 1 ? run->label : "thresholds moved", (int)i, EEX_MARK_LINE);
    EEX_TRY(copy_policy(&policy, run->model->policy));
    int code = put_front(c, run, &costs, policy);
    eex_policy_free(policy);
    EEX_TRY(code);
    eex_chart_series(c, runs > 1 ? NULL : "as the run keeps it", runs > 1 ? (int)i : 1,
                     EEX_MARK_POINTS);
    EEX_TRY(eex_replay(&o, run->validation, run->model->policy, &costs, NULL, NULL));
    put_outcome(c, &o, run->validation->samples, "kept");
    return EEX_OK;
}

static bool tunable(const eex_page_run *run)
{
    return run->model && run->model->policy && run->model->policy->exits > 1 && run->calibration &&
           run->validation;
}

/* Other policies that the run has tuned alike. */
static void put_others(eex_chart *c, const eex_report *r)
{
    char macs[EEX_TEXT_SIZE];
    eex_chart_series(c, "other policies, tuned alike", 3, EEX_MARK_POINTS);
    for (size_t i = 0; i < r->policies; i++)
        eex_chart_point(c, r->policy_macs[i], 100 * r->policy_accuracy[i], "%s; %.2f %%; %s MACs",
                        r->policy_names.item[i], 100 * r->policy_accuracy[i],
                        eex_text_number(macs, r->policy_macs[i], NULL));
}

/* Static networks that were trained by themselves. */
static void put_rivals(eex_chart *c, const eex_report *r)
{
    char macs[EEX_TEXT_SIZE];
    eex_chart_series(c, "static rivals, trained by themselves", 2, EEX_MARK_POINTS);
    for (size_t i = 0; i < r->rivals.count; i++) {
        const eex_rival *x = &r->rivals.at[i];
        if (*x->failure)
            continue;
        eex_chart_point(c, x->macs, 100 * x->validation_accuracy, "%s; %.2f %%; %s MACs", x->name,
                        100 * x->validation_accuracy, eex_text_number(macs, x->macs, NULL));
    }
}

int eex_page_put_budget(eex_page *page, const eex_page_run *runs, size_t count)
{
    eex_chart c = {.title = "Accuracy against budget",
                   .x = "expected MACs of an input",
                   .y = "validation accuracy, %",
                   .about = "The chosen network as its thresholds move: fitted on the calibration "
                            "split, judged on the validation split, with 95 % intervals."};
    int code = EEX_OK;
    if (count > 1)
        c.about = "Chosen networks as their thresholds move, and as they are kept: fitted on the "
                  "calibration split, judged on the validation split, with 95 % intervals.";
    for (size_t i = 0; i < count && code == EEX_OK; i++)
        if (tunable(&runs[i]))
            code = put_run(&c, &runs[i], i, count);
    if (code != EEX_OK) {
        eex_chart_free(&c);
        return code;
    }
    if (count == 1 && eex_chart_has_points(&c)) {
        put_others(&c, runs[0].report);
        if (runs[0].report->rivals.count > 0)
            put_rivals(&c, runs[0].report);
    }
    return eex_chart_put(page, &c);
}
