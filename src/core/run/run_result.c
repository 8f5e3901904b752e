/* result.h5: the test split, scored once by really running both networks, and their latencies. */
#include "core/engine/race.h"
#include "core/run/run_scored.h"

#include "base/log.h"
#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Latencies: a race of three. Networks that take long run fewer rounds. */
enum { TIMED = 500, ROUNDS = 11, TIMED_SECONDS = 20 };

/* Who races: the base, the chosen network, and that one to its end, without its gates. */
enum { BASE, BEST, FULL, RACERS };
static const char *const racer_group[RACERS] = {"base", "best", "full"};

typedef struct result {
    eex_run *run;
    eex_graph *graph; /* of the chosen network */
    eex__scored base, best;
    eex__scored full; /* best's weights, run to the end: what leaving early is compared with */
    double alone[EEX_MAX_EXITS]; /* accuracy of each exit of best by itself */
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
    EEX_TRY(eex__run_load_weights(&r->best.params, r->run, EEX_RUN_FINAL, r->graph));
    return eex__run_read(r->run, EEX_RUN_FINAL, use_final, r);
}

static int allocate(result *r)
{
    const eex_dataset_info *d = r->run->facts;
    size_t test = r->run->split.test.count;
    r->image_bytes = (size_t)d->height * (size_t)d->width * (size_t)d->channels;
    r->timed = test < TIMED ? test : TIMED;
    r->timed_images = malloc(r->timed * r->image_bytes + 1);
    r->ms = calloc(RACERS * r->timed + 1, sizeof *r->ms);
    if (!r->timed_images || !r->ms)
        return eex_fail(EEX_ENOMEM, "out of memory for the times of %zu images", r->timed);
    return EEX_OK;
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

static int race_networks(result *r, const eex__scored *full)
{
    const eex__scored *who[RACERS] = {&r->base, &r->best, full};
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
        code = race_networks(r, &(eex__scored){.graph = graph, .params = params});
    eex_params_free(params);
    eex_graph_free(graph);
    return code;
}

/* ---- the file ---- */

static int save_times(eex_store_file *file, const char *group, const double *ms, size_t count)
{
    char path[64];
    const eex_store_shape shape = {1, {count}};
    snprintf(path, sizeof path, "%s/latency_ms", group);
    EEX_TRY(eex_store_write_packed(file, path, EEX_STORE_F64, &shape, ms));
    return eex_store_set_string(file, path, "unit",
                                "milliseconds of one input, lower quartile of its rounds");
}

/* No image, no latency. */
static int save_latency(eex_store_file *file, const result *r, int i)
{
    static const eex_latency unknown = {NAN, NAN, NAN, NAN, NAN};
    const char *group = racer_group[i];
    const eex_latency *l = r->timed ? &r->racer[i].times.latency : &unknown;
    EEX_TRY(save_times(file, group, r->ms + (size_t)i * r->timed, r->timed));
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

/* Phases that the run is without. */
static int save_lost(eex_store_file *file, const eex_run *run)
{
    char name[64];
    for (int p = 0; p < EEX_PHASES; p++)
        if (*run->lost[p]) {
            snprintf(name, sizeof name, "%s_failure", eex_phase_at((eex_phase)p)->name);
            EEX_TRY(eex_store_set_string(file, "", name, run->lost[p]));
        }
    return EEX_OK;
}

static int save(eex_store_file *file, const void *context)
{
    const result *r = context;
    EEX_TRY(save_lost(file, r->run));
    EEX_TRY(eex__scored_save(file, "base", r->run, &r->base));
    EEX_TRY(eex__scored_save(file, "full", r->run, &r->full));
    EEX_TRY(eex__scored_save(file, "best", r->run, &r->best));
    EEX_TRY(eex__alone_save(file, "best", r->alone, eex_graph_exits(r->graph)));
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
    r->base = (eex__scored){.params = r->run->base, .graph = r->run->e->backbone};
    EEX_TRY(load_best(r));
    r->full = (eex__scored){.params = r->best.params, .graph = r->graph};
    EEX_TRY(allocate(r));
    eex_log_info("scoring the test split: %zu image%s", r->run->split.test.count,
                 eex_plural((int64_t)r->run->split.test.count));
    EEX_TRY(eex__score_test(&r->base, r->run));
    EEX_TRY(eex__score_test(&r->best, r->run));
    EEX_TRY(eex__score_test(&r->full, r->run));
    EEX_TRY(eex__score_alone(r->alone, r->run, r->graph, r->best.params));
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
    return code;
}
