#include "cli/print_report.h"

#include "cli/print.h"
#include "cli/print_predictor.h"
#include "core/report/report.h"
#include "core/report/report_model.h"

#include "base/fs.h"
#include "base/status.h"
#include "base/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int format_run(eex_buffer *text, const char *folder, bool json)
{
    eex_report *report = NULL;
    EEX_TRY(eex_report_load(&report, folder));
    int code = json ? eex_report_json(text, report)
                    : eex_report_table(text, report, eex__terminal_width(STDOUT_FILENO));
    eex_report_free(report);
    return code;
}

static int format_model(eex_buffer *text, const char *path, bool json)
{
    eex_model *model = NULL;
    eex_model_report *report = NULL;
    EEX_TRY(eex_model_open(&model, path, EEX_MODEL_BEST, NULL));
    int code = eex_model_report_load(&report, model);
    if (code == EEX_OK)
        code = json ? eex_model_report_json(text, report)
                    : eex_model_report_table(text, report, eex__terminal_width(STDOUT_FILENO));
    eex_model_report_free(report);
    eex_model_close(model);
    return code;
}

/* The predictor beside the network, where there is one. */
static int put_predictor(eex_buffer *text, const eex_model *model)
{
    eex_exit_predictor *predictor = NULL;
    char *path = NULL;
    EEX_TRY(eex_exit_predictor_path(&path, model));
    const bool there = eex_fs_exists(path);
    free(path);
    if (!there)
        return EEX_OK;
    EEX_TRY(eex_exit_predictor_open(&predictor, model));
    eex_buffer_putc(text, '\n');
    const int code = eex_put_predictor(text, predictor, model);
    eex_exit_predictor_free(predictor);
    return code;
}

/* A run that has not come as far as its network has none. */
static int format_predictor(eex_buffer *text, const char *path)
{
    eex_model *model = NULL;
    int code = eex_model_open(&model, path, EEX_MODEL_BEST, NULL);
    if (code == EEX_ENOTFOUND)
        return EEX_OK;
    if (code == EEX_OK)
        code = put_predictor(text, model);
    eex_model_close(model);
    return code;
}

int eex_print_report(const char *path, bool json)
{
    eex_buffer text = EEX_BUFFER_INIT;
    const bool file = eex_fs_exists(path) && !eex_fs_is_folder(path);
    int code = file ? format_model(&text, path, json) : format_run(&text, path, json);
    if (code == EEX_OK && !json)
        code = format_predictor(&text, path);
    return json ? eex__print_text(&text, code) : eex__print_report(&text, code);
}
