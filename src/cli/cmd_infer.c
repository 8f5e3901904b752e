/* eex infer: classifies images. */
#include "cli/commands.h"
#include "cli/frame_options.h"
#include "cli/open_model.h"
#include "cli/print.h"
#include "cli/print_infer.h"
#include "cli/print_remote.h"
#include "cli/remote_options.h"
#include "core/engine/engine.h"
#include "core/model/model_data.h"
#include "core/use/frame_batches.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/signals.h"
#include "base/status.h"
#include "base/terminal.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_BATCH = 4096, WARM_UP = 5 };

typedef struct arguments {
    const char *split, *data, *fit;
    int64_t batch;
    bool json, to_end;
    eex_model_options model;
    eex__remote_options remote;
} arguments;

static const arguments defaults = {
    .batch = 1, .model = EEX_MODEL_OPTIONS_INIT, .remote = EEX__REMOTE_OPTIONS_INIT};

static const eex_option options[] = {
    EEX_TEXT("split", "NAME", split,
             "a part of the data set instead: test, validation, calibration, train"),
    EEX_TEXT("data", "NAME", data, "of another data set than the model's"),
    EEX_NUMBER("batch", "N", 1, MAX_BATCH, batch, "images at once (1)"),
    EEX_FLAG("json", json, "one JSON object a line"),
    EEX_FLAG("to-end", to_end, "nobody leaves early: the same as --policy none"),
    EEX_FIT_FRAMES(fit),
    EEX__REMOTE_OPTIONS(remote),
    EEX_MODEL_OPTIONS(model),
    EEX_NO_PREDICTOR(model),
    {0},
};

typedef struct infer {
    const arguments *a;
    eex_opened opened;
    eex_dataset *data;
    eex_frames *frames;
    eex_frame_batches *batches;
    eex_engine *engine;
    eex_offload *offload; /* NULL without --remote */
    eex__infer_printer printer;
    bool labels; /* the data set's are classes of the model */
    bool live;   /* what is to be classified comes by and by, and answers are waited for */

    eex_result *results; /* (batch) of the good ones */
    eex_answerer *by;    /* (batch) likewise */
    size_t image_bytes;

    uint64_t done, unreadable, rejected, labelled, right;
    uint64_t left[EEX_MAX_EXITS];
    double seconds; /* in the engine */
} infer;

/* ---- a batch ---- */

static void count(infer *in, const eex_frame *frame, const eex_result *result)
{
    const int right = eex__infer_right(frame, result);
    in->done++;
    in->left[result->exit]++;
    in->rejected += result->decision == EEX_REJECT;
    in->labelled += right >= 0;
    in->right += right > 0;
}

static int report(infer *in, const eex_frame_batch *batch, double ms)
{
    const eex_result *result = in->results;
    const eex_answerer *by = in->by;
    for (int i = 0; i < batch->all; i++) {
        eex_frame *frame = &batch->frame[i];
        const bool good = frame->state == EEX_FRAME_GOOD;
        if (!in->labels)
            frame->label = -1;
        EEX_TRY(eex__infer_row(&in->printer, frame, good ? result : NULL, *by, ms));
        if (good) {
            by++;
            count(in, frame, result++);
        } else {
            eex_log_warn("%s", frame->problem);
            in->unreadable++;
        }
    }
    return EEX_OK;
}

/* The first images run slowly: memory is touched for the first time. */
static int warm_up(infer *in, const eex_frame_batch *b)
{
    for (int i = 0; i < WARM_UP && b->good > 0 && in->done == 0 && !eex_interrupted(); i++)
        EEX_TRY(in->offload ? eex_offload_warm_up(in->offload, in->results, b->pixels, b->good)
                            : eex_engine_run(in->engine, in->results, b->pixels, b->good));
    return EEX_OK;
}

static int run_images(infer *in, const eex_frame_batch *b)
{
    return in->offload ? eex_offload_run(in->offload, in->results, in->by, b->pixels, b->good)
                       : eex_engine_run(in->engine, in->results, b->pixels, b->good);
}

static int run_batch(infer *in, const eex_frame_batch *batch)
{
    EEX_TRY(warm_up(in, batch));
    const double began = eex_clock_seconds();
    if (batch->good > 0)
        EEX_TRY(run_images(in, batch));
    const double seconds = eex_clock_seconds() - began;
    in->seconds += batch->good > 0 ? seconds : 0;
    EEX_TRY(report(in, batch, 1e3 * seconds));
    eex_progress_update(in->done + in->unreadable, NULL);
    return EEX_OK;
}

