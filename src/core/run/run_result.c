/* result.h5: the test split, scored once by really running both networks, and their latencies. */
#include "core/engine/race.h"
#include "core/graph/cost.h"
#include "core/run/run.h"

#include "base/log.h"
#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Latencies: a race of three. Networks that take long run fewer rounds. */
enum { BATCH = 100, TIMED = 500, ROUNDS = 11, TIMED_SECONDS = 20 };

typedef struct judged {
    eex_params *params;     /* best's are owned; the others borrow */
    eex_policy *policy;     /* NULL: the base */
    eex_familiar *familiar; /* NULL: the base, and networks without gates */
    const eex_graph *graph;
    eex_result *results; /* (test) */
    double joules;       /* of all test images in batches; NAN: nobody measures */
} judged;

/* Who races: the base, the chosen network, and that one to its end, without its gates. */
enum { BASE, BEST, FULL, RACERS };
static const char *const racer_group[RACERS] = {"base", "best", "full"};

typedef struct result {
    eex_run *run;
    eex_graph *graph; /* of the chosen network */
    judged base, best;
    judged full;     /* best's weights, run to the end: what leaving early is compared with */
    uint8_t *images; /* (BATCH) */
    size_t image_bytes;
    size_t timed; /* images */
    eex_racer racer[RACERS];
    double *ms; /* (RACERS, timed) */
    uint8_t *timed_images;
    eex_race race;
} result;

/* ---- the networks ---- */

static int use_final(eex_store_file *file, void *context)
{
    result *r = context;
    EEX_TRY(eex_policy_load(&r->best.policy, file, "policy"));
    if (eex_store_has(file, "familiar"))
        EEX_TRY(eex_familiar_load(&r->best.familiar, file, "familiar", r->graph));
    return EEX_OK;
}

static int load_best(result *r)
{
    int genome[EEX_MAX_GENES];
    uint64_t trial = 0;
    EEX_TRY(eex__run_chosen(genome, r->run, &trial));
    EEX_TRY(eex_structures_graph(&r->graph, r->run->structures, genome));
    r->best.graph = r->graph;
    EEX_TRY(eex__run_load_weights(&r->best.params, r->run, "final.h5", r->graph));
    return eex__run_read(r->run, "final.h5", use_final, r);
}

static int allocate(result *r)
{
    const eex_dataset_info *d = r->run->facts;
    size_t test = r->run->split.test.count;
    r->image_bytes = (size_t)d->height * (size_t)d->width * (size_t)d->channels;
    r->images = malloc(BATCH * r->image_bytes);
    r->base.results = calloc(test + 1, sizeof *r->base.results);
    r->best.results = calloc(test + 1, sizeof *r->best.results);
    r->full.results = calloc(test + 1, sizeof *r->full.results);
    r->timed = test < TIMED ? test : TIMED;
    r->timed_images = malloc(r->timed * r->image_bytes + 1);
    r->ms = calloc(RACERS * r->timed + 1, sizeof *r->ms);
    if (!r->images || !r->base.results || !r->best.results || !r->full.results ||
        !r->timed_images || !r->ms)
        return eex_fail(EEX_ENOMEM, "out of memory for the results of %zu images", test);
    return EEX_OK;
}

/* ---- accuracy ---- */

static int score_all(result *r, judged *j, eex_engine *engine)
{
    const eex_index *test = &r->run->split.test;
    for (size_t at = 0; at < test->count; at += BATCH) {
        size_t count = test->count - at < BATCH ? test->count - at : BATCH;
        EEX_TRY(eex__run_poll());
        EEX_TRY(eex_dataset_gather(r->images, r->run->data, test->at + at, count));
        EEX_TRY(eex_engine_run(engine, j->results + at, r->images, (int)count));
    }
    return EEX_OK;
}

static eex_device_usage usage_of(eex_device *dev)
{
    eex_device_usage now = {.joules = NAN};
    if (!dev->vtable->usage || dev->vtable->usage(dev, &now) < 0)
        now.joules = NAN;
    return now;
}

static int score(result *r, judged *j)
{
    eex_inference how = eex__run_inference(r->run, BATCH);
    how.familiar = j->familiar;
    eex_engine *engine = NULL;
    double before = usage_of(r->run->device).joules;
    EEX_TRY(eex_engine_new(&engine, j->graph, j->params, j->policy, &how));
    int code = score_all(r, j, engine);
    j->joules = usage_of(r->run->device).joules - before;
    eex_engine_close(engine);
    return code;
}

/* ---- latency ---- */

