#include "core/run/experiment.h"

#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

eex_experiment *eex_experiment_new(void)
{
    eex_experiment *e = calloc(1, sizeof *e);
    if (!e) {
        eex_fail(EEX_ENOMEM, "out of memory for an experiment");
        return NULL;
    }
    e->data.calibration = 2500;
    e->data.validation = 5000;
    e->gates.choices = 2;
    e->gates.blocks[0] = 1;
    e->gates.blocks[1] = 2;
    e->gates.act = EEX_ACT_RELU;
    e->training = eex_recipe_default();
    e->candidate = eex_recipe_default();
    e->candidate.epochs = 3;
    e->final = eex_recipe_default();
    e->final.epochs = 0;
    e->policy = eex_calibration_default();
    e->search.population = 50;
    e->search.sample = 10;
    e->search.trials = 2000;
    e->search.weight = 0.1;
    e->search.min_accuracy = -1;
    return e;
}

void eex_experiment_free(eex_experiment *e)
{
    if (!e)
        return;
    eex_graph_free(e->backbone);
    free(e->source);
    free(e);
}

/* One requirement: where it failed, what was expected, what is there. */
static int need(bool holds, const char *path, const char *expected, double got)
{
    if (holds)
        return EEX_OK;
    return eex_fail(EEX_EINVAL, "%s: %s, got %.10g", path, expected, got);
}

static int check_data(const eex_experiment *e)
{
    if (!e->data.name[0])
        return eex_fail(EEX_EINVAL, "dataset.name: the name of a data set, got none");
    EEX_TRY(need(e->data.calibration > 0, "dataset.calibration", "a positive number of images",
                 e->data.calibration));
    EEX_TRY(need(e->data.validation > 0, "dataset.validation", "a positive number of images",
                 e->data.validation));
    return need(e->data.train >= 0, "dataset.train", "a number of images, or 0 for all",
                e->data.train);
}

static int check_points(const eex_experiment *e)
{
    if (!e->backbone)
        return eex_fail(EEX_EINVAL, "backbone: a network, got none");
    if (eex_graph_exits(e->backbone) != 1)
        return eex_fail(EEX_EINVAL, "backbone: a network without gates, \"%s\" has %d exits",
                        eex_graph_name(e->backbone), eex_graph_exits(e->backbone));
    EEX_TRY(need(e->points.count > 0, "saliency", "at least one exit point", e->points.count));
    for (int i = 0; i < e->points.count; i++)
        if (!eex_graph_gateable(e->backbone, e->points.nodes[i]))
            return eex_fail(EEX_EINVAL, "saliency: node %d of \"%s\" cannot carry a gate",
                            e->points.nodes[i], eex_graph_name(e->backbone));
    return need(!e->probe || (e->probe_count >= 0 && e->probe_count <= e->points.count),
                "saliency.count", "at most the number of points to choose from", e->probe_count);
}

int eex_experiment_points(const eex_experiment *e)
{
    if (!e->probe)
        return e->points.count;
    int count = e->probe_count ? e->probe_count : (int)log2(eex_graph_layers(e->backbone));
    return count < e->points.count ? count : e->points.count;
}

static int check_gates(const eex_experiment *e)
{
    EEX_TRY(need(e->gates.choices >= 1 && e->gates.choices <= EEX_MAX_CHOICES, "gates.blocks",
                 "1 to 8 different block counts", e->gates.choices));
    for (int i = 0; i < e->gates.choices; i++) {
        EEX_TRY(need(e->gates.blocks[i] >= 0 && e->gates.blocks[i] < 16, "gates.blocks",
                     "block counts from 0 to 15", e->gates.blocks[i]));
        EEX_TRY(need(!i || e->gates.blocks[i] > e->gates.blocks[i - 1], "gates.blocks",
                     "each block count once, in ascending order", e->gates.blocks[i]));
    }
    EEX_TRY(need(e->gates.max_exits >= 0, "gates.max_exits", "a number of gates, or 0 for no limit",
                 e->gates.max_exits));
    int points = eex_experiment_points(e);
    EEX_TRY(need(
        points <= EEX_MAX_GATES || (e->gates.max_exits && e->gates.max_exits <= EEX_MAX_GATES),
        "gates.max_exits", "from 1 to 63 where there are more than 63 points", e->gates.max_exits));
    if (points * e->gates.choices >= EEX_MAX_EXITS)
        return eex_fail(EEX_EINVAL,
                        "gates: %d points x %d block counts are %d gates, expected at most %d: "
                        "choose fewer points (saliency) or block counts (gates.blocks)",
                        points, e->gates.choices, points * e->gates.choices, EEX_MAX_EXITS - 1);
    return EEX_OK;
}

static int check_schedule(const eex_recipe *r, const char *where)
{
    char path[96];
    snprintf(path, sizeof path, "%s.schedule.warmup", where);
    EEX_TRY(need(r->schedule.warmup >= 0 && (r->schedule.warmup <= r->epochs || !r->epochs), path,
                 "epochs from 0 to those of the recipe", r->schedule.warmup));
    snprintf(path, sizeof path, "%s.schedule.final", where);
    return need(r->schedule.final >= 0 && r->schedule.final <= 1, path, "a number from 0 to 1",
                r->schedule.final);
}

