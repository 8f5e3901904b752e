/* Measuring the entries of a latency table.
 *
 * Networks are measured as inputs go through them that leave at one exit: for each exit the network
 * is cut down to that exit alone, so that the caches hold what they hold then. It runs many times,
 * each round once as it always does and once with every operation timed by itself. An entry is the
 * lower quartile of its rounds, the mean over the places that the operation has in these networks.
 * The first kind of round tells what timing one by one adds (a clock, a wait for the device), and
 * every operation gives up its share of that. Fusions that only the whole network has come last. */
#include "core/engine/latency_table.h"
#include "core/engine/walk.h"

#include "base/clock.h"
#include "base/rng.h"
#include "base/signals.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { WARM_UP = EEX_SETTLING_RUNS, ROUNDS = 31, LEAST_PERCENT = 10 };

typedef struct probe {
    const eex_graph *graph;
    const eex_device *device;
    eex_plan *plan;
    int ops, exits;
    double *op;     /* (ops, ROUNDS) */
    double *whole;  /* (ROUNDS) all segments */
    double *extra;  /* (EEX__LATENCY_EXTRAS, ROUNDS) */
    double *round;  /* (ops) settled */
    eex_span *span; /* (ops) */
    uint8_t *image;
} probe;

static void close_probe(probe *p)
{
    eex_plan_free(p->plan);
    free(p->op);
    free(p->whole);
    free(p->extra);
    free(p->round);
    free(p->span);
    free(p->image);
}

/* Noise: what an image shows changes no time. */
static int make_image(probe *p)
{
    const eex_node *n = eex_graph_node(p->graph, 0);
    const size_t bytes = (size_t)n->h * (size_t)n->w * (size_t)n->c;
    p->image = malloc(bytes);
    for (size_t i = 0; i < bytes && p->image; i++)
        p->image[i] = (uint8_t)eex_rng_hash(0, 0, i);
    return p->image ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for an image");
}

static int open_probe(probe *p, const eex_graph *graph, eex_params *params,
                      const eex_inference *how)
{
    eex_plan_options options = eex_inference_plan(how);
    options.batch = 1;
    EEX_TRY(eex_plan_new(&p->plan, &options, graph, params));
    p->graph = graph;
    p->device = params->device;
    p->ops = eex_plan_ops(p->plan);
    p->exits = eex_graph_exits(graph);
    return EEX_OK;
}

static int allocate(probe *p)
{
    const size_t ops = (size_t)p->ops + 1;
    p->op = calloc(ops * ROUNDS, sizeof *p->op);
    p->whole = calloc(ROUNDS, sizeof *p->whole);
    p->extra = calloc((size_t)EEX__LATENCY_EXTRAS * ROUNDS, sizeof *p->extra);
    p->round = calloc(ops, sizeof *p->round);
    p->span = calloc(ops, sizeof *p->span);
    if (!p->op || !p->whole || !p->extra || !p->round || !p->span)
        return eex_fail(EEX_ENOMEM, "out of memory for the times of %d ops", p->ops);
    return make_image(p);
}

/* Decisions are wanted where leaving is timed: thresholds that nobody fails. */
static int set_thresholds(probe *p)
{
    const size_t all = (size_t)p->exits * (size_t)eex_graph_classes(p->graph);
    float *zero = calloc(all, sizeof *zero);
    if (!zero)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu thresholds", all);
    int code = eex_plan_decide(p->plan, EEX_MEASURE_CONFIDENCE, zero, zero);
    free(zero);
    return code;
}

/* A guest that adds up what the legs of each kind take. */
typedef struct stopwatch {
    eex_guest guest;
    double ms[EEX_LEG_RESULTS + 1];
} stopwatch;

static void add_leg(eex_guest *guest, const eex_leg *leg)
{
    ((stopwatch *)guest)->ms[leg->kind] += 1e3 * (leg->end - leg->begin);
}

