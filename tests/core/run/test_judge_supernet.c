/* The judge of an elastic backbone: its figures are those of the candidate's own network with
 * weights gathered, statistics taken anew, traced and replayed by hand. */
#include "core/engine/engine.h"
#include "core/graph/cost.h"
#include "core/graph/elastic.h"
#include "core/plan/slice.h"
#include "core/policy/replay.h"
#include "core/run/judge.h"
#include "core/run/run.h"
#include "core/train/statistics.h"
#include "support/corners.h"
#include "support/runs.h"

#include "base/rng.h"
#include "base/signals.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { IMAGES = 100, MOST = 512 };

static char root[TEST_PATH_SIZE], folder[TEST_PATH_SIZE];
static eex_run_options options;
static eex_experiment *e;
static eex_run run;

static void setup(void)
{
    test_runs_begin(root);
    options = test_runs_options(folder, root, "run");
    e = test_corners_elastic(EEX_EVALUATE_SHARED);
    e->search.statistics = IMAGES;
    e->training.augment.enabled = true;
    e->training.augment.crop_pad = 2;
    e->policy.kind = EEX_POLICY_MARGIN;
    e->policy.a = 0.05;
}

static void teardown(void)
{
    eex__run_end(&run);
    eex_experiment_free(e);
    eex_signals_clear();
    test_folder_remove(root);
}

TestSuite(judge_supernet, .init = setup, .fini = teardown, .timeout = 120);

/* Whatever a judge needs is there. */
static eex_judge *open_judge(const eex_judge_kind *kind)
{
    eex_judge *judge = NULL;
    run = (eex_run){.e = e, .options = &options};
    OK(eex_experiment_check(e));
    OK(eex__run_begin(&run));
    OK(eex__run_phases(&run, EEX_PHASE_SEARCH));
    OK(eex__judge_open(&judge, &run, kind));
    return judge;
}

static void draw(int *genome, eex_rng *rng)
{
    eex_space_random(genome, &run.structures->space, rng);
    eex_space_canonicalise(genome, &run.structures->space);
}

/* ---- by hand ---- */

typedef struct hand {
    eex_graph *shared, *own;
    eex_params *from, *to;
    eex_trace *calibration, *validation;
    eex_policy *policy;
    eex_outcome outcome;
} hand;

static void hand_free(hand *h)
{
    eex_policy_free(h->policy);
    eex_trace_free(h->calibration);
    eex_trace_free(h->validation);
    eex_params_free(h->to);
    eex_params_free(h->from);
    eex_graph_free(h->own);
    eex_graph_free(h->shared);
}

/* Evenly from all training images, augmented as in training. */
static void take_statistics(eex_params *params)
{
    uint32_t some[IMAGES];
    const eex_index *train = &run.split.train;
    eex_inference how = {.batch = 100, .normalise = run.normalise, .precision = e->precision};
    how.normalise.enabled = true;
    how.normalise.crop_pad = 2;
    cr_assert_gt(train->count, IMAGES);
    eex_statistics_choose(some, IMAGES, train->at, train->count, how.batch);
    OK(eex_statistics_estimate(params, run.data, some, IMAGES, &how));
}

static void gather(hand *h, const int *genome)
{
    eex_slices *slices;
    OK(eex_structures_shared(&h->shared, run.structures));
    OK(eex__run_load_weights(&h->from, &run, "shared.h5", h->shared));
    OK(eex_structures_graph(&h->own, run.structures, genome));
    OK(eex_params_new(&h->to, run.device, h->own, 4));
    OK(eex_slices_new(&slices, h->shared, h->own));
    OK(eex_slices_gather(slices, h->to, h->from));
    eex_slices_free(slices);
    take_statistics(h->to);
}

static void set_thresholds(hand *h, const int *genome)
{
    double a[EEX_MAX_EXITS];
    OK(eex_structures_thresholds(a, run.structures, genome));
    for (int k = 0; k < h->policy->exits; k++)
        h->policy->a[k] = isnan(a[k]) ? h->policy->a[k] : a[k];
    eex_policy_apply(h->policy);
}

