/* eex profile: where the time of a network goes. */
#include "cli/cmd_profile.h"

#include "cli/commands.h"
#include "cli/out_file.h"
#include "cli/print_profile.h"
#include "core/model/model_data.h"
#include "core/use/chrome_trace.h"
#include "core/use/profile.h"
#include "page/plot.h"

#include "base/fs.h"
#include "base/laps.h"
#include "base/log.h"
#include "base/status.h"

#include <stdlib.h>

enum {
    BATCH = 128,
    IMAGES = 512,
    ROUNDS = 11,
    STRUCTURES = 20,
    MAX_BATCH = 4096,
    MAX_IMAGES = 100000,
    MAX_ROUNDS = 10000,
    MAX_STRUCTURES = 10000,
    TRACED = 8 /* images of a trace, and the batch after them */
};

typedef eex__profile_arguments arguments;

static const arguments defaults = {
    .batch = BATCH, .rounds = ROUNDS, .structures = STRUCTURES, .model = EEX_MODEL_OPTIONS_INIT};

static const eex_option options[] = {
    EEX_NUMBER("batch", "N", 1, MAX_BATCH, batch, "images that go in together (128)"),
    EEX_NUMBER("images", "N", 1, MAX_IMAGES, images,
               "how many are timed (512, or one batch if that is more)"),
    EEX_NUMBER("rounds", "N", EEX_LAPS_ROUNDS_MIN, MAX_ROUNDS, rounds,
               "how often each (11); the lower quartile counts"),
    EEX_FLAG("layers", layers, "list every layer, not the slowest alone"),
    EEX_OUT("FILE", out, "picture of the latencies; with --table: the table"),
    EEX_WRITES("trace", "FILE.json", trace, "write a Chrome trace"),
    EEX_FLAG("force", force, "replace files that are there"),
    EEX_BASE(base),
    EEX_IMAGES_OF(data),
    EEX_JSON(json),
    EEX_FLAG("table", table, "measure the operations of a search"),
    EEX_NUMBER("structures", "N", 1, MAX_STRUCTURES, structures,
               "random ones that predictions are checked on (20)"),
    EEX_TEXT("run", "RUN", run, "check its chosen network, too"),
    EEX_FLAG("fresh", fresh, "measure again what the table has"),
    EEX_SET(script.set, "the experiment"),
    EEX_TRUST(script.trust, "the experiment"),
    EEX_MODEL_OPTIONS(model),
    EEX_NO_PREDICTOR(model),
    {0},
};

/* ---- what goes together ---- */

static int check_images(const arguments *a)
{
    if (a->images && a->images < a->batch)
        return eex_fail(EEX_EINVAL, "--images %lld are not one batch of %lld: lower --batch, too",
                        (long long)a->images, (long long)a->batch);
    return EEX_OK;
}

static int check_kind(const arguments *a)
{
    if (a->table && (a->trace || a->base || a->layers))
        return eex_fail(EEX_EINVAL, "--table measures operations alone: --trace, --base and "
                                    "--layers are for a run or a model");
    if (!a->table && (a->run || a->fresh || a->script.trust || a->script.set.count))
        return eex_fail(EEX_EINVAL,
                        "--run, --set, --fresh and --trust go with --table EXPERIMENT.lua");
    return EEX_OK;
}

static int check(void *given, const eex_words *words)
{
    const arguments *a = given;
    EEX_TRY(check_kind(a));
    EEX_TRY(check_images(a));
    EEX_TRY(a->table ? eex_fs_find(words->at[0]) : eex_model_find(words->at[0]));
    if (a->table) /* adds to the one that is there */
        return eex_check_out(a->out, true, "latency-table", NULL);
    if (a->out)
        EEX_TRY(eex_plot_check(a->out));
    EEX_TRY(eex_check_out(a->out, a->force, NULL, NULL));
    return eex_check_out(a->trace, a->force, NULL, NULL);
}

/* ---- a model ---- */

typedef struct work {
    const arguments *a;
    const char *path; /* of the run or model */
    eex_opened opened;
    eex_model *base; /* NULL: none */
    eex_dataset *data;
    eex_index index;
    uint8_t *images;
    int32_t *labels;
    int count;
    size_t image_bytes;
    eex_profile *profile;
} work;

static int open_base(work *w)
{
    EEX_TRY(eex_open_base(&w->base, &w->opened, w->path, w->a->base, &w->a->model));
    if (!w->base)
        eex_log_info("%s: no base to compare with (--base names one)", w->path);
    return EEX_OK;
}