/* The network as an engine runs it for one input that goes to the end. Entries are shared by
 * networks whatever their policies, so nobody measures distances on the way. */
static int run_whole(probe *p, int round)
{
    stopwatch watch = {.guest.leg = add_leg};
    eex_result result;
    eex_walk walk = {.plan = p->plan,
                     .device = p->device,
                     .batch = 1,
                     .last = p->exits - 1,
                     .leaves = true,
                     .forced = true};
    EEX_TRY(eex_walk_invite(&walk, &watch.guest));
    EEX_TRY(eex_walk_run(&walk, &result, p->image, 1));
    p->extra[0 * ROUNDS + round] = watch.ms[EEX_LEG_INPUT];
    p->extra[1 * ROUNDS + round] = watch.ms[EEX_LEG_EXIT] / p->exits;
    p->extra[2 * ROUNDS + round] = watch.ms[EEX_LEG_RESULTS];
    p->whole[round] = watch.ms[EEX_LEG_SEGMENT];
    return EEX_OK;
}

static int run_ops(probe *p, int round)
{
    EEX_TRY(eex_plan_upload(p->plan, p->image, NULL, NULL, 1));
    for (int k = 0; k < p->exits; k++)
        EEX_TRY(eex_plan_spans(p->plan, p->span, k, 1));
    for (int i = 0; i < p->ops; i++)
        p->op[(size_t)i * ROUNDS + (size_t)round] = 1e3 * (p->span[i].end - p->span[i].begin);
    return EEX_OK;
}

