/* eex bottleneck: fewer bytes between a device and a server. */
#include "cli/commands.h"
#include "cli/open_model.h"
#include "cli/out_file.h"
#include "cli/print.h"
#include "cli/print_bottleneck.h"
#include "core/model/model_data.h"
#include "core/report/report_partition.h"
#include "core/train/kept.h"

#include "base/fs.h"
#include "base/status.h"
#include "base/text.h"

#include <stdlib.h>

enum { MOST_EPOCHS = 100000, MOST_BATCH = 65536 };

typedef struct arguments {
    const char *out, *data, *precision;
    int64_t bits, epochs, more, batch, seed;
    double lr, more_lr;
    bool plain, force, json;
    eex_model_options model;
} arguments;

static const arguments defaults = {.bits = 8,
                                   .epochs = 20,
                                   .more = 10,
                                   .batch = 128,
                                   .lr = 0.05,
                                   .more_lr = 0.005,
                                   .model = EEX_MODEL_OPTIONS_INIT};

static const eex_option options[] = {
    EEX_OUT("MODEL.h5", out, "write the network with the bottleneck (needed)"),
    EEX_FLAG("force", force, "replace a file that is there"),
    EEX_NUMBER("bits", "N", 1, 8, bits, "of each value that is sent (8)"),
    EEX_NUMBER("epochs", "N", 1, MOST_EPOCHS, epochs, "of the autoencoder's training (20)"),
    EEX_NUMBER("more-epochs", "N", 1, MOST_EPOCHS, more, "behind the quantised codes (10)"),
    EEX_NUMBER("batch", "N", 2, MOST_BATCH, batch, "images a step (128)"),
    EEX_TRAINING_PRECISION(precision),
    EEX_REAL("lr", "X", 1e-9, 100, lr, "the autoencoder's rate, cosine down from there (0.05)"),
    EEX_REAL("more-lr", "X", 1e-9, 100, more_lr, "the same behind the codes (0.005)"),
    EEX_FLAG("no-augment", plain, "train on the images as they are, neither cropped nor flipped"),
    EEX_NUMBER("seed", "N", 0, INT64_MAX, seed, "of weights and the order of images (0)"),
    EEX_IMAGES_OF(data),
    EEX_JSON(json),
    EEX_MODEL_OPTIONS(model),
    {0},
};

static int check(void *given, const eex_words *words)
{
    const arguments *a = given;
    if (!a->out)
        return eex_fail(EEX_EINVAL, "where to write the network? -o MODEL.h5");
    eex_precision precision;
    EEX_TRY(eex_parse_training_precision(&precision, a->precision));
    EEX_TRY(eex_model_find(words->at[0]));
    return eex_check_out(a->out, a->force, "weights", "origin");
}

/* ---- saying it ---- */

static int put_json(eex_buffer *out, const eex_bottled *b, const char *file)
{
    eex_json j = EEX_JSON_INIT(out);
    eex_json_object(&j, NULL);
    eex_json_string(&j, "file", file);
    eex_report_bottled_json(&j, b);
    eex_json_end(&j);
    eex_buffer_putc(out, '\n');
    return EEX_OK;
}

static int print(const eex_bottled *b, const arguments *a)
{
    eex_buffer text = EEX_BUFFER_INIT;
    if (a->json)
        return eex__print_text(&text, put_json(&text, b, a->out));
    eex__put_line(&text, "%s:", a->out);
    eex_put_bottled(&text, b);
    return eex__print_report(&text, EEX_OK);
}

/* ---- the command ---- */

/* What can be refused is, before images are read. */
static int make(const arguments *a, eex_opened *opened, eex_dataset **data, const eex_bottling *how)
{
    eex_bottleneck *made = NULL;
    EEX_TRY(eex_bottleneck_check(opened->model, how));
    EEX_TRY(eex_model_data_own(data, opened->model, a->data));
    EEX_TRY(eex_bottleneck_make(&made, opened->model, *data, how));
    const eex_bottled done = *eex_bottleneck_facts(made);
    int code = eex_bottleneck_save(made, a->out);
    eex_bottleneck_free(made);
    EEX_TRY(code);
    EEX_TRY(eex_fs_remove_file(how->checkpoint));
    return print(&done, a);
}

static int work(const arguments *a, eex_opened *opened, eex_dataset **data, const char *path)
{
    eex_bottling how = {.bits = (int)a->bits,
                        .epochs = (int)a->epochs,
                        .more = (int)a->more,
                        .batch = (int)a->batch,
                        .lr = a->lr,
                        .more_lr = a->more_lr,
                        .augment = !a->plain,
                        .seed = (uint64_t)a->seed};
    char *checkpoint = NULL;
    EEX_TRY(eex_parse_training_precision(&how.precision, a->precision));
    EEX_TRY(eex_open_model(opened, path, EEX_MODEL_BEST, &a->model));
    EEX_TRY(eex_kept_path(&checkpoint, a->out));
    how.rates = "--lr, --more-lr";
    how.checkpoint = checkpoint;
    const int code = make(a, opened, data, &how);
    free(checkpoint);
    return code;
}

static int run(const void *given, const eex_words *words)
{
    eex_opened opened = {NULL, NULL};
    eex_dataset *data = NULL;
    int code = work(given, &opened, &data, words->at[0]);
    eex_dataset_close(data);
    eex_opened_close(&opened);
    return code;
}

static const char details[] =
    "What a device sends to a server is the value behind its last early exit. An autoencoder "
    "makes\n"
    "it small: half its height and width and a quarter of its channels, in a few bits each. It is\n"
    "trained with all that lies behind it while what lies in front is frozen, so early exits "
    "answer\n"
    "as before; then, with the codes rounded, decoder and end are trained on.\n\n"
    "What is written is a model file: every command takes it in the place of a run. Its "
    "thresholds\n"
    "are the network's; `eex tune` fits others.\n\n" EEX_POLICY_DETAILS;

const eex_cmd eex_cmd_bottleneck = {
    .name = "bottleneck",
    .brief = "send fewer bytes from a device to a server",
    .synopsis = "RUN|MODEL.h5 -o MODEL.h5 [options]",
    .summary = "Puts an autoencoder where a network is cut between a device and a server.",
    .details = details,
    .words = {1, 1},
    .takes = {sizeof(arguments), &defaults, options},
    .check = check,
    .run = run,
};
