/* eex tune: other thresholds for a model, from its stored traces. The network is not run. */
#include "cli/commands.h"
#include "cli/out_file.h"
#include "cli/print_tune.h"
#include "cli/tune_wish.h"
#include "core/policy/replay.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPLITS = 2, SWEEP_STEPS = 20 };

typedef eex_tune_arguments arguments;

static const arguments defaults = {.device = EEX_DEVICE_CHOICE_INIT, .reject = NAN, .delta = NAN};

static const eex_option options[] = {
    EEX_TEXT("accuracy", "A", accuracy, "the least accuracy"),
    EEX_TEXT("macs", "M", macs, "the most MACs an input"),
    EEX_TEXT("latency", "MS", latency, "the most ms an input"),
    EEX_REAL("conformal", "EPSILON", 1e-6, 0.999, conformal, "the most accuracy lost, guaranteed"),
    EEX_REAL("risk", "EPSILON", 1e-9, 2, risk,
             "the most that is lost, guaranteed: --loss says of what"),
    EEX_REAL("delta", "D", 1e-12, 0.999, delta,
             "the guarantee may fail with this probability (0.05)"),
    EEX_TEXT("loss", "WHAT", loss, "of --risk: accuracy (so unless given), disagreement or brier"),
    EEX_TEXT("method", "NAME", method,
             "of --risk: ltt (learn then test), or crc: kept on average, whatever delta"),
    EEX_FLAG("each-exit", each_exit, "--risk holds for those who leave at each exit"),
    EEX_REAL("reject", "RATE", 0, 0.9, reject,
             "at most so many calibration images are rejected (0: none)"),
    EEX_TEXT("reject-by", "WHAT", reject_by,
             "distance from what is familiar (where it is known), or score"),
    EEX_TEXT("policy", "KIND", policy,
             "per_class, margin, confidence or entropy (the model's own)"),
    EEX_TEXT("temperature", "T", temperature,
             "of the softmax, or \"fitted\" (with --policy: fitted)"),
    EEX_FLAG("measure", measure, "measure milliseconds now: runs the network"),
    EEX_DEVICE_OPTIONS_TO(device, "what --measure runs on (cpu)",
                          "on the CPU, for --measure (all there are)"),
    EEX_FLAG("sweep", sweep, "show all of accuracy against cost"),
    EEX_OUT("FILE.h5", out, "keep the policy in this file"),
    EEX_FLAG("force", force, "replace that file"),
    EEX_SEED(seed, "of resamples and halves (0)"),
    EEX_JSON(json),
    {0},
};

/* ---- the work ---- */

typedef struct work {
    const arguments *a;
    const char *path;   /* of the run or model */
    eex_device *device; /* for scoring alone; NULL while nobody needs it */
    eex_model *model;
    eex_model_costs costs;
    eex_wish wish;
    eex_trace *trace[SPLITS]; /* calibration; validation, or NULL where it was not kept */
    eex_departures before[SPLITS];
    eex_policy *policy;
    eex_refit facts;
    eex_tune_report report;
    char target[EEX_TUNE_TARGET];
} work;

static void work_free(work *w)
{
    for (int i = 0; i < SPLITS; i++) {
        eex_trace_free(w->trace[i]);
        eex_departures_free(&w->before[i]);
    }
    eex_policy_free(w->policy);
    eex_model_close(w->model);
    eex_device_close(w->device);
}

static int open_traces(work *w)
{
    EEX_TRY(eex_model_trace(&w->trace[0], w->model, "calibration"));
    int code = eex_model_trace(&w->trace[1], w->model, "validation");
    if (code == EEX_ENOTFOUND)
        code = EEX_OK;
    for (int i = 0; i < SPLITS && code == EEX_OK; i++)
        if (w->trace[i])
            code = eex_departures_new(&w->before[i], w->trace[i], w->model->policy);
    return code;
}

static int measure(work *w)
{
    eex_device *device = NULL;
    EEX_TRY(eex_open_device(&device, &w->a->device));
    int code = eex_model_costs_measure(&w->costs, w->path, device);
    eex_device_close(device);
    return code;
}