static hand judge_by_hand(const int *genome)
{
    hand h = {.shared = NULL};
    double macs[EEX_MAX_EXITS];
    gather(&h, genome);
    for (int k = 0; k < eex_graph_exits(h.own); k++)
        macs[k] = (double)eex_cost_cumulative(h.own, k, EEX_MACS);
    const eex_exit_costs costs = {eex_graph_exits(h.own), macs, 1};
    OK(eex__run_trace(&h.calibration, &run, h.own, h.to, NULL, &run.split.calibration));
    OK(eex__run_trace(&h.validation, &run, h.own, h.to, NULL, &run.split.validation));
    OK(eex_calibrate(&h.policy, h.calibration, run.device, &e->policy, &costs));
    set_thresholds(&h, genome);
    OK(eex_trace_score(h.validation, run.device, h.policy->temperature));
    OK(eex_replay(&h.outcome, h.validation, h.policy, &costs, NULL, NULL));
    return h;
}

static void same_figures(const eex_trial *t, const eex_outcome *o, const int *genome)
{
    eex_structure_costs costs;
    double ms = 0;
    OK(eex_structures_costs(&costs, run.structures, genome));
    for (int k = 0; k < costs.exits; k++)
        ms += o->share[k] * costs.ms[k];
    cr_assert_eq(t->status, EEX_OK, "%s", t->reason);
    cr_assert_eq(t->accuracy, o->accuracy);
    cr_assert_float_eq(t->macs, o->cost, 1e-9 * o->cost);
    cr_assert_eq(t->agreement, o->agreement);
    cr_assert_eq(t->rejected, o->rejected);
    cr_assert_float_eq(t->latency, ms, 1e-9 * ms);
    cr_assert(ms > 0 && t->seconds > 0);
}

static void same_policy(eex_judge *judge, const int *genome, const eex_policy *expected)
{
    eex_policy *p;
    OK(judge->kind->policy(&p, judge, genome));
    cr_assert_eq(p->exits, expected->exits);
    const size_t cells = (size_t)p->exits * (size_t)p->classes;
    for (int k = 0; k + 1 < p->exits; k++)
        cr_assert_eq(p->a[k], expected->a[k]);
    cr_assert_arr_eq(p->high, expected->high, (cells - (size_t)p->classes) * sizeof *p->high);
    eex_policy_free(p);
}

static void same_weights(const eex_params *a, const eex_params *b)
{
    float *x = calloc(a->count + a->state_count + 1, sizeof *x);
    float *y = calloc(a->count + a->state_count + 1, sizeof *y);
    cr_assert(x && y && a->graph == b->graph);
    for (int i = 0; i < eex_graph_params(a->graph); i++) {
        const eex_param *p = eex_graph_param(a->graph, i);
        OK(eex_params_get(a, i, x));
        OK(eex_params_get(b, i, y));
        cr_assert_arr_eq(x, y, eex_param_count(p) * sizeof *x, "%s", p->name);
    }
    free(x);
    free(y);
}

static void kept_weights_are(const eex_judge_kind *kind, const hand *h, const int *genome)
{
    eex_params *kept;
    OK(eex_params_new(&kept, run.device, h->own, 7));
    OK(kind->weights(kept, &run, genome, 0));
    same_weights(kept, h->to);
    eex_params_free(kept);
}

static void check_some(int genomes)
{
    eex_judge *judge = open_judge(eex__judge_of(&(eex_run){.e = e}));
    eex_rng rng;
    eex_rng_seed(&rng, 5, 0);
    cr_assert_eq(judge->kind, &eex__judge_supernet);
    for (int i = 0; i < genomes; i++) {
        int genome[EEX_MAX_GENES];
        eex_trial trial;
        draw(genome, &rng);
        hand h = judge_by_hand(genome);
        OK(eex__judge_score(&trial, judge, genome, (uint64_t)i));
        same_figures(&trial, &h.outcome, genome);
        same_policy(judge, genome, h.policy);
        kept_weights_are(judge->kind, &h, genome);
        hand_free(&h);
    }
    eex__judge_close(judge);
}

Test(judge_supernet, figures_are_those_of_the_network_by_hand)
{
    check_some(8);
}

Test(judge_supernet, thresholds_that_are_genes_are_those_of_the_policy)
{
    const double level[] = {0.01, 0.05, 0.3};
    e->policy.a = eex_calibration_default().a;
    e->gates.levels = 3;
    memcpy(e->gates.level, level, sizeof level);
    check_some(8);
}

Test(judge_supernet, a_policy_a_class_too)
{
    const double level[] = {-1, 0.5};
    e->policy = eex_calibration_default();
    e->gates.levels = 2;
    memcpy(e->gates.level, level, sizeof level);
    check_some(4);
}