/* No longer than somebody takes the answers. */
static int run_batches(infer *in)
{
    eex_frame_batch *batch;
    for (bool unread = false; !unread;) {
        EEX_TRY(eex_frame_batches_next(&batch, in->batches));
        if (!batch)
            return EEX_OK;
        EEX_TRY(run_batch(in, batch));
        EEX_TRY(eex__print_arrived(&unread, in->live));
    }
    return EEX_OK;
}

/* ---- the end ---- */

/* Shares first, and then percent: so does whatever else prints them, and rounds likewise. */
static void summarise_exits(const infer *in)
{
    char text[2048];
    size_t used = 0;
    const int exits = eex_graph_exits(in->opened.model->graph);
    text[0] = '\0';
    for (int k = 0; k < exits && used < sizeof text - 64; k++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%.1f %%", k ? ", " : "",
                                 100 * ((double)in->left[k] / (double)in->done));
    eex_log_info("left at exit 1 to %d: %s", exits, text);
}

static void summarise(const infer *in)
{
    char time[EEX_TEXT_SIZE];
    if (in->done == 0)
        return;
    eex_log_info("%llu image%s in %s, %.3f ms each%s", (unsigned long long)in->done,
                 in->done == 1 ? "" : "s", eex_text_time(time, in->seconds),
                 1e3 * in->seconds / (double)in->done, in->a->batch > 1 ? " (in batches)" : "");
    if (in->done > 1)
        summarise_exits(in);
    if (in->rejected)
        eex_log_info("rejected: %llu", (unsigned long long)in->rejected);
    if (in->labelled)
        eex_log_info("right: %llu of %llu %s%s%s, %.2f %%", (unsigned long long)in->right,
                     (unsigned long long)in->labelled, in->a->split ? "of the " : "with a label",
                     in->a->split ? in->a->split : "", in->a->split ? " split" : "",
                     100 * ((double)in->right / (double)in->labelled));
    if (!in->labels)
        eex_log_info("right: not known, for %s has other classes than the model",
                     eex_dataset_facts(in->data)->name);
}

static int summarise_remote(const infer *in)
{
    eex_offload_figures figures;
    if (!in->offload)
        return EEX_OK;
    eex_offload_look(&figures, in->offload);
    return in->a->json ? eex__remote_print_json(&figures, in->a->remote.address)
                       : eex__remote_log(&figures, in->a->remote.address);
}

static int classify(infer *in)
{
    const bool shown = !eex__terminal_is(STDOUT_FILENO); /* or it would run through the table */
    if (shown)
        eex_progress_begin("classifying", eex_frames_total(in->frames), "images");
    const int code = run_batches(in);
    if (shown)
        eex_progress_end();
    fflush(stdout);
    summarise(in);
    if (code == EEX_OK)
        EEX_TRY(summarise_remote(in));
    if (code == EEX_OK && in->unreadable)
        return eex_fail(EEX_EFORMAT, "%llu of %llu images could not be read",
                        (unsigned long long)in->unreadable,
                        (unsigned long long)(in->done + in->unreadable));
    return code;
}

/* ---- opening ---- */

static int open_split(infer *in, const eex_frame_shape *shape)
{
    eex_index part;
    EEX_TRY(eex_model_data_open(&in->data, in->opened.model, in->a->data));
    EEX_TRY(eex_model_data_part(&part, in->opened.model, in->data, in->a->split));
    int code = EEX_OK;
    if (part.count == 0)
        code = eex_fail(EEX_ENOTFOUND, "the %s split is empty", in->a->split);
    else
        code = eex_frames_open_samples(&in->frames, shape, in->data, part.at, part.count);
    free(part.at);
    in->labels = eex_model_data_classes(in->opened.model, in->data) == EEX_OK;
    if (!in->labels)
        eex_log_warn("%s: its labels are left out", eex_error());
    return code;
}

static bool is_input(const eex_words *words)
{
    return words->count == 2 && strcmp(words->at[1], "-") == 0;
}

static int open_frames(infer *in, const eex_words *words)
{
    const eex_store_list *classes = &in->opened.model->input.classes;
    eex_frame_shape shape;
    EEX_TRY(eex_model_frame_shape(&shape, in->opened.model, in->a->fit));
    in->image_bytes = (size_t)shape.height * (size_t)shape.width * (size_t)shape.channels;
    in->labels = true;
    if (in->a->split)
        return open_split(in, &shape);
    in->live = is_input(words);
    if (in->live)
        return eex_frames_open_input(&in->frames, &shape, (const char *const *)classes->item,
                                     classes->count);
    return eex_frames_open_files(&in->frames, &shape, words->at + 1, (size_t)words->count - 1,
                                 (const char *const *)classes->item, classes->count);
}