static int race(result *r, eex_engine *const *engines)
{
    const eex_index *test = &r->run->split.test;
    EEX_TRY(eex_dataset_gather(r->timed_images, r->run->data, test->at, r->timed));
    for (int i = 0; i < RACERS; i++)
        r->racer[i] = (eex_racer){.engine = engines[i], .unit_ms = r->ms + (size_t)i * r->timed};
    r->race = (eex_race){.images = r->timed_images,
                         .image_bytes = r->image_bytes,
                         .count = (int)r->timed,
                         .batch = 1,
                         .rounds = ROUNDS,
                         .seconds = TIMED_SECONDS,
                         .title = "measuring latencies"};
    EEX_TRY(eex_race_run(r->racer, RACERS, &r->race));
    eex_laps_warn("latencies", r->race.disturbed);
    return EEX_OK;
}

/* The chosen network to its end, without its gates; the caller frees graph and parameters. */
static int take_out_gates(eex_graph **graph, eex_params **params, const result *r)
{
    const int last = eex_graph_exits(r->graph) - 1;
    EEX_TRY(eex_graph_select(graph, r->graph, &last, 1));
    EEX_TRY(eex_params_new(params, r->run->device, *graph, 0));
    return eex_params_copy(*params, r->best.params, NULL);
}

static int race_networks(result *r, const judged *full)
{
    const judged *who[RACERS] = {&r->base, &r->best, full};
    eex_inference how = eex__run_inference(r->run, 1);
    eex_engine *engine[RACERS] = {NULL};
    int code = EEX_OK;
    for (int i = 0; i < RACERS && code == EEX_OK; i++) {
        how.familiar = who[i]->familiar;
        code = eex_engine_new(&engine[i], who[i]->graph, who[i]->params, who[i]->policy, &how);
    }
    if (code == EEX_OK)
        code = race(r, engine);
    for (int i = 0; i < RACERS; i++)
        eex_engine_close(engine[i]);
    return code;
}

static int time_networks(result *r)
{
    eex_graph *graph = NULL;
    eex_params *params = NULL;
    if (r->timed == 0)
        return EEX_OK;
    int code = take_out_gates(&graph, &params, r);
    if (code == EEX_OK)
        code = race_networks(r, &(judged){.graph = graph, .params = params});
    eex_params_free(params);
    eex_graph_free(graph);
    return code;
}

/* ---- the file ---- */

static int save_column(eex_store_file *file, const char *group, const char *name,
                       eex_store_type type, const void *values, size_t count, const char *unit)
{
    char path[64];
    const eex_store_shape shape = {1, {count}};
    snprintf(path, sizeof path, "%s/%s", group, name);
    EEX_TRY(eex_store_write_packed(file, path, type, &shape, values));
    return eex_store_set_string(file, path, "unit", unit);
}

/* Decisions of every test image, in the order of split.h5. */
static int save_decisions(eex_store_file *file, const char *group, const judged *j, size_t count)
{
    int32_t *top = malloc((count + 1) * sizeof *top), *exit = malloc((count + 1) * sizeof *exit);
    uint8_t *rejected = malloc(count + 1);
    int code = top && exit && rejected ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory");
    for (size_t i = 0; code == EEX_OK && i < count; i++) {
        top[i] = j->results[i].top;
        exit[i] = j->results[i].exit;
        rejected[i] = j->results[i].decision == EEX_REJECT;
    }
    if (code == EEX_OK)
        code = save_column(file, group, "top", EEX_STORE_I32, top, count, "class");
    if (code == EEX_OK)
        code = save_column(file, group, "exit", EEX_STORE_I32, exit, count, "exit, from 0");
    if (code == EEX_OK)
        code = save_column(file, group, "rejected", EEX_STORE_U8, rejected, count, "1: rejected");
    free(top);
    free(exit);
    free(rejected);
    return code;
}

/* What became of the test split: fractions. */
typedef struct tally {
    double accuracy, rejected;
    double share[EEX_MAX_EXITS], exit_accuracy[EEX_MAX_EXITS];
} tally;

static void count(tally *t, const result *r, const judged *j)
{
    const eex_index *test = &r->run->split.test;
    const int32_t *labels = eex_dataset_labels(r->run->data);
    double n = test->count ? (double)test->count : 1, right[EEX_MAX_EXITS] = {0};
    *t = (tally){0};
    for (size_t i = 0; i < test->count; i++) {
        const eex_result *one = &j->results[i];
        bool rejected = one->decision == EEX_REJECT;
        t->rejected += rejected / n;
        t->share[one->exit]++;
        right[one->exit] += !rejected && one->top == labels[test->at[i]];
    }
    double all = 0;
    for (int k = 0; k < eex_graph_exits(j->graph); k++) {
        all += right[k];
        t->exit_accuracy[k] = t->share[k] > 0 ? right[k] / t->share[k] : NAN;
        t->share[k] /= n;
    }
    t->accuracy = all / n;
}

