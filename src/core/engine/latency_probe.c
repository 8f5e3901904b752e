/* Measuring the entries of a latency table.
 *
 * Networks are measured as inputs go through them that leave at one exit: for each exit the network
 * is cut down to that exit alone, so that the caches hold what they hold then. It runs many times,
 * each round once as it always does and once with every operation timed by itself. An entry is the
 * lower quartile of its rounds (base/laps.h), the mean over the places that the operation has in
 * these networks, which take turns: each is visited twice, for half of its rounds. The first kind
 * of round tells what timing one by one adds (a clock, a wait for the device), and every operation
 * gives up its share of that. Fusions that only the whole network has come last. */
#include "core/engine/latency_table.h"
#include "core/engine/walk.h"

#include "base/laps.h"
#include "base/rng.h"
#include "base/signals.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { WARM_UP = EEX_SETTLING_RUNS, VISITS = 2, ROUNDS = 32, LEAST_PERCENT = 10 };

/* What is kept of a network between the visits. */
typedef struct times {
    double *op;    /* (ops, ROUNDS); NULL: the network has nothing new */
    double *whole; /* (ROUNDS) all segments */
    double *extra; /* (EEX__LATENCY_EXTRAS, ROUNDS) */
} times;

typedef struct probe {
    const eex_graph *graph;
    eex_device *device;
    eex_plan *plan;
    int ops, exits;
    times *times;   /* borrowed */
    double *round;  /* (ops) settled */
    eex_span *span; /* (ops) */
    uint8_t *image;
} probe;

static void free_times(times *t)
{
    free(t->op);
    free(t->whole);
    free(t->extra);
}

static void close_probe(probe *p)
{
    eex_plan_free(p->plan);
    free(p->round);
    free(p->span);
    free(p->image);
}