static int allocate(infer *in)
{
    const size_t batch = (size_t)in->a->batch;
    const eex_frame_batches_options how = {.frames = in->frames,
                                           .device = in->opened.device,
                                           .image_bytes = in->image_bytes,
                                           .batch = (int)batch,
                                           .live = in->live};
    in->results = malloc(batch * sizeof *in->results);
    in->by = calloc(batch + 1, sizeof *in->by); /* one more: looked at behind the last, too */
    if (!in->results || !in->by)
        return eex_fail(EEX_ENOMEM, "out of memory for batches of %zu images", batch);
    return eex_frame_batches_open(&in->batches, &how);
}

static int open_and_run(infer *in, const eex_words *words)
{
    int bits;
    EEX_TRY(
        eex__remote_open_model(&in->opened, &bits, words->at[0], &in->a->model, &in->a->remote));
    EEX_TRY(open_frames(in, words));
    EEX_TRY(allocate(in));
    EEX_TRY(eex_engine_open(&in->engine, in->opened.model, (int)in->a->batch));
    if (in->a->remote.address)
        EEX_TRY(eex__remote_open(&in->offload, &in->a->remote, in->opened.model, in->engine,
                                 (int)in->a->batch, bits));
    eex__infer_begin(&in->printer, in->opened.model, in->a->split, in->a->json,
                     eex_frames_widest_name(in->frames));
    in->printer.remote = in->offload != NULL;
    return classify(in);
}

static void close_all(infer *in)
{
    eex_frame_batches_close(in->batches);
    eex_offload_close(in->offload);
    eex_engine_close(in->engine);
    eex_frames_close(in->frames);
    eex_dataset_close(in->data);
    eex_opened_close(&in->opened);
    free(in->results);
    free(in->by);
}

/* ---- the command ---- */

static int check(void *given, const eex_words *words)
{
    arguments *a = given;
    if (!a->split && words->count < 2)
        return eex_fail(EEX_EINVAL, "what to classify is missing: image files, folders, or --split "
                                    "test");
    if (a->split && words->count > 1)
        return eex_fail(EEX_EINVAL, "--split %s and \"%s\": one or the other", a->split,
                        words->at[1]);
    for (int i = 1; i < words->count && words->count > 2; i++)
        if (strcmp(words->at[i], "-") == 0)
            return eex_fail(EEX_EINVAL,
                            "- is the standard input, and stands alone: leave out \"%s\"",
                            words->at[i == 1 ? 2 : 1]);
    if (a->data && !a->split)
        return eex_fail(EEX_EINVAL, "--data goes with --split");
    if (a->to_end && a->model.policy)
        return eex_fail(EEX_EINVAL, "--to-end is --policy none: leave out --policy %s",
                        a->model.policy);
    if (a->to_end)
        a->model.policy = "none";
    return eex__remote_check(&a->remote);
}

static int run(const void *given, const eex_words *words)
{
    infer in = {.a = given};
    const int code = open_and_run(&in, words);
    close_all(&in);
    return code;
}

const eex_cmd eex_cmd_infer = {
    .name = "infer",
    .brief = "classify images",
    .synopsis = "RUN|MODEL INPUT... | RUN|MODEL - | RUN|MODEL --split NAME",
    .summary =
        "Classifies images: JPEG, PNG, WebP and TIFF files, folders of them, or a part of the\n"
        "data set; with -, files whose names come one a line on the standard input, each answered\n"
        "as it comes, or the one image that is there.\n"
        "RUN is a folder that `eex run` has made, MODEL a file that `eex prune` wrote.",
    .details = "Each image gets a line: its class and how sure the network is (0 to 1), "
               "at which exit it\n"
               "left, and whether it was accepted or rejected as unlike all that the network "
               "knows. The time\n"
               "is what its batch took. An image in a folder that is called like a class "
               "has that label, and\n"
               "the summary says how many were right. Files that cannot be read are reported, "
               "the others are\n"
               "classified all the same, and the exit status is 1. Of several pages or frames\n"
               "the first is classified; warnings name the first ten such files and count the "
               "others.\n\n" EEX__REMOTE_DETAILS "\n\n" EEX_POLICY_DETAILS,
    .words = {1, INT32_MAX},
    .takes = {sizeof(arguments), &defaults, options},
    .check = check,
    .run = run,
};
