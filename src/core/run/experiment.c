#include "core/run/experiment.h"

#include "core/graph/elastic.h"
#include "core/policy/moments.h"
#include "core/run/fields.h"
#include "core/run/structure_elastic.h"
#include "device/quantise.h"

#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

eex_experiment *eex_experiment_new(void)
{
    eex_experiment *e = calloc(1, sizeof *e);
    if (!e) {
        eex_fail(EEX_ENOMEM, "out of memory for an experiment");
        return NULL;
    }
    int count;
    const eex_field *fields = eex_fields(&count);
    for (int i = 0; i < count; i++)
        eex_field_default(&fields[i], e);
    return e;
}

void eex_experiment_free(eex_experiment *e)
{
    if (!e)
        return;
    eex_graph_free(e->backbone);
    eex_graph_free(e->rivals.narrower);
    free(e->source);
    eex_store_list_free(&e->sets);
    free(e);
}

/* One requirement: where it failed, what was expected, what is there. */
static int need(bool holds, const char *path, const char *expected, double got)
{
    if (holds)
        return EEX_OK;
    return eex_fail(EEX_EINVAL, "%s: %s, got %.10g", path, expected, got);
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
    if (eex_graph_genes(e->backbone))
        EEX_TRY(eex_elastic_points_check(e->backbone, &e->points));
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

/* They are what policies compare with: of entropies, minus them. */
static int check_levels(const eex_experiment *e)
{
    const bool entropy = e->policy.kind == EEX_POLICY_ENTROPY;
    eex_calibration usual = eex_calibration_default();
    eex_calibration_use_kind(&usual, e->policy.kind);
    for (int i = 0; entropy && i < e->gates.levels; i++)
        EEX_TRY(need(e->gates.level[i] <= 0, "gates.thresholds",
                     "minus the entropy, where policy.kind is \"entropy\": at most 0",
                     e->gates.level[i]));
    for (int i = 0; !entropy && i < e->gates.levels; i++) {
        const int code = eex_calibration_check_threshold(e->policy.kind, e->gates.level[i]);
        if (code < 0)
            return eex_fail_in(code, "gates.thresholds");
    }
    return need(e->policy.a == usual.a, "policy.a",
                "nothing beside gates.thresholds, which say it of each exit", e->policy.a);
}

/* Thresholds that candidates choose are not set for them as well. */
static int check_thresholds(const eex_experiment *e)
{
    for (int i = 1; i < e->gates.levels; i++)
        EEX_TRY(need(e->gates.level[i] > e->gates.level[i - 1], "gates.thresholds",
                     "each threshold once, in ascending order", e->gates.level[i]));
    if (e->gates.levels && e->policy.tune != EEX_TUNE_NONE)
        return eex_fail(EEX_EINVAL,
                        "policy.tune: \"none\" beside gates.thresholds, among which the search "
                        "chooses, got \"%s\"",
                        eex_tune_name(e->policy.tune));
    return e->gates.levels ? check_levels(e) : EEX_OK;
}

/* A gate of every block count can be put on every point. */
static int check_fit(const eex_experiment *e)
{
    const int choices = e->gates.points ? 1 : e->gates.choices;
    for (int i = 0; i < e->points.count * choices; i++) {
        const int blocks = e->gates.points ? e->gates.each[i] : e->gates.blocks[i % choices];
        const eex_gate gate = {.point = e->points.nodes[i / choices],
                               .blocks = blocks,
                               .family = e->gates.family,
                               .channels = e->gates.channels};
        eex_graph *one = NULL;
        int code = eex_graph_with_gates(&one, e->backbone, &gate, 1, e->gates.act);
        eex_graph_free(one);
        if (code < 0)
            return eex_fail_in(code,
                               "gates: %d block%s behind \"%s\" (saliency may leave it out, or "
                               "gates.family be another)",
                               gate.blocks, eex_plural(gate.blocks),
                               eex_graph_node(e->backbone, gate.point)->name);
    }
    return EEX_OK;
}

/* Which points a probe leaves is not known when the list is written. */
static int check_each(const eex_experiment *e)
{
    if (e->gates.points == 0)
        return EEX_OK;
    if (e->probe)
        return eex_fail(EEX_EINVAL, "gates.each: block counts of points that a probe chooses: name "
                                    "the points (saliency), or let them choose (gates.blocks)");
    if (e->gates.points != e->points.count)
        return eex_fail(EEX_EINVAL,
                        "gates.each: a block count for each of the %d points (saliency), got %d",
                        e->points.count, e->gates.points);
    if (e->gates.family == EEX_GATE_EEC)
        return eex_fail(EEX_EINVAL, "gates.each: gates of family \"eec\" have one block anyway");
    return check_fit(e);
}

static int check_required(const eex_experiment *e, int points)
{
    EEX_TRY(need(points <= EEX_MAX_GATES, "gates.required",
                 "at most 63 points (saliency), each of which has a gate", points));
    return need(!e->gates.max_exits || e->gates.max_exits >= points, "gates.max_exits",
                "0, or as many as there are points, each of which has a gate (gates.required)",
                e->gates.max_exits);
}

/* The number that is wrong, not the 1 that may stand beside it, is named. */
static int check_eec(const eex_experiment *e)
{
    const int *blocks = e->gates.blocks;
    if (e->gates.choices == 1 && blocks[0] == 1)
        return EEX_OK;
    return need(false, "gates.blocks",
                "1 alone, which an early exit classifier has (eex.gates.eec())",
                blocks[0] != 1 ? blocks[0] : blocks[1]);
}

/* Only these families have layers whose size is free: of others it would be ignored. */
static int check_channels(const eex_experiment *e)
{
    const eex_gate_family family = e->gates.family;
    if (family == EEX_GATE_POOLED || family == EEX_GATE_LINEAR ||
        e->gates.channels == EEX_GATE_CHANNELS)
        return EEX_OK;
    return eex_fail(EEX_EINVAL,
                    "gates.channels: of pooled and linear gates, but gates.family is \"%s\", whose "
                    "channels are its point's, got %d",
                    eex_gate_family_name(family), e->gates.channels);
}

static int check_gates(const eex_experiment *e)
{
    EEX_TRY(check_channels(e));
    EEX_TRY(need(e->gates.choices >= 1, "gates.blocks", "1 to 8 different block counts",
                 e->gates.choices));
    for (int i = 1; i < e->gates.choices; i++)
        EEX_TRY(need(e->gates.blocks[i] > e->gates.blocks[i - 1], "gates.blocks",
                     "each block count once, in ascending order", e->gates.blocks[i]));
    if (e->gates.family == EEX_GATE_EEC)
        EEX_TRY(check_eec(e));
    int points = eex_experiment_points(e);
    if (e->gates.required)
        EEX_TRY(check_required(e, points));
    EEX_TRY(check_each(e));
    EEX_TRY(need(
        points <= EEX_MAX_GATES || (e->gates.max_exits && e->gates.max_exits <= EEX_MAX_GATES),
        "gates.max_exits", "from 1 to 63 where there are more than 63 points", e->gates.max_exits));
    if (e->gates.points == 0 && points * e->gates.choices >= EEX_MAX_EXITS)
        return eex_fail(EEX_EINVAL,
                        "gates: %d points x %d block counts are %d gates, expected at most %d: "
                        "choose fewer points (saliency) or block counts (gates.blocks)",
                        points, e->gates.choices, points * e->gates.choices, EEX_MAX_EXITS - 1);
    return check_fit(e);
}

static int check_candidate(const eex_experiment *e)
{
    if (e->candidate_exits && e->candidate_from != EEX_START_SHARED)
        return eex_fail(EEX_EINVAL, "candidate.exits: \"scratch\" unless candidate.from = "
                                    "\"shared\", got \"shared\"");
    return EEX_OK;
}

static int check_recipe(const eex_experiment *e, const eex_recipe *r, const char *where)
{
    char path[96];
    if (r->regime == EEX_REGIME_SANDWICH && eex_graph_genes(e->backbone) == 0)
        return eex_fail(
            EEX_EINVAL,
            "%s.regime: \"sandwich\" is for elastic backbones, and \"%s\" has no genes: "
            "take one of eex.families, or another regime",
            where, eex_graph_name(e->backbone));
    snprintf(path, sizeof path, "%s.schedule.warmup", where);
    EEX_TRY(need(r->schedule.warmup <= r->epochs || !r->epochs, path,
                 "epochs from 0 to those of the recipe", r->schedule.warmup));
    snprintf(path, sizeof path, "%s.alone", where);
    return need(r->alone <= r->epochs, path, "from 0 to the number of epochs", r->alone);
}

static int check_policy(const eex_experiment *e)
{
    EEX_TRY(eex_calibration_check_thresholds(&e->policy, "policy"));
    EEX_TRY(need(e->policy.reject == 0 || isinf(e->policy.b), "policy.b",
                 "no threshold beside policy.reject, which sets them", e->policy.b));
    const char *expected = eex_calibration_target_expected(&e->policy);
    return need(!expected, "policy.target", expected, e->policy.target);
}

/* Cuts are compared by what everybody counts. */
static int check_score(const eex_experiment *e)
{
    const eex_score_kind score = e->search.score;
    const bool cuts = score == EEX_SCORE_CUT_MACS || score == EEX_SCORE_CUT_ACCURACY;
    return cuts && e->search.cost == EEX_COST_LATENCY
               ? eex_fail(EEX_EINVAL,
                          "search.cost: \"macs\" where search.score is \"%s\", which counts MACs, "
                          "got \"latency\"",
                          eex_score_name(score))
               : EEX_OK;
}

static int check_search(const eex_experiment *e)
{
    EEX_TRY(check_score(e));
    EEX_TRY(need(e->search.sample <= e->search.population, "search.sample",
                 "from 1 to search.population", e->search.sample));
    EEX_TRY(need(e->search.algorithm != EEX_NSGA2 || e->search.population >= 2, "search.population",
                 "at least 2 for nsga2", e->search.population));
    EEX_TRY(need(!e->search.tau || e->search.evaluator == EEX_EVALUATE_SHARED, "search.tau",
                 "0 where search.evaluator is \"train\": candidates have been trained already, and "
                 "nothing else has judged them",
                 e->search.tau));
    EEX_TRY(need(!e->search.workers || e->search.evaluator == EEX_EVALUATE_TRAIN, "search.workers",
                 "0 unless search.evaluator is \"train\": what the shared network judges takes "
                 "less than handing it on",
                 e->search.workers));
    return need(e->search.tau != 1, "search.tau", "0, or at least 2 candidates", e->search.tau);
}

/* Nothing is cut without a requirement, whatever else is said of cutting. */
static int check_uncut(const eex_experiment *e)
{
    static const char group[] = "partition.";
    int count;
    const eex_field *fields = eex_fields(&count);
    for (int i = 0; i < count; i++)
        if (strncmp(fields[i].path, group, sizeof group - 1) == 0 &&
            !eex_field_is_default(&fields[i], e))
            return eex_fail(EEX_EINVAL,
                            "%s: goes with partition.latency, without which the network is not "
                            "cut: give it the milliseconds that an input may take, or leave out "
                            "what says how",
                            fields[i].path);
    return EEX_OK;
}

static int most_gates(const eex_experiment *e)
{
    const int points = eex_experiment_points(e);
    return e->gates.max_exits && e->gates.max_exits < points ? e->gates.max_exits : points;
}

enum { FLOAT_BITS = 32 };
static const double LEAST_LINK = 1e-6; /* of milliseconds and GFLOPS, as eex adapt has it */

static int check_partition(const eex_experiment *e)
{
    eex_moments moments;
    const bool small = e->partition.epochs > 0;
    if (!(e->partition.latency > 0))
        return check_uncut(e);
    EEX_TRY(need(e->partition.latency >= LEAST_LINK, "partition.latency", "0, or at least 1e-06",
                 e->partition.latency));
    EEX_TRY(need(e->partition.server == 0 || e->partition.server >= LEAST_LINK,
                 "partition.server_gflops", "0, or at least 1e-06", e->partition.server));
    EEX_TRY(need(
        e->partition.bits <= EEX_QUANTISE_MAX_BITS || (e->partition.bits == FLOAT_BITS && !small),
        "partition.bits", "1 to 8, or without a bottleneck 32, which sends values as they are",
        e->partition.bits));
    EEX_TRY(need(!small || e->partition.cut == 0, "partition.cut",
                 "0 with a bottleneck, which lies behind the last early exit", e->partition.cut));
    EEX_TRY(need(e->partition.cut <= most_gates(e), "partition.cut",
                 "at most as many exits as a candidate may have in front of its end",
                 e->partition.cut));
    const int code = eex_moments_range(&moments, e->partition.from, e->partition.to);
    return code < 0 ? eex_fail_in(code, "partition.bandwidth") : EEX_OK;
}

int eex_experiment_check(const eex_experiment *e)
{
    int count;
    const eex_field *fields = eex_fields(&count);
    for (int i = 0; i < count; i++)
        EEX_TRY(eex_field_check(&fields[i], e));
    EEX_TRY(check_points(e));
    EEX_TRY(check_gates(e));
    EEX_TRY(check_thresholds(e));
    EEX_TRY(check_recipe(e, &e->training, "training"));
    EEX_TRY(check_recipe(e, &e->candidate, "candidate"));
    EEX_TRY(check_recipe(e, &e->final, "final"));
    EEX_TRY(check_candidate(e));
    EEX_TRY(check_policy(e));
    EEX_TRY(need(e->predictor.lr_end <= e->predictor.lr, "predictor.lr_end", "at most predictor.lr",
                 e->predictor.lr_end));
    EEX_TRY(check_partition(e));
    return check_search(e);
}

/* ---- the device ---- */

static bool trains_candidates(const eex_experiment *e)
{
    return e->search.evaluator == EEX_EVALUATE_TRAIN || e->search.tau > 0;
}

static bool trains_partition(const eex_experiment *e)
{
    return e->partition.epochs > 0 || (e->partition.filters > 0 && e->partition.filter_epochs > 0);
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
        {"predictor.precision", e->predictor.epochs > 0, e->predictor.precision},
        {"partition.precision", trains_partition(e), e->partition.precision},
    };
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++) {
        int code = needs[i].used ? eex_device_calculates(device, needs[i].precision) : EEX_OK;
        if (code < 0)
            return eex_fail_in(code, "%s", needs[i].field);
    }
    return EEX_OK;
}
