/* The table of cuts: judging and choosing. prune_run.c runs networks. */
#include "core/use/prune.h"

#include "base/buffer.h"
#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>

static int judge(eex_prune_row *row, const eex_model *model, const eex_trace *trace, int k,
                 bool alone)
{
    *row = (eex_prune_row){.cut = eex_cut_at(k, alone),
                           .test_accuracy = NAN,
                           .ms = NAN,
                           .most_ms = NAN,
                           .speedup = EEX_SPEEDUP_UNKNOWN};
    return eex_cut_judge(&row->facts, model, trace, &row->cut);
}

int eex_prune_judge(eex_prune_table *out, const eex_model *model)
{
    eex_trace *trace = NULL;
    EEX_TRY(eex_cut_trace(&trace, model, "validation"));
    out->exits = eex_graph_exits(model->graph);
    out->validation = trace->samples;
    out->test = out->timed = 0;
    out->base.there = false;
    out->base.macs = out->base.accuracy = out->base.test_accuracy = out->base.ms = NAN;
    out->full_ms = NAN;
    int code = EEX_OK;
    for (int k = 0; k < out->exits && code == EEX_OK; k++) {
        code = judge(&out->kept[k], model, trace, k, false);
        if (code == EEX_OK)
            code = judge(&out->alone[k], model, trace, k, true);
    }
    eex_trace_free(trace);
    return code;
}

/* ---- choosing ---- */

typedef struct choice {
    const eex_prune_row *rows;
    int exits;
    const eex_wishes *w;
    double accuracy; /* wished, as a fraction; NAN */
} choice;

static bool cheap_enough(const choice *c, int k)
{
    const eex_prune_row *r = &c->rows[k];
    return (isnan(c->w->most_macs) || r->facts.most_macs <= c->w->most_macs) &&
           (isnan(c->w->most_ms) || r->most_ms <= c->w->most_ms);
}

static bool right_enough(const choice *c, int k)
{
    return isnan(c->accuracy) || c->rows[k].facts.accuracy >= c->accuracy;
}

/* Whether a is to be preferred to b. */
static bool better(const choice *c, int a, int b)
{
    const eex_cut_facts *x = &c->rows[a].facts, *y = &c->rows[b].facts;
    if (!isnan(c->accuracy) && x->most_macs != y->most_macs)
        return x->most_macs < y->most_macs;
    if (x->accuracy != y->accuracy)
        return x->accuracy > y->accuracy;
    return x->most_macs < y->most_macs;
}

static int pick(const choice *c)
{
    int best = -1;
    for (int k = 0; k < c->exits; k++)
        if (cheap_enough(c, k) && right_enough(c, k) && (best < 0 || better(c, k, best)))
            best = k;
    return best;
}

static void limits(eex_buffer *out, const choice *c)
{
    char number[EEX_TEXT_SIZE];
    const char *and = "";
    if (!isnan(c->accuracy)) {
        eex_buffer_printf(out, "right about %.2f %% of the validation split", 100 * c->accuracy);
        and = " and ";
    }
    if (!isnan(c->w->most_macs)) {
        eex_text_number(number, c->w->most_macs, NULL);
        eex_buffer_printf(out, "%swithin %s MACs for every input", and, number);
        and = " and ";
    }
    if (!isnan(c->w->most_ms))
        eex_buffer_printf(out, "%swithin %.6g ms for every input", and, c->w->most_ms);
}

/* The nearest that is possible: of each wish by itself, what comes closest. */
static int impossible(const choice *c)
{
    eex_buffer text = EEX_BUFFER_INIT;
    int right = 0, macs = 0, fast = 0, exact = -1;
    char number[EEX_TEXT_SIZE];
    for (int k = 0; k < c->exits; k++) {
        right = c->rows[k].facts.accuracy > c->rows[right].facts.accuracy ? k : right;
        macs = c->rows[k].facts.most_macs < c->rows[macs].facts.most_macs ? k : macs;
        fast = c->rows[k].most_ms < c->rows[fast].most_ms ? k : fast;
        if (cheap_enough(c, k) &&
            (exact < 0 || c->rows[k].facts.accuracy > c->rows[exact].facts.accuracy))
            exact = k;
    }
    eex_buffer_puts(&text, "no cut is ");
    limits(&text, c);
    eex_buffer_puts(&text, ": the nearest is");
    if (exact >= 0) {
        eex_buffer_printf(&text, " exit %d, right about %.2f %%", exact + 1,
                          100 * c->rows[exact].facts.accuracy);
        if (exact != right)
            eex_buffer_printf(&text, " (exit %d: %.2f %%)", right + 1,
                              100 * c->rows[right].facts.accuracy);
    } else if (!isnan(c->w->most_macs) && c->rows[macs].facts.most_macs > c->w->most_macs) {
        eex_text_number(number, c->rows[macs].facts.most_macs, NULL);
        eex_buffer_printf(&text, " exit %d with %s MACs", macs + 1, number);
    } else {
        eex_buffer_printf(&text, " exit %d with %.4g ms", fast + 1, c->rows[fast].most_ms);
    }
    int code = eex_buffer_status(&text);
    if (code == EEX_OK)
        code = eex_fail(EEX_EINVAL, "%s", eex_buffer_text(&text));
    eex_buffer_free(&text);
    return code;
}

static int explain(char **why, const choice *c, int k)
{
    eex_buffer text = EEX_BUFFER_INIT;
    char number[EEX_TEXT_SIZE];
    const eex_prune_row *r = &c->rows[k];
    eex_buffer_printf(&text, "exit %d: the %s ", k + 1,
                      isnan(c->accuracy) ? "most accurate" : "cheapest that is");
    limits(&text, c);
    eex_text_number(number, r->facts.most_macs, NULL);
    eex_buffer_printf(&text, " (%.2f %%, at most %s MACs", 100 * r->facts.accuracy, number);
    if (!isnan(r->most_ms))
        eex_buffer_printf(&text, ", %.3f ms", r->most_ms);
    eex_buffer_puts(&text, ")");
    return eex_buffer_take(why, &text);
}

int eex_prune_choose(int *exit, char **why, const eex_prune_table *table, const eex_wishes *w)
{
    choice c = {w->alone ? table->alone : table->kept, table->exits, w, w->accuracy};
    *why = NULL;
    if (w->accuracy <= 0 && isnan(table->base.accuracy))
        return eex_fail(EEX_EINVAL, "an accuracy of %g is relative to the base, which is not known",
                        w->accuracy);
    if (w->accuracy <= 0)
        c.accuracy = table->base.accuracy + w->accuracy;
    if (!isnan(w->most_ms) && !table->timed)
        return eex_fail(EEX_EINVAL, "latencies were not measured");
    int k = pick(&c);
    if (k < 0)
        return impossible(&c);
    *exit = k;
    return explain(why, &c, k);
}