/* Noise: what an image shows changes no time. */
static int make_image(probe *p)
{
    const size_t bytes = eex_plan_image_bytes(p->plan);
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

static int allocate_times(times *t, int ops)
{
    t->op = calloc(((size_t)ops + 1) * ROUNDS, sizeof *t->op);
    t->whole = calloc(ROUNDS, sizeof *t->whole);
    t->extra = calloc((size_t)EEX__LATENCY_EXTRAS * ROUNDS, sizeof *t->extra);
    return t->op && t->whole && t->extra
               ? EEX_OK
               : eex_fail(EEX_ENOMEM, "out of memory for the times of %d ops", ops);
}

static int allocate(probe *p)
{
    const size_t ops = (size_t)p->ops + 1;
    p->round = calloc(ops, sizeof *p->round);
    p->span = calloc(ops, sizeof *p->span);
    if (!p->round || !p->span)
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
    p->times->extra[0 * ROUNDS + round] = watch.ms[EEX_LEG_INPUT];
    p->times->extra[1 * ROUNDS + round] = watch.ms[EEX_LEG_EXIT] / p->exits;
    p->times->extra[2 * ROUNDS + round] = watch.ms[EEX_LEG_RESULTS];
    p->times->whole[round] = watch.ms[EEX_LEG_SEGMENT];
    return EEX_OK;
}

static int run_ops(probe *p, int round)
{
    EEX_TRY(eex_plan_upload(p->plan, p->image, NULL, NULL, 1));
    for (int k = 0; k < p->exits; k++)
        EEX_TRY(eex_plan_spans(p->plan, p->span, k, 1));
    for (int i = 0; i < p->ops; i++)
        p->times->op[(size_t)i * ROUNDS + (size_t)round] =
            1e3 * (p->span[i].end - p->span[i].begin);
    return EEX_OK;
}

static int run_rounds(probe *p, int first, int end)
{
    EEX_TRY(set_thresholds(p));
    for (int i = 0; i < WARM_UP; i++) { /* recordings are made the first time */
        EEX_TRY(run_whole(p, first));
        EEX_TRY(run_ops(p, first));
    }
    for (int r = first; r < end; r++) {
        if (eex_interrupted())
            return eex_fail(EEX_EINTERRUPTED, "interrupted while measuring latencies");
        EEX_TRY(run_whole(p, r));
        EEX_TRY(run_ops(p, r));
    }
    return EEX_OK;
}

/* Into p->round, without what timing them alone has added; whether rounds disagree. */
static bool settle(probe *p)
{
    const double whole = eex_laps_quartile(p->times->whole, ROUNDS);
    double sum = 0;
    for (int i = 0; i < p->ops; i++)
        sum += p->round[i] = eex_laps_quartile(p->times->op + (size_t)i * ROUNDS, ROUNDS);
    const double surplus = (sum - whole) / p->ops;
    for (int i = 0; i < p->ops && surplus > 0; i++) {
        double least = p->round[i] * LEAST_PERCENT / 100;
        p->round[i] = p->round[i] - surplus > least ? p->round[i] - surplus : least;
    }
    return eex_laps_disagree(p->times->whole, ROUNDS, whole);
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
    eex__latency_extra_keys(extra, p->plan);
    for (int i = 0; i < EEX__LATENCY_EXTRAS; i++)
        EEX_TRY(put(e, extra[i], eex_laps_quartile(p->times->extra + i * ROUNDS, ROUNDS)));
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
    eex__latency_extra_keys(extra, p->plan);
    for (int i = 0; i < EEX__LATENCY_EXTRAS && *out; i++)
        *out = there(e, also_fresh, extra[i]);
    return EEX_OK;
}

/* Rounds first to end of the network; with the last of them its entries are there. */
static int measure(const entries *e, bool also_fresh, probe *p, int first, int end)
{
    bool done = false;
    if (first == 0) {
        EEX_TRY(complete(&done, e, also_fresh, p));
        if (!done)
            EEX_TRY(allocate_times(p->times, p->ops));
    }
    if (!p->times->op)
        return EEX_OK;
    EEX_TRY(allocate(p));
    EEX_TRY(run_rounds(p, first, end));
    if (end < ROUNDS)
        return EEX_OK;
    e->fresh->disturbed = settle(p) || e->fresh->disturbed;
    return put_all(e, p);
}

/* ---- networks ---- */

static int probe_exit(const entries *e, times *t, int visit, const eex_graph *graph,
                      const eex_params *params, const eex_inference *how, int k)
{
    probe p = {.times = t};
    eex_graph *alone = NULL;
    eex_params *own = NULL;
    EEX_TRY(eex_graph_select(&alone, graph, &k, 1));
    int code = eex_params_new(&own, params->device, alone, 0);
    if (code == EEX_OK)
        code = eex_params_copy(own, params, NULL);
    if (code == EEX_OK)
        code = open_probe(&p, alone, own, how);
    if (code == EEX_OK)
        code = measure(e, false, &p, visit * ROUNDS / VISITS, (visit + 1) * ROUNDS / VISITS);
    close_probe(&p);
    eex_params_free(own);
    eex_graph_free(alone);
    return code;
}

/* One network at a time is in memory. */
static int probe_exits(const entries *e, const eex_graph *graph, const eex_params *params,
                       const eex_inference *how)
{
    times t[EEX_MAX_EXITS] = {{NULL, NULL, NULL}};
    const int exits = eex_graph_exits(graph);
    int code = EEX_OK;
    for (int visit = 0; visit < VISITS; visit++)
        for (int k = 0; k < exits && code == EEX_OK; k++)
            code = probe_exit(e, &t[k], visit, graph, params, how, k);
    for (int k = 0; k < exits; k++)
        free_times(&t[k]);
    return code;
}

static int probe_whole(const entries *e, const eex_graph *graph, eex_params *params,
                       const eex_inference *how)
{
    times t = {NULL, NULL, NULL};
    probe p = {.times = &t};
    int code = open_probe(&p, graph, params, how);
    if (code == EEX_OK)
        code = measure(e, true, &p, 0, ROUNDS);
    close_probe(&p);
    free_times(&t);
    return code;
}

/* A network that has nothing new is not cut into its exits to find that out. */
static int nothing_new(bool *out, const entries *e, const eex_graph *graph, eex_params *params,
                       const eex_inference *how)
{
    probe p = {.plan = NULL};
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
    EEX_TRY(probe_exits(e, graph, params, how));
    return probe_whole(e, graph, params, how);
}

static int add(eex_latency_table *t, int *added, const eex_graph *graph, eex_params *params,
               const eex_inference *how)
{
    entries e = {.known = t};
    EEX_TRY(eex_latency_table_new(&e.fresh, params->device));
    int code = probe_all(&e, graph, params, how);
    for (size_t i = 0; i < e.fresh->count && code == EEX_OK; i++, ++*added)
        code = eex__latency_put(t, e.fresh->at[i].key, e.fresh->at[i].ms, e.fresh->at[i].places);
    t->disturbed = t->disturbed || e.fresh->disturbed;
    eex_latency_table_free(e.fresh);
    return code;
}

int eex_latency_table_add(eex_latency_table *t, int *added, const eex_graph *graph,
                          eex_params *params, const eex_inference *how)
{
    *added = 0;
    EEX_TRY(eex_latency_table_is_of(t, params->device));
    EEX_TRY(eex_device_lock(params->device));
    const int code = add(t, added, graph, params, how);
    eex_device_unlock(params->device);
    return code;
}
