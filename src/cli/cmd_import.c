/* eex import: weights that were trained elsewhere, for a run to start from. */
#include "cli/commands.h"
#include "cli/import_onnx.h"
#include "cli/out_file.h"
#include "cli/print_import.h"
#include "cli/script_options.h"
#include "core/exchange/start.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

typedef struct arguments {
    const char *into, *out, *data, *dataset, *mean, *std;
    int64_t size;
    bool partial, force, json;
    eex_script_options script;
} arguments;

static const eex_option options[] = {
    EEX_TEXT("into", "FILE.lua", into, "the experiment whose backbone takes them"),
    EEX_OUT("MODEL.h5", out, "what to write (the weights' name with .h5)"),
    EEX_FLAG("force", force, "replace that file"),
    EEX_FLAG("partial", partial, "layers that find no weights start anew"),
    EEX_TEXT("dataset", "NAME", dataset, "of MODEL.onnx: what it is to classify"),
    EEX_TEXT("mean", "R,G,B", mean, "of MODEL.onnx: what it was trained with (the data set's)"),
    EEX_TEXT("std", "R,G,B", std, "likewise the deviation, of values in 0..1"),
    EEX_NUMBER("size", "N", 8, 4096, size, "of MODEL.onnx: its images, where it does not say"),
    EEX_TEXT("data", "DIR", data, "the data folder, instead of $EEX_DATA"),
    EEX_SET(EEX_IN(script, set), "the experiment"),
    EEX_TRUST(EEX_IN(script, trust), "the experiment"),
    EEX_JSON(json),
    {0},
};

static int check(void *given, const eex_words *words)
{
    const arguments *a = given;
    const bool onnx = eex_is_onnx(words->at[0]);
    if (onnx && (a->into || a->partial || a->script.set.count > 0 || a->script.trust))
        return eex_fail(EEX_EINVAL,
                        "%s is a network by itself: --into, --partial, --set and "
                        "--trust go with safetensors",
                        words->at[0]);
    if (!onnx && (a->dataset || a->mean || a->std || a->size))
        return eex_fail(EEX_EINVAL, "--dataset, --mean, --std and --size go with MODEL.onnx");
    if (!onnx && !a->into)
        return eex_fail(EEX_EINVAL, "%s: for which network? --into EXPERIMENT.lua", words->at[0]);
    if (a->data && setenv("EEX_DATA", a->data, 1) != 0)
        return eex_fail(EEX_ENOMEM, "out of memory for --data");
    EEX_TRY(eex_fs_find(words->at[0]));
    return eex_check_out(a->out, a->force, "weights", NULL);
}

/* "resnet50.h5" of "weights/resnet50.safetensors". */
static int default_out(char **out, const char *weights)
{
    const char *base = eex_path_base(weights), *dot = strrchr(base, '.');
    eex_buffer name = EEX_BUFFER_INIT;
    eex_buffer_printf(&name, "%.*s.h5", dot ? (int)(dot - base) : (int)strlen(base), base);
    int code = eex_buffer_take(out, &name);
    eex_buffer_free(&name);
    return code;
}

typedef struct import {
    const arguments *a;
    const char *out;
    eex_safetensors *file;
    eex_experiment *experiment;
    eex_device *device;
    eex_weights weights;
    eex_params *params;
    eex_input input;
} import;

static int check_whole(const import *m)
{
    if (m->a->partial || m->weights.lost == 0)
        return EEX_OK;
    return eex_fail(EEX_EINVAL,
                    "%s: %d parameters in front of the last layer find no weights: another network "
                    "than the experiment's, or other options of its backbone. --partial lets them "
                    "start anew",
                    eex_safetensors_path(m->file), m->weights.lost);
}

static int load(import *m)
{
    const eex_experiment *e = m->experiment;
    const eex_device_options how = {.threads = 1};
    EEX_TRY(eex_device_open(&m->device, "cpu", &how));
    EEX_TRY(eex_params_new(&m->params, m->device, e->backbone, e->seed));
    return eex_weights_load(m->params, m->file, &m->weights);
}

static int write_model(import *m)
{
    bool there;
    const eex_experiment *e = m->experiment;
    EEX_TRY(eex_start_input(&m->input, &there, e->backbone, e->data.name));
    if (!there)
        eex_log_warn("the data set \"%s\" is not here: %s calls its classes by their numbers and "
                     "has ImageNet's mean and deviation",
                     e->data.name, m->out);
    return eex_start_write(m->out, m->params, &m->input, e->precision);
}

static int work_onnx(const import *m, const char *path)
{
    const arguments *a = m->a;
    const eex_import_onnx_options o = {.path = path,
                                       .out = m->out,
                                       .dataset = a->dataset,
                                       .mean = a->mean,
                                       .std = a->std,
                                       .size = (int)a->size,
                                       .force = a->force,
                                       .json = a->json};
    return eex_import_onnx(&o);
}

static int work(import *m, const char *path)
{
    EEX_TRY(eex_safetensors_open(&m->file, path));
    EEX_TRY(eex_read_experiment(&m->experiment, m->a->into, &m->a->script));
    const eex_graph *graph = m->experiment->backbone;
    EEX_TRY(eex_weights_match(&m->weights, m->file, graph));
    eex_import_report report = {m->file, graph, &m->weights, m->a->into, NULL};
    if (check_whole(m) < 0) { /* which parameters these are is shown too */
        EEX_TRY(eex_print_import(&report, m->a->json));
        return check_whole(m);
    }
    EEX_TRY(load(m));
    EEX_TRY(write_model(m));
    report.out = m->out;
    return eex_print_import(&report, m->a->json);
}

static int run(const void *given, const eex_words *words)
{
    const arguments *a = given;
import m = {.a = a };
    char *own = NULL;
    int code = EEX_OK;
    if (!a->out) {
        code = default_out(&own, words->at[0]);
        if (code == EEX_OK)
            code = eex_check_out(own, a->force, "weights", NULL);
    }
    m.out = a->out ? a->out : own;
    if (code == EEX_OK)
        code = eex_is_onnx(words->at[0]) ? work_onnx(&m, words->at[0]) : work(&m, words->at[0]);
    eex_input_free(&m.input);
    eex_params_free(m.params);
    eex_weights_free(&m.weights);
    eex_device_close(m.device);
    eex_experiment_free(m.experiment);
    eex_safetensors_close(m.file);
    free(own);
    return code;
}

const eex_cmd eex_cmd_import = {
    .name = "import",
    .brief = "take weights that were trained elsewhere",
    .synopsis = "WEIGHTS.safetensors|MODEL.onnx [options]",
    .summary =
        "Puts weights from a safetensors file into the backbone of an experiment (--into), or\n"
        "makes a backbone of a network in ONNX (--dataset), and writes the model file that\n"
        "training may start from.",
    .details =
        "Names as torchvision, timm and pytorch-cifar have them are known, whatever is in front\n"
        "of all of them. What was taken and what was not is listed. The last layer starts anew\n"
        "where the classes are others. docs/exchange.md has the script that makes safetensors\n"
        "of PyTorch's own files.\n\n"
        "Of MODEL.onnx the experiment is written too, beside the model file. Operators that are\n"
        "not known are refused by name.\n\n" EEX_SET_DETAILS,
    .words = {1, 1},
    .takes = {sizeof(arguments), NULL, options},
    .check = check,
    .run = run,
};
