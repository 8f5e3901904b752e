/* eex stream: a model on frames that come one after the other. */
#include "cli/commands.h"
#include "cli/frame_options.h"
#include "cli/open_model.h"
#include "cli/out_file.h"
#include "cli/print_stream.h"
#include "cli/remote_options.h"
#include "cli/stream_decisions.h"
#include "cli/stream_source.h"
#include "core/policy/reject.h"

#include "base/log.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BATCH = 4096, MAX_QUEUE = 65536, MOST_FRAMES = 1000000000 };

typedef struct arguments {
    eex_model_options model;
    eex__source_options source;
    eex__remote_options remote;
    const char *compare, *decisions;
    int64_t batch, window;
    bool json, force;
} arguments;

static const arguments defaults = {.model = EEX_MODEL_OPTIONS_INIT,
                                   .source = {.queue = 64},
                                   .remote = EEX__REMOTE_OPTIONS_INIT,
                                   .batch = 1,
                                   .window = EEX_DRIFT_WINDOW};

static const eex_option options[] = {
    EEX_TEXT("compare", "base|MODEL", compare,
             "also run the network without exits, or another one"),
    EEX_TEXT("irrelevant", "P,P,...", source.irrelevant,
             "simulated: percent of irrelevant frames (0); several make a table"),
    EEX_TEXT("ood", "NAME", source.ood,
             "simulated: unlike frames from this data set (they are drawn)"),
    EEX_TEXT("data", "NAME", source.data, "simulated: another data set with the same classes"),
    EEX_TEXT("split", "NAME", source.split,
             "simulated: frames of another split than test, to choose a policy by"),
    EEX_SEED(source.seed, "simulated: which random frames, in which order (0)"),
    EEX_NUMBER("frames", "N", 1, MOST_FRAMES, source.frames,
               "stop after so many (all; simulated: as many as test images)"),
    EEX_REAL("fps", "F", 0.001, 1e6, source.fps,
             "frames come so many a second (as fast as possible)"),
    EEX_NUMBER("queue", "N", 1, MAX_QUEUE, source.queue, "frames that may wait (64)"),
    EEX_TEXT("drop", "WHICH", source.drop,
             "when the queue is full: oldest (with --fps), newest or none"),
    EEX_TEXT("format", "y4m|rgb", source.format, "of a file or the standard input (y4m)"),
    EEX_TEXT("size", "WxH", source.size, "of frames of --format rgb"),
    EEX_FIT_FRAMES(source.fit),
    EEX_NUMBER("batch", "N", 1, MAX_BATCH, batch, "frames at once (1)"),
    EEX_NUMBER("window", "N", 20, 1000000, window,
               "frames that are compared with calibration at a time (500)"),
    EEX_WRITES("decisions", "FILE|-", decisions,
               "a JSON line a frame; - is the standard output, and all else goes to stderr"),
    EEX_FLAG("force", force, "replace the file of --decisions"),
    EEX__REMOTE_OPTIONS(remote),
    EEX_MODEL_OPTIONS(model),
    EEX_NO_PREDICTOR(model),
    EEX_JSON(json),
    {0},
};

typedef struct stream {
    const arguments *a;
    eex_opened opened;
    eex_model *base; /* NULL without --compare */
    eex_engine *engine, *base_engine;
    eex_offload *offload;    /* NULL without --remote */
    eex_engine *full_engine; /* the model to its end, beside the base */
    eex__source source;
    eex__decisions decisions; /* {0} without --decisions */
    eex_stream *streams[EEX__MAX_SHARES];
    int count;      /* of the streams that were begun */
    bool disturbed; /* a comparison by the clock was */
    char unwatched[512];
} stream;

/* ---- opening ---- */

/* The network to compare with reads the same frames and knows the same classes. */
static int check_base(const stream *st)
{
    const eex_input *a = &st->opened.model->input, *b = &st->base->input;
    if (a->height != b->height || a->width != b->width || a->channels != b->channels ||
        a->classes.count != b->classes.count)
        return eex_fail(EEX_EINVAL,
                        "--compare: %s reads %dx%dx%d and has %zu classes, %s %dx%dx%d and %zu",
                        st->base->path, b->height, b->width, b->channels, b->classes.count,
                        st->opened.model->path, a->height, a->width, a->channels, a->classes.count);
    return EEX_OK;
}

static int open_base(stream *st, const char *run)
{
    const bool base = strcmp(st->a->compare, "base") == 0;
    EEX_TRY(eex_model_open(&st->base, base ? run : st->a->compare,
                           base ? EEX_MODEL_BASE : EEX_MODEL_BEST, st->opened.device));
    EEX_TRY(check_base(st));
    EEX_TRY(eex_apply_precision(st->base, &st->a->model));
    EEX_TRY(eex_engine_open(&st->base_engine, st->base, (int)st->a->batch));
    const eex_model *model = st->opened.model;
    const eex_inference how = eex_model_inference(model, (int)st->a->batch);
    return eex_graph_exits(model->graph) > 1
               ? eex_engine_new(&st->full_engine, model->graph, model->params, NULL, &how)
               : EEX_OK;
}

