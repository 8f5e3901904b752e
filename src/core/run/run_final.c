/* Networks made ready, and final.h5: the chosen one with its weights and its policy. */
#include "core/run/run_final.h"

#include "core/graph/cost.h"
#include "core/policy/reject.h"
#include "core/run/judge.h"
#include "core/run/scoring.h"

#include "base/log.h"
#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ECE_BINS = 15, FAMILIAR_BATCH = 100 };

/* ---- weights ---- */

static int take_weights(eex__final *f)
{
    const eex__final_plan *plan = f->plan;
    EEX_TRY(eex_params_new(&f->params, f->run->device, f->graph, f->run->e->seed));
    return plan->trained
               ? eex__run_read_weights(f->params, f->run, plan->trained)
               : eex__judge_of(f->run)->weights(f->params, f->run, plan->genome, plan->trial);
}

static int train_on(eex__final *f)
{
    const eex__training training = {.title = f->plan->title,
                                    .checkpoint = f->plan->checkpoint,
                                    .recipe = &f->run->e->final,
                                    .seed = f->plan->seed,
                                    .subject = f->plan->subject,
                                    .samples = f->run->split.train.at,
                                    .count = f->run->split.train.count,
                                    .validation = &f->run->split.validation};
    bool frozen = f->run->e->final.regime == EEX_REGIME_FROZEN;
    f->history.exits = eex_graph_exits(f->graph);
    if (f->plan->trained || f->run->e->final.epochs == 0 ||
        (frozen && eex_graph_exits(f->graph) == 1))
        return EEX_OK;
    eex_log_info("training %s on: %d epoch%s", f->plan->what, f->run->e->final.epochs,
                 eex_plural(f->run->e->final.epochs));
    int code = eex__run_train(f->run, f->params, &training, &f->history);
    return code < 0 ? eex_fail_in(code, "%s", f->plan->title) : EEX_OK;
}

/* ---- thresholds ---- */

static void measure_ece(double *ece, const eex_trace *trace, const float *temperature)
{
    for (int k = 0; k < trace->exits; k++)
        ece[k] = eex_calibrate_ece(trace, k, temperature ? (double)temperature[k] : 1, ECE_BINS);
}

static int measure_scores(eex__final *f)
{
    const eex_measure measure = eex_policy_compares(f->policy->kind);
    for (int k = 0; k < f->validation->exits; k++)
        EEX_TRY(eex_score_quality_of(&f->score[k], f->validation, k, measure));
    return EEX_OK;
}

/* Weights that stayed as the search saw them keep the thresholds with which it judged them: those
 * that its judge set on the calibration split. */
static bool as_judged(const eex_run *run)
{
    return eex__judge_of(run)->policy && run->e->final.epochs == 0;
}

static int make_policy(eex__final *f)
{
    eex_judge *judge = NULL;
    if (!as_judged(f->run))
        return eex__run_calibrate(&f->policy, f->run, f->plan->genome, f->calibration);
    EEX_TRY(eex__judge_open(&judge, f->run, eex__judge_of(f->run)));
    int code = judge->kind->policy(&f->policy, judge, f->plan->genome);
    eex__judge_close(judge);
    return code;
}

/* Those that the genome says. */
static int use_thresholds(eex_policy *policy, const eex_run *run, const int *genome)
{
    double a[EEX_MAX_EXITS];
    EEX_TRY(eex_structures_thresholds(a, run->structures, genome));
    for (int k = 0; k < policy->exits; k++)
        policy->a[k] = isnan(a[k]) ? policy->a[k] : a[k];
    eex_policy_apply(policy);
    return EEX_OK;
}

int eex__run_calibrate(eex_policy **out, const eex_run *run, const int *genome,
                       eex_trace *calibration)
{
    const eex_scoring scoring = eex_scoring_of(run->e, run->structures);
    eex_calibration how = run->e->policy;
    eex_structure_costs all;
    EEX_TRY(eex_structures_costs(&all, run->structures, genome));
    const eex_exit_costs costs = eex_scoring_costs(&scoring, &all);
    const double reject =
        calibration->distance ? how.reject : 0; /* candidates are judged without */
    how.reject = 0;
    EEX_TRY(eex_calibrate(out, calibration, run->device, &how, &costs));
    int code = use_thresholds(*out, run, genome);
    if (code == EEX_OK && reject > 0)
        code = eex_policy_reject(*out, calibration, &costs, reject, EEX_REJECT_BY_ANY);
    if (code < 0) {
        eex_policy_free(*out);
        *out = NULL;
    }
    return code;
}

/* No run ends without a word about a target that its thresholds miss. */
static int warn_of_target(eex__final *f)
{
    const eex_scoring scoring = eex_scoring_of(f->run->e, f->run->structures);
    const eex_exit_costs costs = eex_scoring_costs(&scoring, &f->costs);
    char missed[EEX_CALIBRATION_MISSED];
    EEX_TRY(eex_calibration_missed(missed, f->policy, f->calibration, &f->run->e->policy, &costs,
                                   f->plan->what, scoring.by_latency ? "ms" : "MACs"));
    if (missed[0])
        eex_unmet_say(&f->unmet, EEX_WISH_TARGET, "%s", missed);
    return EEX_OK;
}

