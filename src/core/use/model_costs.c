#include "core/use/model_costs.h"

#include "core/engine/race.h"
#include "core/graph/cost.h"

#include "base/fs.h"
#include "base/rng.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, MAX_TABLE = 1 << 20, ROUNDS = 51 };

static void count_macs(eex_model_costs *out, const eex_graph *g)
{
    const int last = eex_graph_exits(g) - 1;
    out->exits = last + 1;
    for (int k = 0; k <= last; k++) {
        out->macs[k] = (double)eex_cost_cumulative(g, k, EEX_MACS);
        out->ms[k] = NAN;
    }
    out->base_macs = (double)(eex_cost_trunk(g, eex_graph_exit(g, last)->point, EEX_MACS) +
                              eex_cost_gate(g, last, EEX_MACS));
    out->base_ms = NAN;
}

/* ---- the run's table ---- */

/* Where the exits are in a run: their point, from 1, and their number of blocks. Where each point
 * has a count of its own there is one choice, whatever it is. */
typedef struct places {
    int32_t position[EEX_MAX_EXITS], blocks[EEX_MAX_EXITS];
} places;

typedef struct table {
    int points, choices;
    bool each;            /* a point has one gate, of its own block count */
    int32_t *blocks;      /* (choices) */
    double *trunk, *gate; /* (points), (points, choices) */
    double base;
} table;

static void table_free(table *t)
{
    free(t->blocks);
    free(t->trunk);
    free(t->gate);
}

static int read_places(places *out, eex_store_file *file, int exits)
{
    const eex_store_shape shape = {1, {(uint64_t)exits}};
    EEX_TRY(eex_store_read(out->position, file, "exits/position", EEX_STORE_I32, &shape));
    return eex_store_read(out->blocks, file, "exits/blocks", EEX_STORE_I32, &shape);
}

static int read_choices(table *t, const char *path)
{
    eex_store_shape shape = {1, {EEX_STORE_ANY}};
    eex_store_file *file = NULL;
    EEX_TRY(eex_store_open(&file, path, "search", VERSION));
    int code = eex_store_read_new((void **)&t->blocks, file, "space/blocks", EEX_STORE_I32, &shape,
                                  MAX_TABLE);
    t->choices = code == EEX_OK ? (int)shape.extent[0] : 0;
    t->each = code == EEX_OK && eex_store_has(file, "space/each");
    eex_store_close(file);
    return code;
}

static int read_gates(table *t, eex_store_file *file, const char *path)
{
    eex_store_shape trunk = {1, {EEX_STORE_ANY}}, gate = {2, {EEX_STORE_ANY, EEX_STORE_ANY}};
    int code =
        eex_store_read_new((void **)&t->trunk, file, "trunk_ms", EEX_STORE_F64, &trunk, MAX_TABLE);
    if (code == EEX_OK)
        code =
            eex_store_read_new((void **)&t->gate, file, "gate_ms", EEX_STORE_F64, &gate, MAX_TABLE);
    if (code == EEX_OK)
        code = eex_store_get_double(&t->base, file, "", "base_ms");
    if (code == EEX_OK &&
        (gate.extent[0] != trunk.extent[0] || gate.extent[1] != (uint64_t)t->choices))
        code =
            eex_fail(EEX_EFORMAT,
                     "%s: gates of %llu points and %llu block counts, expected "
                     "%llu and %d",
                     path, (unsigned long long)gate.extent[0], (unsigned long long)gate.extent[1],
                     (unsigned long long)trunk.extent[0], t->choices);
    t->points = (int)trunk.extent[0];
    return code;
}

/* The times of an elastic backbone's networks are by node: of the one that the model is nobody
 * needs a sum, because it can be measured. */
static int read_table(table *t, bool *there, const char *path)
{
    eex_store_file *file = NULL;
    EEX_TRY(eex_store_open(&file, path, "latency", VERSION));
    *there = !eex_store_has(file, "node");
    const int code = *there ? read_gates(t, file, path) : EEX_OK;
    eex_store_close(file);
    return code;
}

static int add_up(eex_model_costs *c, const table *t, const places *at, const char *path)
{
    double gates = 0;
    for (int k = 0; k + 1 < c->exits; k++) {
        int choice = 0, p = at->position[k] - 1;
        while (!t->each && choice < t->choices && t->blocks[choice] != at->blocks[k])
            choice++;
        if (p < 0 || p >= t->points || choice == t->choices)
            return eex_fail(EEX_EFORMAT, "%s: no time for exit %d: %d blocks at point %d", path,
                            k + 1, (int)at->blocks[k], p + 1);
        gates += t->gate[p * t->choices + choice];
        c->ms[k] = t->trunk[p] + gates;
    }
    c->ms[c->exits - 1] = t->base + gates;
    c->base_ms = t->base;
    c->timed = true;
    return EEX_OK;
}