static int open_work(work *w)
{
    const eex_device_options one = {.threads = 1};
    EEX_TRY(eex_model_open(&w->model, w->path, EEX_MODEL_BEST, NULL));
    EEX_TRY(eex_model_costs_of(&w->costs, w->model));
    if (w->a->measure)
        EEX_TRY(measure(w));
    EEX_TRY(eex_tune_wish(&w->wish, w->a, w->model, &w->costs));
    EEX_TRY(eex_refit_check(w->model));
    if (w->wish.refit || eex_wish_guarantees(&w->wish))
        EEX_TRY(eex_device_open(&w->device, "cpu", &one));
    return open_traces(w);
}

static bool nothing_asked(const eex_wish *w)
{
    return w->tune == EEX_TUNE_NONE && !w->refit && isnan(w->reject) && !eex_wish_guarantees(w);
}

/* Both traces at the temperatures of the new policy. */
static int score(work *w)
{
    for (int i = 0; i < SPLITS && w->device; i++)
        if (w->trace[i])
            EEX_TRY(eex_trace_score(w->trace[i], w->device, w->policy->temperature));
    return EEX_OK;
}

static int appraise(work *w, int i)
{
    static const char *const names[SPLITS] = {"calibration", "validation"};
    const eex_bootstrap_options how = {.seed = w->wish.seed};
    const double *ms = w->costs.timed ? w->costs.ms : NULL;
    eex_tune_split *s = &w->report.split[i];
    double base_macs[EEX_MAX_EXITS], base_ms[EEX_MAX_EXITS];
    eex_departures end = {0}, after = {0};
    for (int k = 0; k < w->costs.exits; k++) {
        base_macs[k] = w->costs.base_macs;
        base_ms[k] = w->costs.base_ms;
    }
    *s = (eex_tune_split){.name = names[i], .known = w->trace[i] != NULL};
    if (!s->known)
        return EEX_OK;
    int code = eex_departures_new(&end, w->trace[i], NULL);
    if (code == EEX_OK)
        code = eex_appraise(&s->end, w->trace[i], &end, NULL, base_macs, ms ? base_ms : NULL, &how);
    if (code == EEX_OK)
        code = eex_appraise(&s->before, w->trace[i], &w->before[i], NULL, w->costs.macs, ms, &how);
    if (code == EEX_OK && w->policy)
        code = eex_departures_new(&after, w->trace[i], w->policy);
    if (code == EEX_OK && w->policy)
        code = eex_appraise(&s->after, w->trace[i], &after, &w->before[i], w->costs.macs, ms, &how);
    if (code == EEX_OK && w->policy && w->wish.risk.epsilon > 0)
        code = eex_loss_measure(&s->loss, w->trace[i], &after, w->wish.risk.loss, &how);
    eex_departures_free(&after);
    eex_departures_free(&end);
    return code;
}

/* ---- the file ---- */

static int set_interval(eex_store_file *file, const char *name, const eex_interval *i)
{
    const double values[] = {i->value, i->low, i->high};
    return eex_store_set_doubles(file, "", name, values, 3);
}

static int set_outcome(eex_store_file *file, const eex_tune_split *s)
{
    char name[64];
    if (!s->known)
        return EEX_OK;
    snprintf(name, sizeof name, "%s_accuracy", s->name);
    EEX_TRY(set_interval(file, name, &s->after.accuracy));
    snprintf(name, sizeof name, "%s_macs", s->name);
    EEX_TRY(set_interval(file, name, &s->after.macs));
    snprintf(name, sizeof name, "%s_rejected", s->name);
    return set_interval(file, name, &s->after.rejected);
}

static int set_risk(eex_store_file *file, const eex_risk_options *o, const eex_risk *risk)
{
    double bounds[EEX_MAX_EXITS];
    for (int k = 0; k < risk->exits; k++)
        bounds[k] = risk->at[k].bound;
    EEX_TRY(eex_store_set_string(file, "", "loss", eex_loss_name(o->loss)));
    EEX_TRY(eex_store_set_string(file, "", "method", eex_risk_method_name(o->method)));
    EEX_TRY(eex_store_set_double(file, "", "epsilon", o->epsilon));
    if (o->method == EEX_RISK_LTT)
        EEX_TRY(eex_store_set_double(file, "", "delta", o->delta));
    return o->each_exit
               ? eex_store_set_doubles(file, "", "exit_bounds", bounds, (size_t)risk->exits)
               : eex_store_set_double(file, "", "bound", risk->all.bound);
}