/* Images of the validation split, whole batches of them. */
static int load_images(work *w)
{
    const eex_model *m = w->opened.model;
    EEX_TRY(eex_model_data_own(&w->data, m, w->a->data));
    EEX_TRY(eex_model_data_part(&w->index, m, w->data, "validation"));
    const int64_t fewest = w->a->images ? w->a->images : IMAGES;
    const size_t count = (size_t)(fewest > w->a->batch ? fewest : w->a->batch);
    w->count = (int)(count < w->index.count ? count : w->index.count);
    if (w->count < w->a->batch)
        return eex_fail(EEX_EINVAL, "--batch %lld: the validation split has %zu images",
                        (long long)w->a->batch, w->index.count);
    w->image_bytes = (size_t)m->input.height * (size_t)m->input.width * (size_t)m->input.channels;
    w->images = malloc((size_t)w->count * w->image_bytes);
    w->labels = malloc((size_t)w->count * sizeof *w->labels);
    if (!w->images || !w->labels)
        return eex_fail(EEX_ENOMEM, "out of memory for %d images", w->count);
    for (int i = 0; i < w->count; i++)
        w->labels[i] = eex_dataset_labels(w->data)[w->index.at[i]];
    return eex_dataset_gather(w->images, w->data, w->index.at, (size_t)w->count);
}

/* A few images one by one, then as many at once. */
static int trace_images(work *w, eex_chrome_trace *trace, eex_engine *engine)
{
    const int count = w->count < TRACED ? w->count : TRACED;
    for (int i = 0; i < count; i++)
        EEX_TRY(eex_chrome_trace_run(trace, engine, w->images + (size_t)i * w->image_bytes,
                                     w->index.at + i, w->labels + i, 1));
    const int rows = eex_engine_rows(engine), together = count < rows ? count : rows;
    EEX_TRY(eex_chrome_trace_run(trace, engine, w->images, w->index.at, w->labels, together));
    return eex_chrome_trace_write(trace, w->a->trace);
}

static int write_trace(work *w)
{
    eex_chrome_trace *trace = NULL;
    eex_engine *engine = NULL;
    int code = eex_chrome_trace_new(&trace, w->opened.model);
    if (code == EEX_OK)
        code = eex_engine_open(&engine, w->opened.model, TRACED);
    if (code == EEX_OK)
        code = trace_images(w, trace, engine);
    if (code == EEX_OK)
        eex_log_info("%s: load it at ui.perfetto.dev or chrome://tracing", w->a->trace);
    eex_engine_close(engine);
    eex_chrome_trace_free(trace);
    return code;
}

static int draw(const work *w)
{
    eex_buffer script = EEX_BUFFER_INIT;
    eex_profile_script(&script, w->profile, w->opened.model);
    int code = eex_buffer_status(&script);
    if (code == EEX_OK)
        code = eex_plot(w->a->out, eex_buffer_text(&script));
    eex_buffer_free(&script);
    return code;
}

static int profile(work *w)
{
    const arguments *a = w->a;
    EEX_TRY(eex_open_used(&w->opened, w->path, &a->model));
    EEX_TRY(open_base(w));
    EEX_TRY(load_images(w));
    const eex_profile_options how = {.model = w->opened.model,
                                     .base = w->base,
                                     .images = w->images,
                                     .labels = w->labels,
                                     .count = w->count,
                                     .batch = (int)a->batch,
                                     .rounds = (int)a->rounds};
    EEX_TRY(eex_profile_new(&w->profile, &how));
    EEX_TRY(a->json ? eex_print_profile_json(w->profile, w->opened.model)
                    : eex_print_profile(w->profile, w->opened.model, a->layers));
    if (a->trace)
        EEX_TRY(write_trace(w));
    return a->out ? draw(w) : EEX_OK;
}

static int profile_model(const arguments *a, const char *path)
{
    work w = {.a = a, .path = path};
    int code = profile(&w);
    eex_profile_free(w.profile);
    free(w.images);
    free(w.labels);
    free(w.index.at);
    eex_dataset_close(w.data);
    eex_model_close(w.base);
    eex_opened_close(&w.opened);
    return code;
}

/* ---- the command ---- */

static int run(const void *given, const eex_words *words)
{
    const arguments *a = given;
    return a->table ? eex__profile_table(a, words->at[0]) : profile_model(a, words->at[0]);
}

static const char details[] =
    "Prints the latency of leaving at each exit with the share of images that do, what segments\n"
    "and layers take beside what they cost on paper, and how much faster than the base the\n"
    "network is, measured and in multiply-accumulates, one image at a time and in batches. Base\n"
    "and network take turns on images of the validation split. A model file has no base in it:\n"
    "--base names one.\n\n"
    "-o draws latency by exit (.png or .svg, with gnuplot). --trace writes what happens to a few\n"
    "images, operation by operation, for chrome://tracing or ui.perfetto.dev.\n\n"
    "With --table it measures every operation that a search by EXPERIMENT.lua can come upon on\n"
    "this device, prints how well sums of them predict whole networks, and keeps them in TABLE.h5\n"
    "(-o). What is in the file is not measured again. search.latency_table = \"TABLE.h5\" in an\n"
    "experiment then makes its search use them. --set is explained by eex help "
    "run.\n\n" EEX_POLICY_DETAILS;

const eex_cmd eex_cmd_profile = {
    .name = "profile",
    .brief = "show where the time of a network goes",
    .synopsis = "RUN|MODEL.h5 [options]\n       eex profile --table EXPERIMENT.lua [options]",
    .summary = "Shows where the time of a network goes: by exit, by segment, by layer.",
    .details = details,
    .words = {1, 1},
    .takes = {sizeof(arguments), &defaults, options},
    .check = check,
    .run = run,
};
