#include "cli/print_rank.h"

#include "cli/print.h"

#include "base/status.h"
#include "base/text.h"

#include <math.h>

/* ---- JSON ---- */

static void json_tau(eex_json *j, const char *key, const eex_ranking_tau *t)
{
    eex_json_object(j, key);
    eex_json_double(j, "tau", t->tau);
    eex_json_double(j, "low", t->low);
    eex_json_double(j, "high", t->high);
    eex_json_end(j);
}

static void json_ranking(eex_json *j, const char *key, const eex_ranking *r)
{
    eex_json_object(j, key);
    json_tau(j, "judge", &r->judge);
    json_tau(j, "macs", &r->null);
    eex_json_double(j, "tau_clear", r->clear);
    eex_json_uint(j, "pairs", r->pairs);
    eex_json_uint(j, "clear_pairs", r->clear_pairs);
    eex_json_double(j, "ceiling", r->ceiling);
    eex_json_double(j, "noise", r->noise);
    eex_json_double(j, "spread", r->spread);
    eex_json_double(j, "regret", r->regret);
    eex_json_end(j);
}

static int print_json(const eex_rank_report *r)
{
    eex_buffer text = EEX_BUFFER_INIT;
    eex_json j = EEX_JSON_INIT(&text);
    eex_json_object(&j, NULL);
    eex_json_uint(&j, "candidates", r->score.count);
    eex_json_uint(&j, "repeated", r->score.repeated);
    eex_json_uint(&j, "trainings", r->trained);
    eex_json_uint(&j, "failed", r->failed);
    eex_json_double(&j, "seconds", r->seconds);
    json_ranking(&j, "score", &r->score);
    json_ranking(&j, "accuracy", &r->accuracy);
    eex_json_end(&j);
    eex_buffer_putc(&text, '\n');
    return eex__print_text(&text, eex_buffer_status(&text));
}

/* ---- a table ---- */

static void tau_row(eex_table *t, const char *what, const eex_ranking_tau *score,
                    const eex_ranking_tau *accuracy)
{
    const eex_ranking_tau *const both[] = {score, accuracy};
    eex_table_row(t);
    eex_table_cell(t, "%s", what);
    for (int i = 0; i < 2; i++) {
        if (isnan(both[i]->tau))
            eex_table_cell(t, "-");
        else
            eex_table_cell(t, "%.2f (%.2f to %.2f)", both[i]->tau, both[i]->low, both[i]->high);
    }
}

static void plain_row(eex_table *t, const char *what, double score, double accuracy)
{
    eex_table_row(t);
    eex_table_cell(t, "%s", what);
    eex_table_fixed(t, 2, score);
    eex_table_fixed(t, 2, accuracy);
}

static void fine_row(eex_table *t, const char *what, double score, double accuracy)
{
    eex_table_row(t);
    eex_table_cell(t, "%s", what);
    eex_table_fixed(t, 4, score);
    eex_table_percent(t, 2, accuracy);
}

static int print_table(const eex_rank_report *r)
{
    eex_table *t = NULL;
    EEX_TRY(eex_table_new(&t));
    eex_table_column(t, "after training each for itself", EEX_ALIGN_LEFT, 2);
    eex_table_column(t, "by score", EEX_ALIGN_RIGHT, 1);
    eex_table_column(t, "by validation accuracy", EEX_ALIGN_RIGHT, 1);
    tau_row(t, "Kendall's tau of the search's judge", &r->score.judge, &r->accuracy.judge);
    tau_row(t, "of the MACs alone", &r->score.null, &r->accuracy.null);
    plain_row(t, "of a perfect judge, on average", r->score.ceiling, r->accuracy.ceiling);
    plain_row(t, "of the judge, over clear pairs", r->score.clear, r->accuracy.clear);
    eex_table_rule(t);
    fine_row(t, "deviation of one training", r->score.noise, r->accuracy.noise);
    fine_row(t, "largest less smallest", r->score.spread, r->accuracy.spread);
    fine_row(t, "lost by taking the judge's first", r->score.regret, r->accuracy.regret);
    return eex__print_table(t);
}

/* A tau over candidates that hardly differ says nothing; whoever reads it should know. */
static void print_doubts(const eex_rank_report *r)
{
    const eex_ranking *a = &r->accuracy;
    if (a->spread < 0.04)
        eex__print_line("Their accuracies lie within %.1f points: too near for a verdict, which "
                        "wants 4.",
                        100 * a->spread);
    if (isnan(a->noise))
        eex__print_line("None was trained twice, so the noise of a training is not known.");
    if (a->judge.low <= a->null.tau)
        eex__print_line("The judge is not clearly better than ordering by MACs alone.");
}

static int print_people(const eex_rank_report *r)
{
    char text[EEX_TEXT_SIZE];
    EEX_TRY(print_table(r));
    eex__print_line("%zu candidates, %zu of them trained several times; %zu trainings, %zu failed; "
                    "%s.",
                    r->score.count, r->score.repeated, r->trained, r->failed,
                    eex_text_duration(text, r->seconds));
    eex__print_line("In brackets: 95 %% intervals. Clear pairs differ by two deviations or more: "
                    "%zu and %zu of %zu.",
                    r->score.clear_pairs, r->accuracy.clear_pairs, r->score.pairs);
    print_doubts(r);
    return EEX_OK;
}

int eex_print_rank(const eex_rank_report *report, bool json)
{
    return json ? print_json(report) : print_people(report);
}