static int fill_file(eex_store_file *file, const work *w)
{
    EEX_TRY(eex_store_set_string(file, "", "model", eex_path_base(w->path)));
    EEX_TRY(eex_store_set_string(file, "", "target", w->target));
    EEX_TRY(eex_store_set_int(file, "", "seed", w->a->seed));
    if (!isnan(w->facts.point.held_accuracy))
        EEX_TRY(
            eex_store_set_double(file, "", "cross_fitted_accuracy", w->facts.point.held_accuracy));
    if (w->wish.epsilon > 0) {
        EEX_TRY(eex_store_set_double(file, "", "epsilon", w->wish.epsilon));
        EEX_TRY(eex_store_set_double(file, "", "delta", w->wish.delta));
        EEX_TRY(eex_store_set_double(file, "", "bound", w->facts.conformal.bound));
    }
    if (w->wish.risk.epsilon > 0)
        EEX_TRY(set_risk(file, &w->wish.risk, &w->facts.risk));
    for (int i = 0; i < SPLITS; i++)
        EEX_TRY(set_outcome(file, &w->report.split[i]));
    return EEX_OK;
}

static int save(const work *w)
{
    eex_store_file *file = NULL;
    EEX_TRY(eex_policy_file(&file, w->a->out, w->policy, w->model));
    int code = fill_file(file, w);
    if (code == EEX_OK)
        return eex_store_commit(&file);
    eex_store_close(file);
    return code;
}

/* ---- one policy ---- */

static int tune(work *w)
{
    const double start = eex_clock_seconds();
    if (!nothing_asked(&w->wish)) {
        EEX_TRY(eex_model_refit(&w->policy, &w->facts, w->model, w->trace[0], w->device, &w->costs,
                                &w->wish));
        EEX_TRY(score(w));
    } else if (w->a->out) {
        return eex_fail(EEX_EINVAL, "--out: say for what target the thresholds shall be");
    }
    w->report.model = w->model;
    w->report.costs = &w->costs;
    w->report.policy = w->policy;
    w->report.wish = &w->wish;
    w->report.facts = &w->facts;
    w->report.target = w->target;
    w->report.file = w->a->out;
    for (int i = 0; i < SPLITS; i++)
        EEX_TRY(appraise(w, i));
    w->report.seconds = eex_clock_seconds() - start;
    if (w->a->out)
        EEX_TRY(save(w));
    return eex_print_tune(&w->report, w->a->json);
}

/* ---- all of them ---- */

static int judge_point(eex_tune_point *out, const work *w, const eex_operating_point *point)
{
    const eex_trace *trace = w->trace[1] ? w->trace[1] : w->trace[0];
    const eex_exit_costs costs = {w->costs.exits, w->costs.macs, w->costs.base_macs};
    eex_outcome o;
    for (int k = 0; k + 1 < w->policy->exits; k++)
        w->policy->a[k] = point->a[k];
    eex_policy_apply(w->policy);
    EEX_TRY(eex_replay(&o, trace, w->policy, &costs, NULL, NULL));
    *out = (eex_tune_point){.calibration = point->accuracy,
                            .validation = w->trace[1] ? o.accuracy : NAN,
                            .agreement = o.agreement,
                            .macs = o.cost,
                            .rejected = o.rejected};
    for (int k = 0; k < w->costs.exits; k++)
        out->ms += o.share[k] * w->costs.ms[k];
    return EEX_OK;
}

static int compare_points(const void *a, const void *b)
{
    const eex_tune_point *x = a, *y = b;
    return (x->macs > y->macs) - (x->macs < y->macs);
}

static int sweep(work *w)
{
    const eex_exit_costs costs = {w->costs.exits, w->costs.macs, w->costs.base_macs};
    eex_operating_point *front = NULL;
    int count = 0;
    if (w->wish.tune != EEX_TUNE_NONE || eex_wish_guarantees(&w->wish))
        return eex_fail(EEX_EINVAL, "--sweep shows what is possible and takes no target");
    EEX_TRY(eex_model_refit(&w->policy, &w->facts, w->model, w->trace[0], w->device, &w->costs,
                            &w->wish));
    EEX_TRY(score(w));
    EEX_TRY(eex_policy_sweep(&front, &count, w->trace[0], w->policy, &costs, SWEEP_STEPS));
    eex_tune_point *points = calloc((size_t)count, sizeof *points);
    int code = points ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for a front");
    for (int i = 0; i < count && code == EEX_OK; i++)
        code = judge_point(&points[i], w, &front[i]);
    if (code == EEX_OK) {
        qsort(points, (size_t)count, sizeof *points, compare_points);
        code = eex_print_sweep(points, count, w->model, &w->costs, w->policy, w->a->json);
    }
    free(points);
    free(front);
    return code;
}