/* What the device itself can tell: energy an image, and the most memory of the process so far. */
static int save_usage(eex_store_file *file, const char *group, const result *r, const judged *j)
{
    size_t images = r->run->split.test.count, peak = usage_of(r->run->device).peak_bytes;
    if (peak)
        EEX_TRY(eex_store_set_int(file, group, "device_peak_bytes", (int64_t)peak));
    if (isnan(j->joules) || images == 0)
        return EEX_OK;
    return eex_store_set_double(file, group, "energy_j", j->joules / (double)images);
}

/* What a network makes of the test split, its latency left out. */
static int save_score(eex_store_file *file, const char *group, const result *r, const judged *j)
{
    tally t;
    count(&t, r, j);
    size_t exits = (size_t)eex_graph_exits(j->graph);
    EEX_TRY(save_decisions(file, group, j, r->run->split.test.count));
    EEX_TRY(eex_store_set_double(file, group, "accuracy", t.accuracy));
    EEX_TRY(eex_store_set_double(file, group, "rejected", t.rejected));
    EEX_TRY(eex_store_set_double(file, group, "macs",
                                 eex_cost_ada_cumulative(j->graph, t.share, EEX_MACS)));
    EEX_TRY(
        eex_store_set_double(file, group, "macs_taken", eex_cost_ada(j->graph, t.share, EEX_MACS)));
    EEX_TRY(save_column(file, group, "utilisation", EEX_STORE_F64, t.share, exits,
                        "fraction of the test split"));
    EEX_TRY(save_column(file, group, "exit_accuracy", EEX_STORE_F64, t.exit_accuracy, exits,
                        "fraction of those that leave there"));
    return save_usage(file, group, r, j);
}

/* No image, no latency. */
static int save_latency(eex_store_file *file, const result *r, int i)
{
    static const eex_latency unknown = {NAN, NAN, NAN, NAN, NAN};
    const char *group = racer_group[i];
    const eex_latency *l = r->timed ? &r->racer[i].times.latency : &unknown;
    EEX_TRY(save_column(file, group, "latency_ms", EEX_STORE_F64, r->ms + (size_t)i * r->timed,
                        r->timed, "milliseconds of one input, lower quartile of its rounds"));
    EEX_TRY(eex_store_set_double(file, group, "latency_mean_ms", l->mean));
    EEX_TRY(eex_store_set_double(file, group, "latency_p50_ms", l->p50));
    EEX_TRY(eex_store_set_double(file, group, "latency_p95_ms", l->p95));
    EEX_TRY(eex_store_set_double(file, group, "latency_p99_ms", l->p99));
    return eex_store_set_double(file, group, "latency_max_ms", l->max);
}

static int save_speedup(eex_store_file *file, const result *r, int i)
{
    const eex_speedup s =
        r->timed ? eex_race_speedup(&r->racer[BASE], &r->racer[i]) : EEX_SPEEDUP_UNKNOWN;
    EEX_TRY(eex_store_set_double(file, racer_group[i], "latency_speedup", s.ratio));
    EEX_TRY(eex_store_set_double(file, racer_group[i], "latency_speedup_low", s.low));
    return eex_store_set_double(file, racer_group[i], "latency_speedup_high", s.high);
}

static int save(eex_store_file *file, const void *context)
{
    const result *r = context;
    EEX_TRY(save_score(file, "base", r, &r->base));
    EEX_TRY(save_score(file, "full", r, &r->full));
    EEX_TRY(save_score(file, "best", r, &r->best));
    for (int i = 0; i < RACERS; i++)
        EEX_TRY(save_latency(file, r, i));
    EEX_TRY(save_speedup(file, r, BEST));
    EEX_TRY(save_speedup(file, r, FULL));
    EEX_TRY(eex_store_set_int(file, "", "latency_rounds", r->race.ran));
    return eex_store_set_int(file, "", "latency_disturbed", r->race.disturbed);
}

static int work(result *r)
{
    EEX_TRY(eex__run_base_params(r->run));
    r->base = (judged){.params = r->run->base, .graph = r->run->e->backbone};
    EEX_TRY(load_best(r));
    r->full = (judged){.params = r->best.params, .graph = r->graph};
    EEX_TRY(allocate(r));
    eex_log_info("scoring the test split: %zu image%s", r->run->split.test.count,
                 eex_plural((int64_t)r->run->split.test.count));
    EEX_TRY(score(r, &r->base));
    EEX_TRY(score(r, &r->best));
    EEX_TRY(score(r, &r->full));
    EEX_TRY(time_networks(r));
    return eex__run_write(r->run, "result.h5", save, r);
}

int eex__run_result(eex_run *run)
{
    result r = {.run = run};
    int code = work(&r);
    eex_params_free(r.best.params);
    eex_policy_free(r.best.policy);
    eex_familiar_free(r.best.familiar);
    eex_graph_free(r.graph);
    free(r.base.results);
    free(r.best.results);
    free(r.full.results);
    free(r.timed_images);
    free(r.ms);
    free(r.images);
    return code;
}
