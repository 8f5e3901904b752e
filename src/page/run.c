#include "page/run.h"

#include "core/model/predictor.h"

#include "base/fs.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, MOST_TEXT = 16 << 20, MOST_BYTES = 256 << 20 };

static int in_folder(eex_page_run *run, const char *name, const char *kind, eex_store_use use)
{
    char *path = NULL;
    EEX_TRY(eex_path_join(&path, run->report->folder, name));
    const int code =
        eex_fs_exists(path) ? eex_store_read_file(path, kind, VERSION, use, run) : EEX_OK;
    free(path);
    return code;
}

/* Files of before have none: there they are lines behind the script. */
static int read_sets(eex_store_list *out, eex_store_file *file)
{
    const int there = eex_store_has(file, "sets");
    EEX_TRY(there);
    return there ? eex_store_read_strings(out, file, "sets", MOST_TEXT) : EEX_OK;
}

static int read_run(eex_store_file *file, void *context)
{
    eex_page_run *run = context;
    EEX_TRY(eex_store_read_string(&run->script, file, "script", MOST_TEXT));
    EEX_TRY(read_sets(&run->sets, file));
    EEX_TRY(eex_store_read_string(&run->description, file, "description", MOST_TEXT));
    return eex_store_has_attribute(file, "", "threads")
               ? eex_store_get_int(&run->threads, file, "", "threads")
               : EEX_OK;
}

static int read_result(eex_store_file *file, void *context)
{
    eex_page_run *run = context;
    eex_store_shape shape = {1, {EEX_STORE_ANY}}, timed = shape;
    EEX_TRY(eex_store_read_new((void **)&run->test.top, file, "best/top", EEX_STORE_I32, &shape,
                               MOST_BYTES));
    EEX_TRY(eex_store_read_new((void **)&run->test.exit, file, "best/exit", EEX_STORE_I32, &shape,
                               MOST_BYTES));
    EEX_TRY(eex_store_read_new((void **)&run->test.rejected, file, "best/rejected", EEX_STORE_U8,
                               &shape, MOST_BYTES));
    EEX_TRY(eex_store_read_new((void **)&run->test.ms, file, "best/latency_ms", EEX_STORE_F64,
                               &timed, MOST_BYTES));
    run->test.count = (size_t)shape.extent[0];
    run->test.timed =
        timed.extent[0] < shape.extent[0] ? (size_t)timed.extent[0] : (size_t)shape.extent[0];
    for (size_t i = 0; i < run->test.count; i++)
        if (run->test.exit[i] < 0 || run->test.exit[i] >= run->report->best.exits)
            return eex_store_refuse(file, "test image %zu leaves at exit %d of %d", i,
                                    (int)run->test.exit[i], run->report->best.exits);
    return EEX_OK;
}

/* Traces may be absent: the network is shown without them. */
static int read_trace(eex_trace **out, const eex_model *model, const char *split)
{
    const int code = eex_model_trace(out, model, split);
    return code == EEX_ENOTFOUND ? EEX_OK : code;
}

/* The one beside the network, where there is one. */
static int read_predictor(eex_model *model)
{
    char *path = NULL;
    EEX_TRY(eex_exit_predictor_path(&path, model));
    const int code =
        eex_fs_exists(path) ? eex_exit_predictor_open(&model->predictor, model) : EEX_OK;
    free(path);
    return code;
}

static int read_model(eex_page_run *run)
{
    if (run->report->best.exits == 0)
        return EEX_OK;
    EEX_TRY(eex_model_open(&run->model, run->report->folder, EEX_MODEL_BEST, NULL));
    EEX_TRY(read_predictor(run->model));
    EEX_TRY(read_trace(&run->calibration, run->model, "calibration"));
    return read_trace(&run->validation, run->model, "validation");
}

static int read_curves(eex_page_run *run)
{
    static const char *const files[EEX_PAGE_TRAININGS] = {"base.h5", "shared.h5", "final.h5"};
    for (int i = 0; i < EEX_PAGE_TRAININGS; i++)
        EEX_TRY(eex_curves_load(&run->curves[i], run->report->folder, files[i], "weights"));
    return EEX_OK;
}

static int open_run(eex_page_run *run, const char *folder, const char *label)
{
    run->label = strdup(label);
    if (!run->label)
        return eex_fail(EEX_ENOMEM, "out of memory for a page");
    EEX_TRY(eex_report_load(&run->report, folder));
    EEX_TRY(in_folder(run, "run.h5", "run", read_run));
    EEX_TRY(read_curves(run));
    EEX_TRY(read_model(run));
    return run->report->finished ? in_folder(run, "result.h5", "result", read_result) : EEX_OK;
}

int eex_page_run_open(eex_page_run *out, const char *folder, const char *label)
{
    *out = (eex_page_run){0};
    const int code = open_run(out, folder, label);
    if (code != EEX_OK)
        eex_page_run_close(out);
    return code;
}

void eex_page_run_close(eex_page_run *run)
{
    eex_report_free(run->report);
    eex_model_close(run->model);
    eex_trace_free(run->calibration);
    eex_trace_free(run->validation);
    for (int i = 0; i < EEX_PAGE_TRAININGS; i++)
        eex_curves_free(&run->curves[i]);
    free(run->test.top);
    free(run->test.exit);
    free(run->test.rejected);
    free(run->test.ms);
    free(run->label);
    free(run->script);
    eex_store_list_free(&run->sets);
    free(run->description);
    *run = (eex_page_run){0};
}