/* ---- what is kept of networks ---- */

static void same_trial(const eex_trial *a, const eex_trial *b)
{
    cr_assert(a->status == b->status && a->accuracy == b->accuracy && a->macs == b->macs &&
              a->agreement == b->agreement && a->score == b->score);
}

Test(judge_supernet, figures_do_not_depend_on_what_was_judged_before)
{
    enum { NETWORKS = 7 };
    int genome[NETWORKS][MOST];
    eex_trial first[NETWORKS], again;
    eex_judge *judge = open_judge(&eex__judge_supernet);
    eex_rng rng;
    eex_rng_seed(&rng, 6, 0);
    for (int i = 0; i < NETWORKS; i++) {
        draw(genome[i], &rng);
        OK(eex__judge_score(&first[i], judge, genome[i], (uint64_t)i));
    }
    for (int i = 0; i < 3 * NETWORKS; i++) {
        const uint64_t which = eex_rng_below(&rng, NETWORKS);
        OK(eex__judge_score(&again, judge, genome[which], 0));
        same_trial(&again, &first[which]);
    }
    eex__judge_close(judge);
}

Test(judge_supernet, an_interrupt_ends_it_and_leaves_nothing_behind)
{
    int genome[EEX_MAX_GENES];
    eex_trial trial, after;
    eex_judge *judge = open_judge(&eex__judge_supernet);
    eex_rng rng;
    eex_rng_seed(&rng, 7, 0);
    draw(genome, &rng);
    OK(eex_signals_install());
    raise(SIGINT);
    cr_assert_eq(eex__judge_score(&trial, judge, genome, 0), EEX_EINTERRUPTED);
    eex_signals_clear();
    OK(eex__judge_score(&after, judge, genome, 0));
    hand h = judge_by_hand(genome);
    same_figures(&after, &h.outcome, genome);
    hand_free(&h);
    eex__judge_close(judge);
}

/* ---- networks that fail ---- */

/* Whatever reads it is no number from there on. */
static void spoil(const char *name)
{
    eex_graph *shared;
    eex_params *params;
    const eex__history none = {.exits = 5};
    float values[4096];
    OK(eex_structures_shared(&shared, run.structures));
    OK(eex__run_load_weights(&params, &run, "shared.h5", shared));
    for (int i = 0; i < eex_graph_params(shared); i++)
        if (strcmp(eex_graph_param(shared, i)->name, name) == 0) {
            OK(eex_params_get(params, i, values));
            values[0] = NAN;
            OK(eex_params_set(params, i, values));
        }
    OK(eex__run_save_weights(&run, "shared.h5", params, &none));
    eex_params_free(params);
    eex_graph_free(shared);
}

static void set_gene(int *genome, const char *name, int option)
{
    for (int i = 0; i < eex_graph_genes(e->backbone); i++)
        if (strcmp(eex_graph_gene(e->backbone, i)->name, name) == 0)
            genome[i] = option;
}

Test(judge_supernet, a_network_that_diverges_is_a_failed_trial_and_no_other)
{
    int one[EEX_MAX_GENES] = {0}, two[EEX_MAX_GENES] = {0};
    eex_trial good, bad, again;
    eex_judge *judge = open_judge(&eex__judge_supernet);
    set_gene(two, "depth", 1);
    OK(eex__judge_score(&good, judge, one, 0));
    cr_assert_eq(good.status, EEX_OK);
    eex__judge_close(judge);
    spoil("layer2.point.conv.weight");
    OK(eex__judge_open(&judge, &run, &eex__judge_supernet));
    for (int i = 0; i < 2; i++) {
        OK(eex__judge_score(&bad, judge, two, 0));
        cr_assert_eq(bad.status, EEX_EDIVERGED);
        cr_assert(*bad.reason && isnan(bad.score) && isnan(bad.macs) && bad.seconds > 0);
        OK(eex__judge_score(&again, judge, one, 0));
        same_trial(&again, &good);
    }
    eex__judge_close(judge);
}

/* ---- of a whole run ---- */

static int use_trials(eex_store_file *file, void *context)
{
    return eex_trials_load(context, file, "trials");
}