/* Whoever rejects so much answers hardly anything, and looks quick at it. policy.reject has a limit
 * of its own. */
static void warn_of_rejection(eex__final *f)
{
    const double most = 0.5, rejected = f->outcome.rejected;
    const eex_policy_kind kind = f->run->e->policy.kind;
    const bool wider = kind == EEX_POLICY_PER_CLASS || kind == EEX_POLICY_ENTROPY;
    if (f->run->e->policy.b < INFINITY && rejected > most)
        eex_unmet_say(
            &f->unmet, EEX_WISH_REJECTION,
            "policy.b: %s rejects %.1f %% of the validation split, which counts as wrong: "
            "a %s one rejects less",
            f->plan->what, 100 * rejected, wider ? "higher" : "lower");
}

/* By training images from all over the split: data sets may be in the order of their classes. */
static int know_familiar(eex__final *f)
{
    const eex_index *train = &f->run->split.train;
    const size_t count = train->count < EEX_FAMILIAR_IMAGES ? train->count : EEX_FAMILIAR_IMAGES;
    const eex_inference how = eex__run_inference(f->run, FAMILIAR_BATCH);
    uint32_t *some = malloc(count * sizeof *some);
    if (!some)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu sample numbers", count);
    for (size_t i = 0; i < count; i++)
        some[i] = train->at[i * train->count / count];
    int code = eex_familiar_fit(&f->familiar, f->graph, f->params, f->run->data, some, count, &how);
    free(some);
    return code;
}

static int calibrate(eex__final *f)
{
    const eex_run *run = f->run;
    const eex_exit_costs macs = {f->costs.exits, f->costs.macs, run->structures->base_macs};
    const eex_scoring scoring = eex_scoring_of(run->e, run->structures);
    const eex_exit_costs costs = eex_scoring_costs(&scoring, &f->costs); /* as it was tuned */
    EEX_TRY(know_familiar(f));
    EEX_TRY(eex__run_trace(&f->calibration, run, f->graph, f->params, f->familiar,
                           &run->split.calibration));
    EEX_TRY(eex__run_trace(&f->validation, run, f->graph, f->params, f->familiar,
                           &run->split.validation));
    EEX_TRY(make_policy(f));
    measure_ece(f->ece_before, f->validation, NULL);
    measure_ece(f->ece_after, f->validation, f->policy->temperature);
    EEX_TRY(eex_trace_score(f->calibration, run->device, f->policy->temperature));
    EEX_TRY(eex_trace_score(f->validation, run->device, f->policy->temperature));
    EEX_TRY(measure_scores(f));
    EEX_TRY(warn_of_target(f));
    if (as_judged(run) && run->e->policy.reject > 0) /* the judge knows no rejection */
        EEX_TRY(eex_policy_reject(f->policy, f->calibration, &costs, run->e->policy.reject,
                                  EEX_REJECT_BY_ANY));
    EEX_TRY(eex_replay(&f->outcome, f->validation, f->policy, &macs, NULL, NULL));
    warn_of_rejection(f);
    return EEX_OK;
}

/* ---- the file ---- */

static int save_column(eex_store_file *file, const char *name, const double *values, int count,
                       const char *unit)
{
    const eex_store_shape shape = {1, {(uint64_t)count}};
    EEX_TRY(eex_store_write(file, name, EEX_STORE_F64, &shape, values));
    return eex_store_set_string(file, name, "unit", unit);
}

static int save_exits(const eex__final *f, eex_store_file *file)
{
    int exits = eex_graph_exits(f->graph);
    const char *names[EEX_MAX_EXITS];
    int32_t blocks[EEX_MAX_EXITS], position[EEX_MAX_EXITS];
    double taken[EEX_MAX_EXITS], alone[EEX_MAX_EXITS];
    double auroc[EEX_MAX_EXITS], aurc[EEX_MAX_EXITS];
    const eex_store_shape shape = {1, {(uint64_t)exits}};
    EEX_TRY(eex_structures_positions(position, f->run->structures, f->plan->genome));
    for (int k = 0; k < exits; k++) {
        const eex_exit *exit = eex_graph_exit(f->graph, k);
        names[k] = eex_graph_node(f->graph, exit->point)->name;
        blocks[k] = exit->blocks;
        taken[k] = (double)eex_cost_alone(f->graph, k, EEX_MACS);
        alone[k] = eex_trace_accuracy(f->validation, k);
        auroc[k] = f->score[k].auroc;
        aurc[k] = f->score[k].aurc;
    }
    EEX_TRY(eex_store_write_strings(file, "exits/node", names, (size_t)exits));
    EEX_TRY(eex_store_write(file, "exits/position", EEX_STORE_I32, &shape, position));
    EEX_TRY(eex_store_write(file, "exits/blocks", EEX_STORE_I32, &shape, blocks));
    EEX_TRY(eex_store_set_string(file, "exits/blocks", "meaning",
                                 "Conv-BN-Act blocks of the gate, -1: the end of the backbone"));
    EEX_TRY(save_column(file, "exits/macs", f->costs.macs, exits, "MACs, everything executed"));
    EEX_TRY(save_column(file, "exits/macs_taken", taken, exits, "MACs, trunk and this gate"));
    EEX_TRY(save_column(file, "exits/validation_accuracy", alone, exits,
                        "fraction, of this exit alone"));
    EEX_TRY(save_column(file, "exits/ece_before", f->ece_before, exits,
                        "expected calibration error on the validation split, temperature 1"));
    EEX_TRY(save_column(file, "exits/ece_after", f->ece_after, exits,
                        "expected calibration error on the validation split, calibrated"));
    EEX_TRY(save_column(file, "exits/auroc", auroc, exits,
                        "area under the ROC curve of the policy's score, right against wrong"));
    return save_column(file, "exits/aurc", aurc, exits,
                       "area under the risk-coverage curve of the policy's score");
}