static int run_rounds(probe *p)
{
    EEX_TRY(set_thresholds(p));
    for (int i = 0; i < WARM_UP; i++) { /* recordings are made the first time */
        EEX_TRY(run_whole(p, 0));
        EEX_TRY(run_ops(p, 0));
    }
    for (int r = 0; r < ROUNDS; r++) {
        if (eex_interrupted())
            return eex_fail(EEX_EINTERRUPTED, "interrupted while measuring latencies");
        EEX_TRY(run_whole(p, r));
        EEX_TRY(run_ops(p, r));
    }
    return EEX_OK;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The lower quartile: what else the machine does only ever adds. */
static double settled(double *rounds)
{
    qsort(rounds, ROUNDS, sizeof *rounds, by_value);
    return rounds[ROUNDS / 4];
}

/* Into p->round, without what timing them alone has added. */
static void settle(probe *p)
{
    double sum = 0;
    for (int i = 0; i < p->ops; i++)
        sum += p->round[i] = settled(p->op + (size_t)i * ROUNDS);
    const double surplus = (sum - settled(p->whole)) / p->ops;
    for (int i = 0; i < p->ops && surplus > 0; i++) {
        double least = p->round[i] * LEAST_PERCENT / 100;
        p->round[i] = p->round[i] - surplus > least ? p->round[i] - surplus : least;
    }
}

/* ---- what is missing ---- */

/* `known` is what was there before, `fresh` what this measurement has so far. */
typedef struct entries {
    const eex_latency_table *known;
    eex_latency_table *fresh;
} entries;

/* One more place at which an operation was timed. */
static int put(const entries *e, const char *key, double ms)
{
    double mean = 0;
    int places = 0;
    if (eex__latency_has(e->known, key))
        return EEX_OK;
    if (eex__latency_has(e->fresh, key)) {
        EEX_TRY(eex_latency_find(&mean, e->fresh, key));
        places = eex__latency_places(e->fresh, key);
    }
    return eex__latency_put(e->fresh, key, mean + (ms - mean) / (places + 1), places + 1);
}

static int put_all(const entries *e, const probe *p)
{
    char key[EEX_LATENCY_KEY], extra[EEX__LATENCY_EXTRAS][EEX_LATENCY_KEY];
    for (int i = 0; i < p->ops; i++) {
        EEX_TRY(eex_latency_key(key, eex_plan_op(p->plan, i)));
        EEX_TRY(put(e, key, p->round[i]));
    }
    eex__latency_extra_keys(extra, p->graph);
    for (int i = 0; i < EEX__LATENCY_EXTRAS; i++)
        EEX_TRY(put(e, extra[i], settled(p->extra + i * ROUNDS)));
    return EEX_OK;
}

static bool there(const entries *e, bool also_fresh, const char *key)
{
    return eex__latency_has(e->known, key) || (also_fresh && eex__latency_has(e->fresh, key));
}

static int complete(bool *out, const entries *e, bool also_fresh, const probe *p)
{
    char key[EEX_LATENCY_KEY], extra[EEX__LATENCY_EXTRAS][EEX_LATENCY_KEY];
    *out = true;
    for (int i = 0; i < p->ops && *out; i++) {
        EEX_TRY(eex_latency_key(key, eex_plan_op(p->plan, i)));
        *out = there(e, also_fresh, key);
    }
    eex__latency_extra_keys(extra, p->graph);
    for (int i = 0; i < EEX__LATENCY_EXTRAS && *out; i++)
        *out = there(e, also_fresh, extra[i]);
    return EEX_OK;
}

static int measure(const entries *e, bool also_fresh, probe *p)
{
    bool done = false;
    EEX_TRY(complete(&done, e, also_fresh, p));
    if (done)
        return EEX_OK;
    EEX_TRY(allocate(p));
    EEX_TRY(run_rounds(p));
    settle(p);
    return put_all(e, p);
}

/* ---- networks ---- */

static int probe_graph(const entries *e, bool also_fresh, const eex_graph *graph,
                       eex_params *params, const eex_inference *how)
{
    probe p = {.graph = graph};
    int code = open_probe(&p, graph, params, how);
    if (code == EEX_OK)
        code = measure(e, also_fresh, &p);
    close_probe(&p);
    return code;
}

static int probe_exit(const entries *e, const eex_graph *graph, const eex_params *params,
                      const eex_inference *how, int k)
{
    eex_graph *alone = NULL;
    eex_params *own = NULL;
    EEX_TRY(eex_graph_select(&alone, graph, &k, 1));
    int code = eex_params_new(&own, params->device, alone, 0);
    if (code == EEX_OK)
        code = eex_params_copy(own, params, NULL);
    if (code == EEX_OK)
        code = probe_graph(e, false, alone, own, how);
    eex_params_free(own);
    eex_graph_free(alone);
    return code;
}

/* A network that has nothing new is not cut into its exits to find that out. */
static int nothing_new(bool *out, const entries *e, const eex_graph *graph, eex_params *params,
                       const eex_inference *how)
{
    probe p = {.graph = graph};
    int code = open_probe(&p, graph, params, how);
    if (code == EEX_OK)
        code = complete(out, e, false, &p);
    close_probe(&p);
    return code;
}

static int probe_all(const entries *e, const eex_graph *graph, eex_params *params,
                     const eex_inference *how)
{
    bool done = false;
    EEX_TRY(nothing_new(&done, e, graph, params, how));
    if (done)
        return EEX_OK;
    for (int k = 0; k < eex_graph_exits(graph); k++)
        EEX_TRY(probe_exit(e, graph, params, how, k));
    return probe_graph(e, true, graph, params, how);
}

int eex_latency_table_add(eex_latency_table *t, int *added, const eex_graph *graph,
                          eex_params *params, const eex_inference *how)
{
    entries e = {.known = t};
    *added = 0;
    EEX_TRY(eex_latency_table_is_of(t, params->device));
    EEX_TRY(eex_latency_table_new(&e.fresh, params->device));
    int code = probe_all(&e, graph, params, how);
    for (size_t i = 0; i < e.fresh->count && code == EEX_OK; i++, ++*added)
        code = eex__latency_put(t, e.fresh->at[i].key, e.fresh->at[i].ms, e.fresh->at[i].places);
    eex_latency_table_free(e.fresh);
    return code;
}