/* The final network as it is deployed decides as the judge's replay has it. */
static void engine_decides_as(const eex_outcome *expected)
{
    const eex_index *validation = &run.split.validation;
    uint8_t images[64 * 8 * 8 * 3];
    eex_result results[64];
    eex_model *model;
    eex_engine *engine;
    double share[EEX_MAX_EXITS] = {0}, right = 0, n = (double)validation->count;
    const int32_t *labels = eex_dataset_labels(run.data);
    cr_assert_leq(validation->count, 64);
    OK(eex_model_open(&model, folder, EEX_MODEL_BEST, run.device));
    const eex_inference how = eex_model_inference(model, 64);
    OK(eex_engine_new(&engine, model->graph, model->params, model->policy, &how));
    OK(eex_dataset_gather(images, run.data, validation->at, validation->count));
    OK(eex_engine_run(engine, results, images, (int)validation->count));
    for (size_t i = 0; i < validation->count; i++) {
        share[results[i].exit] += 1 / n;
        right += results[i].top == labels[validation->at[i]];
    }
    cr_assert_float_eq(right / n, expected->accuracy, 1e-12);
    for (int k = 0; k < eex_graph_exits(model->graph); k++)
        cr_assert_float_eq(share[k], expected->share[k], 1e-12);
    eex_engine_close(engine);
    eex_model_close(model);
}

Test(judge_supernet, a_run_stores_what_the_judge_says_and_its_final_network_does_it)
{
    int genome[EEX_MAX_GENES];
    uint64_t chosen;
    eex_trials stored;
    OK(eex_experiment_run(e, &options));
    eex_judge *judge = open_judge(&eex__judge_supernet);
    eex_trials_init(&stored, run.structures->space.genes);
    OK(eex__run_read(&run, "search.h5", use_trials, &stored));
    cr_assert_eq(stored.count, 6);
    for (size_t i = stored.count; i-- > 0;) {
        eex_trial trial;
        OK(eex__judge_score(&trial, judge, eex_trials_genome(&stored, i), i));
        same_trial(&trial, &stored.at[i]);
    }
    OK(eex__run_chosen(genome, &run, &chosen));
    hand h = judge_by_hand(genome);
    same_figures(&stored.at[chosen], &h.outcome, eex_trials_genome(&stored, chosen));
    engine_decides_as(&h.outcome);
    hand_free(&h);
    eex_trials_free(&stored);
    eex__judge_close(judge);
    cr_assert(!eex__run_has(&run, "trace-calibration.h5"));
}

/* ---- candidates that start from the shared network ---- */

/* The parameter as the candidate had it after a training whose steps are too small to tell. */
static bool same_parameter(const eex_params *a, const eex_params *b, int i)
{
    static float x[65536], y[65536];
    const size_t bytes = eex_param_count(eex_graph_param(a->graph, i)) * sizeof *x;
    OK(eex_params_get(a, i, x));
    OK(eex_params_get(b, i, y));
    return memcmp(x, y, bytes) == 0;
}

static void check_start(bool exits)
{
    int genome[EEX_MAX_GENES] = {0};
    eex_trial trial;
    e->search.evaluator = EEX_EVALUATE_TRAIN;
    e->candidate_from = EEX_START_SHARED;
    e->candidate_exits = exits;
    e->candidate.lr = 1e-30;
    eex_judge *judge = open_judge(&eex__judge_train);
    for (int p = eex_graph_genes(e->backbone); p < run.structures->space.genes; p++)
        genome[p] = 1;
    hand h = judge_by_hand(genome);
    eex_params *kept;
    OK(eex__judge_score(&trial, judge, genome, 3));
    cr_assert_eq(trial.status, EEX_OK, "%s", trial.reason);
    OK(judge->kind->keep(judge, 3));
    OK(eex_params_new(&kept, run.device, h.own, 7));
    OK(judge->kind->weights(kept, &run, genome, 3));
    for (int i = 0; i < eex_graph_params(h.own); i++) {
        const eex_param *p = eex_graph_param(h.own, i);
        const bool of_exit = strncmp(p->name, "exits.", 6) == 0;
        if (p->trainable && p->rank > 1)
            cr_assert_eq(same_parameter(kept, h.to, i), exits || !of_exit, "%s", p->name);
    }
    eex_params_free(kept);
    hand_free(&h);
    eex__judge_close(judge);
}

Test(judge_supernet, candidates_start_from_the_shared_backbone_and_new_exits)
{
    check_start(false);
}

Test(judge_supernet, candidates_start_from_its_exits_where_they_are_to)
{
    check_start(true);
}