static int save_outcome(const eex__final *f, eex_store_file *file)
{
    const eex_outcome *o = &f->outcome;
    EEX_TRY(eex_store_make_group(file, "validation"));
    EEX_TRY(eex_store_set_double(file, "validation", "accuracy", o->accuracy));
    EEX_TRY(eex_store_set_double(file, "validation", "macs", o->cost));
    EEX_TRY(eex_store_set_double(file, "validation", "agreement", o->agreement));
    EEX_TRY(eex_store_set_double(file, "validation", "rejected", o->rejected));
    return save_column(file, "validation/utilisation", o->share, eex_graph_exits(f->graph),
                       "fraction of the validation split");
}

int eex__final_save(eex_store_file *file, const eex__final *f)
{
    EEX_TRY(eex_model_write(file, f->graph, f->params, f->policy, f->familiar, &f->run->input,
                            f->run->e->precision));
    EEX_TRY(eex__history_save(&f->history, file));
    EEX_TRY(save_exits(f, file));
    EEX_TRY(save_outcome(f, file));
    EEX_TRY(eex_unmet_save(&f->unmet, file));
    return eex_store_set_int(file, "", "trial", (int64_t)f->plan->trial);
}

/* ---- one network ---- */

int eex__final_make(eex__final *f, eex_run *run, const eex__final_plan *plan)
{
    *f = (eex__final){.run = run, .plan = plan};
    EEX_TRY(eex_structures_costs(&f->costs, run->structures, plan->genome));
    EEX_TRY(eex_structures_graph(&f->graph, run->structures, plan->genome));
    EEX_TRY(take_weights(f));
    EEX_TRY(train_on(f));
    EEX_TRY(eex__run_poll());
    eex_log_info("calibrating %d exit%s on %zu images", eex_graph_exits(f->graph),
                 eex_plural(eex_graph_exits(f->graph)), run->split.calibration.count);
    return calibrate(f);
}

void eex__final_free(eex__final *f)
{
    eex_policy_free(f->policy);
    eex_familiar_free(f->familiar);
    eex_trace_free(f->calibration);
    eex_trace_free(f->validation);
    eex__history_free(&f->history);
    eex_params_free(f->params);
    eex_graph_free(f->graph);
    *f = (eex__final){.run = NULL};
}

/* ---- the chosen one ---- */

static int save(eex_store_file *file, const void *context)
{
    return eex__final_save(file, context);
}

static int work(eex__final *f, eex_run *run, eex__final_plan *plan)
{
    EEX_TRY(eex__run_chosen(plan->genome, run, &plan->trial));
    EEX_TRY(eex__final_make(f, run, plan));
    EEX_TRY(eex__run_save_trace(run, "final-calibration.h5", f->calibration));
    EEX_TRY(eex__run_save_trace(run, "final-validation.h5", f->validation));
    return eex__run_write(run, EEX_RUN_FINAL, save, f);
}

static int clean(const eex_run *run)
{
    const eex_judge_kind *judge = eex__judge_of(run);
    int genome[EEX_MAX_GENES];
    uint64_t trial = 0;
    EEX_TRY(eex__run_remove(run, "final-checkpoint.h5"));
    if (!judge->forget)
        return EEX_OK;
    EEX_TRY(eex__run_chosen(genome, run, &trial));
    return judge->forget(run, trial);
}

/* Traces that got lost are made again with the network, unless its weights were a candidate's,
 * which are gone once final.h5 is there. */
static bool is_done(const eex_run *run)
{
    const bool traced =
        eex__run_has(run, "final-calibration.h5") && eex__run_has(run, "final-validation.h5");
    return eex__run_has(run, EEX_RUN_FINAL) && (traced || eex__judge_of(run)->forget);
}

int eex__run_final(eex_run *run)
{
    eex__final_plan plan = {.what = "the chosen network",
                            .title = "final training",
                            .checkpoint = "final-checkpoint.h5",
                            .seed = eex__run_seed(run, EEX_STREAM_FINAL, 0)};
    eex__final f = {.run = run};
    if (is_done(run))
        return clean(run);
    int code = work(&f, run, &plan);
    eex__final_free(&f);
    return code == EEX_OK ? clean(run) : code;
}
