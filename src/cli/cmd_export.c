/* eex export: a network for programs of others. */
#include "cli/commands.h"
#include "cli/export_c99.h"
#include "cli/export_front.h"
#include "cli/open_model.h"
#include "cli/out_file.h"
#include "cli/print.h"
#include "core/exchange/onnx.h"
#include "core/exchange/safetensors.h"
#include "core/model/cut.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/status.h"
#include "base/text.h"

typedef struct arguments {
    const char *safetensors, *onnx, *c, *exit, *front;
    int64_t cut; /* 0: not given */
    bool base, all_exits, force;
    eex_model_options model;
} arguments;

static const arguments defaults = {.model = EEX_MODEL_OPTIONS_INIT};

static const eex_option options[] = {
    EEX_WRITES("safetensors", "FILE", safetensors, "all weights, by their names, for PyTorch"),
    EEX_WRITES("onnx", "FILE", onnx, "ONNX: one image, which leaves where it may"),
    EEX_FLAG("all-exits", all_exits, "--onnx gives what every exit says, of any number of images"),
    EEX_WRITES("c", "DIR", c, "plain C99 for small devices, weights, exits and policy inside"),
    EEX_WRITES("front", "FILE.h5", front, "the device's part alone, for infer and stream --remote"),
    EEX_NUMBER("cut", "EXIT", 1, EEX_MAX_EXITS, cut,
               "with --front: exit behind which the network is cut (the last early one)"),
    EEX_FLAG("base", base, "the run's network without exits"),
    EEX_TEXT("exit", "K", exit, "exit K alone, as all images run to it"),
    EEX_FLAG("force", force, "replace what is there"),
    EEX_MODEL_OPTIONS(model),
    EEX_NO_PREDICTOR(model),
    {0},
};

static int check(void *given, const eex_words *words)
{
    const arguments *a = given;
    const bool others = a->safetensors || a->onnx || a->c;
    if (!others && !a->front)
        return eex_fail(EEX_EINVAL,
                        "%s: as what? --safetensors FILE, --onnx FILE, --c DIR or --front FILE",
                        words->at[0]);
    if (a->front && (others || a->base || a->exit))
        return eex_fail(EEX_EINVAL, "--front %s: the device's part is written by itself", a->front);
    if (a->cut && !a->front)
        return eex_fail(EEX_EINVAL, "--cut %d goes with --front FILE", (int)a->cut);
    if (a->model.no_predictor && !a->front)
        return eex_fail(EEX_EINVAL, "--no-predictor goes with --front FILE: what else is written "
                                    "has no predictor");
    if (a->base && a->exit)
        return eex_fail(EEX_EINVAL, "--exit %s: the base has no exits", a->exit);
    if (a->all_exits && (!a->onnx || a->base || a->exit || a->c))
        return eex_fail(EEX_EINVAL, "--all-exits goes with --onnx alone, and with all exits");
    EEX_TRY(eex_model_find(words->at[0]));
    EEX_TRY(eex_check_out(a->safetensors, a->force, NULL, NULL));
    EEX_TRY(eex_check_out(a->onnx, a->force, NULL, NULL));
    EEX_TRY(eex__export_front_check(a->front, a->force));
    return eex_export_c99_check(a->c, a->force);
}

/* A line about what was written; where the file is the standard output it says enough. */
static int written(const char *path, const eex_buffer *content, const char *what)
{
    char bytes[EEX_TEXT_SIZE];
    EEX_TRY(eex_buffer_status(content));
    EEX_TRY(eex_fs_write(path, content->data, content->size));
    if (!eex_fs_is_stream(path))
        eex__print_line("%s: %s, %s", path, what,
                        eex_text_number(bytes, (double)content->size, "B"));
    return EEX_OK;
}

static int export_safetensors(const arguments *a, const eex_model *model)
{
    eex_buffer file = EEX_BUFFER_INIT;
    int code = eex_safetensors_put(&file, model->params, eex_graph_name(model->graph));
    if (code == EEX_OK)
        code = written(a->safetensors, &file, "weights");
    eex_buffer_free(&file);
    return code;
}

static int export_onnx(const arguments *a, const eex_model *model)
{
    const bool decides = model->policy && !a->all_exits && eex_graph_exits(model->graph) > 1;
    eex_buffer file = EEX_BUFFER_INIT;
    int code = eex_onnx_put(&file, model, decides ? EEX_ONNX_DECIDES : EEX_ONNX_EXITS);
    if (code == EEX_OK)
        code = written(a->onnx, &file, decides ? "ONNX that decides" : "ONNX");
    eex_buffer_free(&file);
    return code;
}

static int export_all(const arguments *a, const eex_model *model)
{
    if (a->safetensors)
        EEX_TRY(export_safetensors(a, model));
    if (a->onnx)
        EEX_TRY(export_onnx(a, model));
    return a->c ? eex_export_c99(a->c, model) : EEX_OK;
}

/* Only what is wanted of the network: an exit, or its end where nobody may leave before. */
static int export_wanted(const arguments *a, const eex_model *model)
{
    int exit = eex_graph_exits(model->graph) - 1;
    eex_model *alone = NULL;
    if (!a->exit && (model->policy || a->all_exits || (!a->onnx && !a->c) || exit == 0))
        return export_all(a, model);
    if (a->exit)
        EEX_TRY(eex_exit_parse(&exit, model->graph, a->exit));
    const eex_cut cut = eex_cut_at(exit, true);
    EEX_TRY(eex_cut_make(&alone, model, &cut));
    int code = export_all(a, alone);
    eex_model_close(alone);
    return code;
}

/* What is written calculates in float32, whatever the engine does. */
static void warn_of_precision(const arguments *a, const eex_model *model)
{
    if (model->policy && model->precision != EEX_F32 && (a->onnx || a->c))
        eex_log_warn("%s: its thresholds were made from scores in %s, what is written calculates "
                     "in float32: decisions near a threshold may differ",
                     model->path, eex_precision_name(model->precision));
}

static int check_exits(const arguments *a, const eex_model *model)
{
    if (a->all_exits && eex_graph_exits(model->graph) == 1)
        return eex_fail(EEX_EINVAL,
                        "--all-exits: the network of %s has no early exits, only its end: leave "
                        "--all-exits out",
                        model->path);
    return EEX_OK;
}

static int run(const void *given, const eex_words *words)
{
    const arguments *a = given;
    const eex_model_part part = a->base ? EEX_MODEL_BASE : EEX_MODEL_BEST;
    eex_opened opened;
    if (a->front)
        return eex__export_front(a->front, words->at[0], a->cut, a->force, &a->model);
    int code = eex_open_model(&opened, words->at[0], part, &a->model);
    if (code == EEX_OK)
        code = check_exits(a, opened.model);
    if (code == EEX_OK) {
        warn_of_precision(a, opened.model);
        code = export_wanted(a, opened.model);
    }
    eex_opened_close(&opened);
    return code;
}

const eex_cmd eex_cmd_export = {
    .name = "export",
    .brief = "write a network for other programs",
    .synopsis = "RUN|MODEL.h5 [options]",
    .summary = "Writes a network as files that other programs read.",
    .details =
        "docs/exchange.md says what is in them. With --front it is a file of eex: the weights "
        "as far as\n"
        "the cut, for a device that leaves the rest to a server "
        "(docs/co-inference.md).\n\n" EEX_POLICY_DETAILS,
    .words = {1, 1},
    .takes = {sizeof(arguments), &defaults, options},
    .check = check,
    .run = run,
};
