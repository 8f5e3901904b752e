/* The part of the table of cuts that takes running networks: accuracies and latencies. */
#include "core/engine/race.h"
#include "core/graph/cost.h"
#include "core/model/model_data.h"
#include "core/train/batches.h"
#include "core/use/prune.h"

#include "base/progress.h"
#include "base/signals.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>

enum { BATCH = 100 };

/* Some samples. */
typedef struct pictures {
    eex_dataset *data;
    eex_index index;
    size_t image_bytes;
} pictures;

static void close_pictures(pictures *p)
{
    free(p->index.at);
    *p = (pictures){.data = NULL};
}

static int open_pictures(pictures *p, const eex_prune_bench *b, const char *split)
{
    const eex_dataset_info *d = eex_dataset_facts(b->data);
    *p = (pictures){.data = b->data};
    p->image_bytes = (size_t)d->height * (size_t)d->width * (size_t)d->channels;
    return eex_model_data_part(&p->index, b->model, b->data, split);
}

/* ---- accuracy ---- */

static int count_right(size_t *right, eex_engine *engine, eex_batches *batches)
{
    eex_result results[BATCH];
    const eex_batch *batch;
    for (*right = 0;;) {
        if (eex_interrupted())
            return eex_fail(EEX_EINTERRUPTED, "interrupted while scoring images");
        EEX_TRY(eex_batches_next(&batch, batches));
        if (!batch)
            return EEX_OK;
        EEX_TRY(eex_engine_run(engine, results, batch->images, batch->count));
        for (int i = 0; i < batch->count; i++)
            *right += results[i].decision == EEX_ACCEPT && results[i].top == batch->labels[i];
    }
}

static int accuracy_of(double *out, const eex_model *model, pictures *p)
{
    const eex_loader_options from = {
        .data = p->data, .samples = p->index.at, .count = p->index.count, .batch = BATCH};
    eex_batches batches = {.loader = NULL};
    eex_engine *engine = NULL;
    size_t right = 0;
    EEX_TRY(eex_engine_open(&engine, model, BATCH));
    int code = eex_batches_open(&batches, model->params->device, &from);
    if (code == EEX_OK)
        code = count_right(&right, engine, &batches);
    eex_batches_close(&batches);
    eex_engine_close(engine);
    *out = (double)right / (double)p->index.count;
    return code;
}

static void know_base(eex_prune_table *t, const eex_model *base)
{
    t->base.there = true;
    t->base.params = eex_graph_param_total(base->graph);
    t->base.bytes = 0;
    for (int i = 0; i < eex_graph_params(base->graph); i++)
        t->base.bytes +=
            (int64_t)(eex_param_count(eex_graph_param(base->graph, i)) * sizeof(float));
    t->base.macs = (double)eex_cost_total(base->graph, EEX_MACS);
}

int eex_prune_base(eex_prune_table *t, const eex_prune_bench *b)
{
    pictures p = {.data = NULL};
    int code = open_pictures(&p, b, "validation");
    if (code == EEX_OK)
        code = accuracy_of(&t->base.accuracy, b->base, &p);
    if (code == EEX_OK)
        know_base(t, b->base);
    close_pictures(&p);
    return code;
}

static int test_row(eex_prune_row *row, const eex_prune_bench *b, pictures *p)
{
    eex_model *cut = NULL;
    EEX_TRY(eex_cut_make(&cut, b->model, &row->cut));
    int code = accuracy_of(&row->test_accuracy, cut, p);
    eex_model_close(cut);
    return code;
}

static int test_all(eex_prune_table *t, const eex_prune_bench *b, pictures *p)
{
    uint64_t done = 0;
    if (b->base)
        EEX_TRY(accuracy_of(&t->base.test_accuracy, b->base, p));
    for (int k = 0; k < t->exits; k++) {
        EEX_TRY(test_row(&t->kept[k], b, p));
        eex_progress_update(++done, NULL);
        EEX_TRY(test_row(&t->alone[k], b, p));
        eex_progress_update(++done, NULL);
    }
    t->test = (int)p->index.count;
    return EEX_OK;
}

int eex_prune_test(eex_prune_table *t, const eex_prune_bench *b)
{
    pictures p = {.data = NULL};
    int code = open_pictures(&p, b, "test");
    if (code == EEX_OK && p.index.count == 0)
        code = eex_fail(EEX_ENOTFOUND, "%s: its test split is empty", b->model->path);
    if (code == EEX_OK) {
        eex_progress_begin("scoring the test split", 2 * (uint64_t)t->exits, "networks");
        code = test_all(t, b, &p);
        eex_progress_end();
    }
    close_pictures(&p);
    return code;
}