static int check_optimizer(const eex_recipe *r, const char *where)
{
    const eex_optimizer *o = &r->optimizer;
    const struct {
        const char *field, *expected;
        bool holds;
        double got;
    } rules[] = {
        {"optimizer.momentum", "from 0 to below 1", o->momentum >= 0 && o->momentum < 1,
         o->momentum},
        {"optimizer.weight_decay", "0 or more", o->weight_decay >= 0 && isfinite(o->weight_decay),
         o->weight_decay},
        {"clip", "0 or more", o->clip >= 0 && isfinite(o->clip), o->clip},
        {"ema", "from 0 to below 1", o->ema >= 0 && o->ema < 1, o->ema},
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        char path[96];
        snprintf(path, sizeof path, "%s.%s", where, rules[i].field);
        EEX_TRY(need(rules[i].holds, path, rules[i].expected, rules[i].got));
    }
    return EEX_OK;
}

static int check_recipe(const eex_recipe *r, const char *where, int min_epochs)
{
    const struct {
        const char *field, *expected;
        bool holds;
        double got;
    } rules[] = {
        {"epochs", min_epochs ? "a positive integer" : "0 or more", r->epochs >= min_epochs,
         r->epochs},
        {"batch", "a positive integer", r->batch > 0, r->batch},
        {"lr", "a positive number", r->lr > 0 && isfinite(r->lr), r->lr},
        {"label_smoothing", "from 0 to below 1", r->smoothing >= 0 && r->smoothing < 1,
         r->smoothing},
        {"l1", "0 or more", r->l1 >= 0 && isfinite(r->l1), r->l1},
        {"gate_weight", "a positive number", r->gate_weight > 0 && isfinite(r->gate_weight),
         r->gate_weight},
        {"distill.weight", "0 or more", r->distill >= 0 && isfinite(r->distill), r->distill},
        {"distill.temperature", "a positive number", !(r->distill > 0) || r->distill_t > 0,
         r->distill_t},
        {"alone", "from 0 to the number of epochs", r->alone >= 0 && r->alone <= r->epochs,
         r->alone},
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        char path[96];
        snprintf(path, sizeof path, "%s.%s", where, rules[i].field);
        EEX_TRY(need(rules[i].holds, path, rules[i].expected, rules[i].got));
    }
    EEX_TRY(check_schedule(r, where));
    return check_optimizer(r, where);
}

static int check_policy(const eex_experiment *e)
{
    EEX_TRY(need(e->policy.temperature >= 0 && isfinite(e->policy.temperature),
                 "policy.temperature", "a positive number, or \"fitted\"", e->policy.temperature));
    EEX_TRY(need(e->policy.reject >= 0 && e->policy.reject < 1, "policy.reject",
                 "a fraction from 0 to below 1", e->policy.reject));
    EEX_TRY(need(e->policy.reject == 0 || isinf(e->policy.b), "policy.b",
                 "no threshold beside policy.reject, which sets them", e->policy.b));
    if (e->policy.tune == EEX_TUNE_ACCURACY)
        return need(e->policy.target > -1 && e->policy.target <= 1, "policy.target",
                    "an accuracy, at most 1; 0 or less: so far below the backbone's own",
                    e->policy.target);
    if (e->policy.tune != EEX_TUNE_NONE)
        return need(e->policy.target > 0 && isfinite(e->policy.target), "policy.target",
                    "a positive number", e->policy.target);
    return EEX_OK;
}

static int check_search(const eex_experiment *e)
{
    EEX_TRY(need(e->search.trials > 0, "search.trials", "a positive integer", e->search.trials));
    EEX_TRY(need(e->search.population > 0, "search.population", "a positive integer",
                 e->search.population));
    EEX_TRY(need(e->search.sample > 0 && e->search.sample <= e->search.population, "search.sample",
                 "from 1 to search.population", e->search.sample));
    EEX_TRY(need(isfinite(e->search.weight) && e->search.weight >= 0, "search.weight", "0 or more",
                 e->search.weight));
    EEX_TRY(need(e->search.min_accuracy <= 1, "search.min_accuracy",
                 "an accuracy from 0 to 1, or false for the best score", e->search.min_accuracy));
    return need(e->search.tau == 0 || e->search.tau >= 2, "search.tau",
                "0, or at least 2 candidates", e->search.tau);
}

static int check_precision(const eex_experiment *e)
{
    if (eex_precision_infers(e->precision))
        return EEX_OK;
    return eex_fail(EEX_EINVAL, "precision: one that networks decide in, %s is for training",
                    eex_precision_name(e->precision));
}

int eex_experiment_check(const eex_experiment *e)
{
    if (!e->name[0])
        return eex_fail(EEX_EINVAL, "name: a name for the run, got none");
    EEX_TRY(check_precision(e));
    EEX_TRY(check_data(e));
    EEX_TRY(check_points(e));
    EEX_TRY(check_gates(e));
    EEX_TRY(check_recipe(&e->training, "training", 1));
    EEX_TRY(check_recipe(&e->candidate, "candidate", 1));
    EEX_TRY(check_recipe(&e->final, "final", 0));
    EEX_TRY(check_policy(e));
    return check_search(e);
}

/* ---- the device ---- */

static bool trains_candidates(const eex_experiment *e)
{
    return e->search.evaluator == EEX_EVALUATE_TRAIN || e->search.tau > 0;
}

/* The base is trained by the same recipe, and caches nothing. */
int eex_experiment_check_device(const eex_experiment *e, const eex_device *device)
{
    const struct {
        const char *field;
        bool used;
        eex_precision precision;
    } needs[] = {
        {"precision", true, e->precision},
        {"training.precision", true, e->training.precision},
        {"candidate.precision", trains_candidates(e), eex_recipe_precision(&e->candidate)},
        {"final.precision", e->final.epochs > 0, eex_recipe_precision(&e->final)},
    };
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++) {
        int code = needs[i].used ? eex_device_calculates(device, needs[i].precision) : EEX_OK;
        if (code < 0)
            return eex_fail_in(code, "%s", needs[i].field);
    }
    return EEX_OK;
}
