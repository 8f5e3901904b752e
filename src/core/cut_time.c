/* What the exits of a cut network take: they take turns. */
#include "core/cut.h"

#include "base/rng.h"
#include "base/status.h"
#include "core/race.h"

#include <stdlib.h>

enum { IMAGES = 4, ROUNDS = 15 };

typedef struct bench {
    eex_model *alone; /* the last exit by itself */
    eex_engine *engine, *end;
    uint8_t *images;
    size_t image_bytes;
} bench;

static void close_bench(bench *b)
{
    eex_engine_close(b->engine);
    eex_engine_close(b->end);
    eex_model_close(b->alone);
    free(b->images);
}

static int open_bench(bench *b, const eex_model *m)
{
    const eex_cut last = eex_cut_at(eex_graph_exits(m->graph) - 1, true);
    EEX_TRY(eex_cut_make(&b->alone, m, &last));
    EEX_TRY(eex_engine_open(&b->engine, m, 1));
    EEX_TRY(eex_engine_open(&b->end, b->alone, 1));
    b->image_bytes = eex_engine_image_bytes(b->engine);
    b->images = malloc(IMAGES * b->image_bytes);
    if (!b->images)
        return eex_fail(EEX_ENOMEM, "out of memory for %d images", IMAGES);
    for (size_t i = 0; i < IMAGES * b->image_bytes; i++) /* what they show changes no time */
        b->images[i] = (uint8_t)eex_rng_hash(0, 2, i);
    return EEX_OK;
}

static int race(double *ms, double *base_ms, const bench *b, int exits)
{
    eex_racer racer[EEX_MAX_EXITS + 1];
    const eex_race how = {.images = b->images,
                          .image_bytes = b->image_bytes,
                          .count = IMAGES,
                          .batch = 1,
                          .rounds = ROUNDS};
    for (int k = 0; k < exits; k++)
        racer[k] = (eex_racer){.engine = b->engine, .forced = true, .exit = k};
    racer[exits] = (eex_racer){.engine = b->end};
    EEX_TRY(eex_race_run(racer, exits + 1, &how));
    for (int k = 0; k < exits; k++)
        ms[k] = racer[k].latency.mean;
    *base_ms = racer[exits].latency.mean;
    return EEX_OK;
}

int eex_cut_time(double *ms, double *base_ms, const eex_model *m)
{
    bench b = {.alone = NULL};
    int code = open_bench(&b, m);
    if (code == EEX_OK)
        code = race(ms, base_ms, &b, eex_graph_exits(m->graph));
    close_bench(&b);
    return code;
}
