/* eex export: a network for programs of others. */
#include "cli/commands.h"
#include "cli/open_model.h"
#include "cli/out_file.h"
#include "cli/print.h"
#include "core/exchange/safetensors.h"

#include "base/fs.h"
#include "base/status.h"
#include "base/text.h"

typedef struct arguments {
    const char *safetensors;
    bool base, force;
    eex_model_options model;
} arguments;

static const arguments defaults = {.model = EEX_MODEL_OPTIONS_INIT};

static const eex_option options[] = {
    EEX_TEXT("safetensors", "FILE", safetensors, "all weights, by their names, for PyTorch"),
    EEX_FLAG("base", base, "the run's network without exits"),
    EEX_FLAG("force", force, "replace what is there"),
    EEX_MODEL_OPTIONS(model),
    {0},
};

static int check(void *given, const eex_words *words)
{
    const arguments *a = given;
    if (!a->safetensors)
        return eex_fail(EEX_EINVAL, "%s: as what? --safetensors FILE", words->at[0]);
    return eex_check_out(a->safetensors, a->force, NULL, NULL);
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

static int run(const void *given, const eex_words *words)
{
    const arguments *a = given;
    const eex_model_part part = a->base ? EEX_MODEL_BASE : EEX_MODEL_BEST;
    eex_opened opened;
    int code = eex_open_model(&opened, words->at[0], part, &a->model);
    if (code == EEX_OK && a->safetensors)
        code = export_safetensors(a, opened.model);
    eex_opened_close(&opened);
    return code;
}

const eex_cmd eex_cmd_export = {
    .name = "export",
    .brief = "write a network for other programs",
    .synopsis = "RUN|MODEL.h5 --safetensors FILE [options]",
    .summary = "Writes a network as files that other programs read.",
    .details = "docs/exchange.md says what is in them.\n\n" EEX_POLICY_DETAILS,
    .words = {1, 1},
    .takes = {sizeof(arguments), &defaults, options},
    .check = check,
    .run = run,
};