static int from_table(eex_model_costs *c, const char *latency, const char *search, const places *at)
{
    table t = {0};
    bool there = false;
    if (!eex_fs_exists(latency) || !eex_fs_exists(search))
        return EEX_OK;
    int code = read_choices(&t, search);
    if (code == EEX_OK)
        code = read_table(&t, &there, latency);
    if (code == EEX_OK && there)
        code = add_up(c, &t, at, latency);
    table_free(&t);
    return code;
}

static int from_run(eex_model_costs *c, const eex_model *model, const places *at)
{
    char *folder = NULL, *latency = NULL, *search = NULL;
    EEX_TRY(eex_path_folder(&folder, model->path));
    int code = eex_path_join(&latency, folder, "latency.h5");
    if (code == EEX_OK)
        code = eex_path_join(&search, folder, "search.h5");
    if (code == EEX_OK)
        code = from_table(c, latency, search, at);
    free(search);
    free(latency);
    free(folder);
    return code;
}

int eex_model_costs_of(eex_model_costs *out, const eex_model *model)
{
    eex_store_file *file = NULL;
    places at;
    *out = (eex_model_costs){0};
    count_macs(out, model->graph);
    if (!eex__model_in_run(model))
        return EEX_OK;
    EEX_TRY(eex_store_open(&file, model->path, "weights", VERSION));
    int code = read_places(&at, file, out->exits);
    eex_store_close(file);
    return code == EEX_OK ? from_run(out, model, &at) : code;
}

/* ---- measuring ---- */

/* An image that is neither flat nor of anything. */
static uint8_t *make_image(const eex_input *in)
{
    const size_t size = (size_t)in->height * (size_t)in->width * (size_t)in->channels;
    uint8_t *image = malloc(size);
    for (size_t i = 0; image && i < size; i++)
        image[i] = (uint8_t)eex_rng_hash(0, 0, i);
    return image;
}

/* Every exit of the model and the base take turns. */
static int race(eex_model_costs *c, eex_engine *model, eex_engine *base, const uint8_t *image)
{
    eex_racer racer[EEX_MAX_EXITS + 1];
    eex_race how = {.images = image,
                    .image_bytes = eex_engine_image_bytes(model),
                    .count = 1,
                    .batch = 1,
                    .rounds = ROUNDS};
    for (int k = 0; k < c->exits; k++)
        racer[k] = (eex_racer){.engine = model, .forced = true, .exit = k};
    racer[c->exits] = (eex_racer){.engine = base};
    EEX_TRY(eex_race_run(racer, c->exits + (base != NULL), &how));
    eex_laps_warn("latencies", how.disturbed);
    for (int k = 0; k < c->exits; k++)
        c->ms[k] = racer[k].times.latency.mean;
    c->base_ms = base ? racer[c->exits].times.latency.mean : c->ms[c->exits - 1];
    return EEX_OK;
}

static int measure(eex_model_costs *c, const eex_model *model, const eex_model *base)
{
    eex_engine *engine = NULL, *other = NULL;
    uint8_t *image = make_image(&model->input);
    int code = image ? eex_engine_open(&engine, model, 1)
                     : eex_fail(EEX_ENOMEM, "out of memory for an image");
    if (code == EEX_OK && base)
        code = eex_engine_open(&other, base, 1);
    if (code == EEX_OK)
        code = race(c, engine, other, image);
    eex_engine_close(other);
    eex_engine_close(engine);
    free(image);
    return code;
}

/* The base is the backbone alone where the model is a run's, else the last exit with the gates on
 * the way. */
int eex_model_costs_measure(eex_model_costs *costs, const char *path, eex_device *device)
{
    eex_model *model = NULL, *base = NULL;
    EEX_TRY(eex_model_open(&model, path, EEX_MODEL_BEST, device));
    int code =
        eex_fs_is_folder(path) ? eex_model_open(&base, path, EEX_MODEL_BASE, device) : EEX_OK;
    if (code == EEX_OK)
        code = measure(costs, model, base);
    eex_model_close(base);
    eex_model_close(model);
    costs->timed = code == EEX_OK;
    return code;
}