static int open_all(stream *st, const eex_words *words)
{
    int bits;
    EEX_TRY(
        eex__remote_open_model(&st->opened, &bits, words->at[0], &st->a->model, &st->a->remote));
    EEX_TRY(eex__source_open(&st->source, words->at[0], words->at[1], st->opened.model,
                             &st->a->source));
    EEX_TRY(eex_engine_open(&st->engine, st->opened.model, (int)st->a->batch));
    if (st->a->remote.address)
        EEX_TRY(eex__remote_open(&st->offload, &st->a->remote, st->opened.model, st->engine,
                                 (int)st->a->batch, bits));
    return st->a->compare ? open_base(st, words->at[0]) : EEX_OK;
}

/* Of the first stream, once it is known that none of its frames is replaced. */
static int open_decisions(stream *st)
{
    return st->a->decisions && !st->decisions.open
               ? eex__decisions_open(&st->decisions, st->a->decisions, st->opened.model,
                                     st->offload ? (int)st->a->batch : 0)
               : EEX_OK;
}

static void close_all(stream *st)
{
    eex__decisions_close(&st->decisions);
    for (int i = 0; i < st->count; i++)
        free(st->streams[i]);
    eex_offload_close(st->offload);
    eex_engine_close(st->engine);
    eex_engine_close(st->base_engine);
    eex_engine_close(st->full_engine);
    eex_model_close(st->base);
    eex__source_close(&st->source);
    eex_opened_close(&st->opened);
}

/* ---- running ---- */

/* Models without a calibration trace, and policies without a choice, are streamed unwatched. */
static int watch(stream *st, eex_stream *s)
{
    if (st->a->remote.adapt) {
        snprintf(st->unwatched, sizeof st->unwatched, "thresholds follow the bandwidth");
        return EEX_OK;
    }
    const int code =
        eex_drift_watch(&s->drift, st->opened.model, (int)st->a->window, EEX_DRIFT_ALPHA);
    s->watched = code == EEX_OK;
    if (code == EEX_ENOTFOUND || code == EEX_EINVAL) {
        snprintf(st->unwatched, sizeof st->unwatched, "%s", eex_error());
        return EEX_OK;
    }
    return code;
}

static int offload(void *context, eex_result *results, const uint8_t *images, int count)
{
    const stream *st = context;
    return eex_offload_run(st->offload, results, st->decisions.by, images, count);
}

static int warm_up(void *context, eex_result *results, const uint8_t *images, int count)
{
    const stream *st = context;
    return eex_offload_warm_up(st->offload, results, images, count);
}

static eex_stream_options how_to_run(stream *st)
{
    const eex_frame_shape *shape = &st->source.shape;
    const bool arrives = st->a->source.fps > 0 || st->source.input;
    return (eex_stream_options){.batch = (int)st->a->batch,
                                .exits = eex_graph_exits(st->opened.model->graph),
                                .base_exits = st->base ? eex_graph_exits(st->base->graph) : 0,
                                .image_bytes = (size_t)shape->height * (size_t)shape->width *
                                               (size_t)shape->channels,
                                .frames = (uint64_t)st->a->source.frames,
                                .full = st->full_engine,
                                .classify = st->offload ? offload : NULL,
                                .warm_up = st->offload ? warm_up : NULL,
                                .context = st,
                                .listener = st->a->decisions ? &st->decisions.listener : NULL,
                                .live = arrives && !st->base,
                                .quiet = st->source.shares > 1};
}

static int run_stream(stream *st, eex_stream *s, int i)
{
    const eex_stream_options o = how_to_run(st);
    eex_frames *frames = NULL;
    EEX_TRY(watch(st, s));
    EEX_TRY(eex__source_frames(&frames, &st->source, i, st->base != NULL));
    int code = open_decisions(st);
    if (st->source.shares > 1)
        st->decisions.irrelevant = st->source.share[i];
    if (code == EEX_OK)
        code = eex_stream_run(s, frames, st->engine, st->base_engine, &o);
    eex_frames_close(frames);
    st->disturbed = st->disturbed || s->speedup.disturbed;
    if (st->decisions.gone)
        eex_log_info("nobody reads the decisions any more: the stream ends");
    if (code == EEX_EINTERRUPTED)
        return eex_fail(code, "interrupted after %llu frames", (unsigned long long)s->frames);
    if (code == EEX_OK && s->frames == 0)
        return eex_fail(EEX_EFORMAT, "%s: no frames%s", st->source.path,
                        s->skipped ? " that could be used" : "");
    return code;
}

static int run_streams(stream *st)
{
    const eex_stream_options o = how_to_run(st);
    int code = eex_stream_warm_up(st->engine, st->base_engine, &o);
    for (int i = 0; i < st->source.shares && code == EEX_OK; i++) {
        if (st->source.shares > 1)
            eex_log_info("%g %% irrelevant frames", 100 * st->source.share[i]);
        st->streams[i] = eex_stream_new();
        if (!st->streams[i])
            return EEX_ENOMEM;
        st->count = i + 1;
        code = run_stream(st, st->streams[i], i);
    }
    return code;
}

