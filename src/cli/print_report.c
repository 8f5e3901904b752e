#include "cli/print_report.h"

#include "cli/print.h"
#include "cli/print_adapt.h"
#include "cli/print_bottleneck.h"
#include "cli/print_predictor.h"
#include "core/report/report.h"
#include "core/report/report_model.h"
#include "core/report/report_partition.h"

#include "base/fs.h"
#include "base/status.h"
#include "base/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What the phase PARTITION has come to. */
static int put_partition(eex_buffer *text, const eex_report_partition *p)
{
    eex_buffer_puts(text, "\nbetween a device and a server:\n");
    if (p->has_bottleneck)
        eex_put_bottled(text, &p->bottleneck);
    return eex_put_adapted(text, &p->adapted);
}

static int format_run(eex_buffer *text, const char *folder, const eex_model *model, bool json)
{
    eex_report *report = NULL;
    EEX_TRY(eex_report_load(&report, folder));
    report->model = model;
    int code = json ? eex_report_json(text, report)
                    : eex_report_table(text, report, eex__terminal_width(STDOUT_FILENO));
    if (code == EEX_OK && report->partition && !json)
        code = put_partition(text, report->partition);
    eex_report_free(report);
    return code;
}

static int format_model(eex_buffer *text, const eex_model *model, bool json)
{
    eex_model_report *report = NULL;
    int code = eex_model_report_load(&report, model);
    if (code == EEX_OK)
        code = json ? eex_model_report_json(text, report)
                    : eex_model_report_table(text, report, eex__terminal_width(STDOUT_FILENO));
    eex_model_report_free(report);
    return code;
}

/* The network of a model file, or of a run that has a predictor beside it; else NULL. */
static int open_network(eex_model **out, const char *path, bool file)
{
    char *beside = NULL;
    if (!file) {
        EEX_TRY(eex_path_join(&beside, path, "final-predictor.h5"));
        const bool there = eex_fs_exists(beside);
        free(beside);
        if (!there)
            return EEX_OK;
    }
    EEX_TRY(eex_model_open(out, path, EEX_MODEL_BEST, NULL));
    EEX_TRY(eex_exit_predictor_path(&beside, *out));
    const int code =
        eex_fs_exists(beside) ? eex_exit_predictor_open(&(*out)->predictor, *out) : EEX_OK;
    free(beside);
    return code;
}

int eex_print_report(const char *path, bool json)
{
    eex_buffer text = EEX_BUFFER_INIT;
    eex_model *model = NULL;
    const bool file = eex_fs_exists(path) && !eex_fs_is_folder(path);
    int code = open_network(&model, path, file);
    if (code == EEX_OK)
        code = file ? format_model(&text, model, json) : format_run(&text, path, model, json);
    if (code == EEX_OK && model && model->predictor && !json) {
        eex_buffer_putc(&text, '\n');
        code = eex_put_predictor(&text, model->predictor, model);
    }
    eex_model_close(model);
    return json ? eex__print_text(&text, code) : eex__print_report(&text, code);
}