/* ---- the command ---- */

static int check(void *given, const eex_words *words)
{
    const arguments *a = given;
    if (a->out && a->sweep)
        return eex_fail(EEX_EINVAL, "--sweep shows many policies and keeps none: no --out with it");
    EEX_TRY(eex_model_find(words->at[0]));
    return eex_check_out(a->out, a->force, "policy", NULL);
}

static int run(const void *given, const eex_words *words)
{
    const arguments *a = given;
    work w = {.a = a, .path = words->at[0]};
    eex_tune_describe(w.target, a);
    int code = open_work(&w);
    if (code == EEX_OK)
        code = a->sweep ? sweep(&w) : tune(&w);
    work_free(&w);
    return code;
}

static const char details[] =
    "A run keeps what every exit said about its calibration and validation images, so other\n"
    "thresholds can be tried without running the network. They are fitted on the calibration\n"
    "images; the validation images only check what came of it. Every figure has a 95 % interval\n"
    "(BCa bootstrap, 2000 resamples, seeded), differences are taken image by image.\n"
    "\n"
    "One target:\n"
    "  --accuracy A   as cheap as possible with at least this accuracy: a fraction (0.85), or at\n"
    "                 most so much less than the network run to its end (-0.01: one point)\n"
    "  --macs M       as accurate as possible within M multiply-accumulates an input on average:\n"
    "                 2.5M, or a share of the base network's: 40%\n"
    "  --latency MS   the same in milliseconds of one input, by the run's own measurements,\n"
    "                 or by those that --measure makes\n"
    "  --conformal E  as cheap as possible with a guarantee: with probability at least 1 - delta\n"
    "                 over the draw of the calibration images, no more than the fraction E of\n"
    "                 inputs like them is right at the end of the network and wrong by these\n"
    "                 thresholds. So no more accuracy than E is lost. Everything is fitted on one\n"
    "                 half of the calibration images, and tested on the other half by exact\n"
    "                 binomial tests in a fixed order. Weights and structure are taken as given.\n"
    "  --risk E       as cheap as possible with at most E lost against the network run to its\n"
    "                 end: of accuracy, of agreement with it, or of the Brier score (--loss). As\n"
    "                 --conformal, but along one scalar that moves the thresholds of all classes\n"
    "                 and exits; with --each-exit for those who leave at each exit, with --method\n"
    "                 crc on average over the draw. Too small an E for the images is refused,\n"
    "                 with the number that it takes.\n"
    "A target that cannot be met is refused, with the nearest that can.\n"
    "Accuracies decide as cross-fitted: every calibration image judged by thresholds that were\n"
    "chosen on others. That figure is shown, and is what --accuracy is held against and what a\n"
    "budget makes large; on the images that thresholds were chosen on they look better.\n"
    "Where means of classes are fitted anew they are of images labelled or of images predicted as\n"
    "a class, as they were before (policy.by of the experiment).\n"
    "\n"
    "--reject RATE lets inputs leave as none of the classes when they are farther than RATE of\n"
    "the calibration images are from what the network was trained on (with --conformal and\n"
    "--risk, of the half of them that thresholds are fitted on); with --reject-by score,\n"
    "and where that is not known (runs of an earlier eex), when an exit is less sure. Irrelevant\n"
    "frames of a stream then leave early. Exits get shares of RATE by what rejecting there\n"
    "saves. A rejected image counts as wrong. Of scores, entropy tells irrelevant frames best.\n"
    "\n"
    "  eex tune runs/x --accuracy -0.01 -o careful.h5\n"
    "  eex tune runs/x --policy entropy --reject 0.03 -o stream.h5\n"
    "  eex infer runs/x photo.jpg --policy careful.h5";

const eex_cmd eex_cmd_tune = {
    .name = "tune",
    .brief = "set when inputs leave a network, for a target of accuracy or cost",
    .synopsis = "RUN|MODEL [target] [--reject RATE] [-o FILE.h5]",
    .summary = "Sets when inputs leave a network, for a target of accuracy or cost.",
    .details = details,
    .words = {1, 1},
    .takes = {sizeof(arguments), &defaults, options},
    .check = check,
    .run = run,
};