/* What there is, also when something went wrong on the way. */
static int print(const stream *st)
{
    const eex__source *s = &st->source;
    eex_offload_figures figures;
    if (st->offload)
        eex_offload_look(&figures, st->offload);
    const eex__stream_facts facts = {.model = st->opened.model,
                                     .base = st->base,
                                     .source = s->input ? "standard input" : s->path,
                                     .split = !s->simulated         ? NULL
                                              : st->a->source.split ? st->a->source.split
                                                                    : "test",
                                     .batch = (int)st->a->batch,
                                     .server = st->a->remote.address,
                                     .offloaded = st->offload ? &figures : NULL,
                                     .fps = st->a->source.fps,
                                     .rejects = st->opened.model->policy &&
                                                eex_policy_rejects(st->opened.model->policy),
                                     .unwatched = *st->unwatched ? st->unwatched : NULL};
    double share[EEX__MAX_SHARES];
    int count = 0;
    for (int i = 0; i < st->count && st->streams[i]->frames > 0; i++, count++)
        share[i] = s->simulated ? s->share[i] : (double)NAN;
    if (count == 0)
        return EEX_OK;
    if (st->a->json)
        return eex__stream_print_json(&facts, st->streams, share, count);
    if (s->shares > 1)
        return eex__stream_print_table(&facts, st->streams, share, count);
    return eex__stream_print(&facts, st->streams[0], share[0]);
}

static int open_and_run(stream *st, const eex_words *words)
{
    char why[2048];
    EEX_TRY(open_all(st, words));
    int code = run_streams(st);
    if (code == EEX_EIO && st->decisions.gone)
        code = EEX_OK; /* as with any output that nobody wants to the end */
    eex_laps_warn("speed-up", st->disturbed);
    if (code == EEX_OK)
        return print(st);
    snprintf(why, sizeof why, "%s", eex_error());
    print(st);
    return eex_fail(code, "%s", why);
}

/* ---- the command ---- */

static const char details[] =
    "SOURCE is one of\n"
    "  -           video on the standard input, as `ffmpeg -i FILE -f yuv4mpegpipe -` writes it\n"
    "  FILE.y4m    the same from a file; with --format rgb, bare pixels of --size WIDTHxHEIGHT\n"
    "  FOLDER      its images in the order of their names\n"
    "  simulated   the test images of the model's data set in random order, with a share of\n"
    "              irrelevant frames among them (--irrelevant): half of them of low entropy, half\n"
    "              unlike anything that the network knows. What is looked at to choose a\n"
    "              policy is best of --split validation and another --seed\n"
    "Frames that are cut off or cannot be read are reported, counted and left out. Of an image "
    "file\n"
    "with several pages or frames the first is taken; warnings name the first ten of these and\n"
    "count the others.\n\n"
    "By default frames are taken as fast as they can be classified. "
    "With --fps they come at a rate;\n"
    "while the network is busy they wait in a queue, and when that is full the oldest of them is\n"
    "dropped (or the newest, or the source waits: --drop). "
    "--compare base runs the network without\n"
    "exits on the same frames by turns and prints how much sooner the exits are done.\n\n"
    "At the end there are latencies (what a frame's batch took, milliseconds), "
    "the exits that were\n"
    "taken, and what was rejected. "
    "Warnings say when frames begin to leave otherwise than those that\n"
    "the thresholds were made from. Ctrl-C prints all that for the frames so far. --decisions "
    "says\n"
    "of each frame what became of it, as soon as that is known.\n"
    "\n" EEX__REMOTE_DETAILS "\n\n" EEX_POLICY_DETAILS;

static int check(void *given, const eex_words *words)
{
    arguments *a = given;
    if (a->compare && a->source.fps > 0)
        return eex_fail(EEX_EINVAL, "--compare takes frames as fast as possible: leave out --fps");
    if (a->compare && a->remote.address)
        return eex_fail(EEX_EINVAL, "--compare races networks on this machine: leave out --remote");
    EEX_TRY(eex_model_find(words->at[0]));
    EEX_TRY(eex__source_find(words->at[1]));
    EEX_TRY(eex__decisions_check(a->decisions, a->force));
    a->source.written = a->decisions;
    return eex__remote_check(&a->remote);
}

static int run(const void *given, const eex_words *words)
{
    stream st = {.a = given};
    const int code = open_and_run(&st, words);
    const int closed = code == EEX_OK ? eex__decisions_close(&st.decisions) : EEX_OK;
    close_all(&st);
    return code == EEX_OK ? closed : code;
}

const eex_cmd eex_cmd_stream = {
    .name = "stream",
    .brief = "classify frames as they come, from a file, a pipe or a folder",
    .synopsis = "RUN|MODEL SOURCE [options]",
    .summary = "Classifies the frames of a video, of a camera or of a folder as they come.\n"
               "RUN is a folder that `eex run` has made, MODEL a file that `eex prune` wrote.",
    .details = details,
    .words = {2, 2},
    .takes = {sizeof(arguments), &defaults, options},
    .check = check,
    .run = run,
};