/* ---- latency ---- */

/* Everybody on the start line: base, and for each exit the cut with its gates (as it comes, and
 * forced to the end) and the exit alone. */
enum { ROLES = 3, RACERS = 1 + ROLES * EEX_MAX_EXITS };

typedef struct field {
    eex_model *model[2 * EEX_MAX_EXITS];
    eex_engine *engine[2 * EEX_MAX_EXITS + 1];
    int models, engines, racers;
    eex_racer racer[RACERS];
} field;

static void close_field(field *f)
{
    for (int i = 0; i < f->engines; i++)
        eex_engine_close(f->engine[i]);
    for (int i = 0; i < f->models; i++)
        eex_model_close(f->model[i]);
    free(f);
}

static int enter(field *f, const eex_model *model)
{
    EEX_TRY(eex_engine_open(&f->engine[f->engines], model, 1));
    f->racer[f->racers++] = (eex_racer){.engine = f->engine[f->engines]};
    f->engines++;
    return EEX_OK;
}

static int enter_cut(field *f, const eex_prune_bench *b, const eex_prune_row *row)
{
    EEX_TRY(eex_cut_make(&f->model[f->models], b->model, &row->cut));
    f->models++;
    return enter(f, f->model[f->models - 1]);
}

static int enter_all(field *f, const eex_prune_table *t, const eex_prune_bench *b)
{
    if (b->base)
        EEX_TRY(enter(f, b->base));
    for (int k = 0; k < t->exits; k++) {
        EEX_TRY(enter_cut(f, b, &t->kept[k]));
        f->racer[f->racers] = f->racer[f->racers - 1];
        f->racer[f->racers].forced = true;
        f->racer[f->racers++].exit = k;
        EEX_TRY(enter_cut(f, b, &t->alone[k]));
    }
    return EEX_OK;
}

static void take_row(eex_prune_row *row, const eex_racer *as_it_comes, const eex_racer *to_the_end,
                     const eex_racer *base)
{
    row->ms = as_it_comes->times.latency.mean;
    row->most_ms = fmax(row->ms, to_the_end->times.latency.mean); /* going on shortens nothing */
    if (base)
        row->speedup = eex_race_speedup(base, as_it_comes);
}

static void take_times(eex_prune_table *t, const field *f, bool with_base)
{
    const eex_racer *r = f->racer, *base = with_base ? r++ : NULL;
    if (base)
        t->base.ms = base->times.latency.mean;
    for (int k = 0; k < t->exits; k++, r += ROLES) {
        take_row(&t->kept[k], &r[0], &r[1], base);
        take_row(&t->alone[k], &r[2], &r[2], base);
    }
    t->full_ms = t->alone[t->exits - 1].ms;
}

static int race(eex_prune_table *t, const eex_prune_bench *b, pictures *p, int images, int rounds)
{
    if ((size_t)images > p->index.count)
        images = (int)p->index.count;
    uint8_t *pixels = malloc((size_t)images * p->image_bytes + 1);
    field *f = calloc(1, sizeof *f);
    int code = pixels && f ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for %d images", images);
    if (code == EEX_OK)
        code = eex_dataset_gather(pixels, p->data, p->index.at, (size_t)images);
    if (code == EEX_OK)
        code = enter_all(f, t, b);
    eex_race how = {.images = pixels,
                    .image_bytes = p->image_bytes,
                    .count = images,
                    .batch = 1,
                    .rounds = rounds,
                    .title = "measuring latencies"};
    if (code == EEX_OK)
        code = eex_race_run(f->racer, f->racers, &how);
    if (code == EEX_OK) {
        take_times(t, f, b->base != NULL);
        t->timed = images;
        t->rounds = how.ran;
        t->disturbed = how.disturbed;
        eex_laps_warn("latencies", how.disturbed);
    }
    if (f)
        close_field(f);
    free(pixels);
    return code;
}

int eex_prune_time(eex_prune_table *t, const eex_prune_bench *b, int images, int rounds)
{
    pictures p = {.data = NULL};
    int code = open_pictures(&p, b, "validation");
    if (code == EEX_OK)
        code = race(t, b, &p, images, rounds);
    close_pictures(&p);
    return code;
}
