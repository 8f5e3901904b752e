/* eex profile --table: what every operation of a search takes on this device. */
#include "cli/cmd_profile.h"
#include "cli/print.h"
#include "core/run/latency_space.h"

#include "base/fs.h"
#include "base/json.h"
#include "base/laps.h"
#include "base/log.h"
#include "base/status.h"

#include <stdio.h>

enum { TABLE_VERSION = 1 };

typedef struct work {
    const eex__profile_arguments *a;
    const char *path; /* of the experiment */
    eex_experiment *e;
    eex_device *device;
    eex_model *chosen; /* of --run; NULL: none */
    eex_latency_table *table;
    eex_latency_error error;
    int added; /* entries measured now */
} work;

static int open_all(work *w)
{
    const eex__profile_arguments *a = w->a;
    EEX_TRY(eex_read_experiment(&w->e, w->path, &a->script));
    EEX_TRY(eex_parse_precision(&w->e->precision, &a->model));
    EEX_TRY(eex_open_device(&w->device, &a->model.device));
    EEX_TRY(eex_device_calculates(w->device, w->e->precision));
    if (a->run)
        EEX_TRY(eex_model_open(&w->chosen, a->run, EEX_MODEL_BEST, w->device));
    if (!a->out || !eex_fs_exists(a->out) || a->fresh)
        return eex_latency_table_new(&w->table, w->device);
    EEX_TRY(eex_latency_table_load(&w->table, a->out));
    int code = eex_latency_table_is_of(w->table, w->device);
    return code < 0 ? eex_fail_in(code, "%s (--fresh measures it again, here)", a->out) : EEX_OK;
}

static int save(const work *w, bool checked)
{
    eex_store_file *file = NULL;
    if (!w->a->out)
        return EEX_OK;
    EEX_TRY(eex_store_create(&file, w->a->out, "latency-table", TABLE_VERSION));
    int code = eex_latency_table_save(w->table, file);
    if (code == EEX_OK && checked)
        code = eex_latency_error_save(&w->error, file);
    if (code == EEX_OK)
        code = eex_store_commit(&file);
    eex_store_close(file);
    return code;
}

static int print_text(const work *w)
{
    const eex_latency_error *e = &w->error;
    eex_buffer file = EEX_BUFFER_INIT;
    eex__print_line("%zu operations on %s, %d measured now", w->table->count, w->table->device,
                    w->added);
    eex__print_line("predicted against measured latency of one image, %d structures%s, %zu exits:",
                    e->structures, w->chosen ? " (the run's among them)" : "", e->pairs);
    eex__print_line(
        "mean error %.1f %%, largest %.1f %%, Kendall's tau %.3f; between structures, at their "
        "end, %.3f",
        100 * e->mape, 100 * e->worst, e->tau, e->tau_ends);
    if (w->a->out)
        eex__put_line(&file, "%s", w->a->out);
    return eex__print_report(&file, EEX_OK);
}

static int print_json(const work *w)
{
    const eex_latency_error *e = &w->error;
    eex_buffer text = EEX_BUFFER_INIT;
    eex_json j = EEX_JSON_INIT(&text);
    eex_json_object(&j, NULL);
    eex_json_string(&j, "device", w->table->device);
    eex_json_string(&j, "file", w->a->out);
    eex_json_uint(&j, "operations", w->table->count);
    eex_json_int(&j, "measured", w->added);
    eex_json_int(&j, "structures", e->structures);
    eex_json_double(&j, "mape", e->mape);
    eex_json_double(&j, "worst", e->worst);
    eex_json_double(&j, "kendall_tau", e->tau);
    eex_json_double(&j, "kendall_tau_ends", e->tau_ends);
    eex_json_array(&j, "predictions");
    for (size_t i = 0; i < e->pairs; i++) {
        eex_json_object(&j, NULL);
        eex_json_int(&j, "structure", e->pair[i].structure);
        eex_json_int(&j, "exit", e->pair[i].exit + 1);
        eex_json_double(&j, "predicted_ms", e->pair[i].predicted);
        eex_json_double(&j, "measured_ms", e->pair[i].measured);
        eex_json_end(&j);
    }
    eex_json_end(&j);
    eex_json_end(&j);
    eex_buffer_putc(&text, '\n');
    return eex__print_text(&text, EEX_OK);
}

static int measure(work *w)
{
    int more = 0;
    EEX_TRY(open_all(w));
    EEX_TRY(eex_latency_space(w->table, &w->added, w->e, w->device));
    EEX_TRY(save(w, false)); /* whatever becomes of the check */
    EEX_TRY(eex_latency_check(&w->error, w->table, &more, w->e, w->device, w->chosen,
                              (int)w->a->structures));
    w->added += more;
    eex_laps_warn("latencies of operations", w->table->disturbed);
    eex_laps_warn("checking them", w->error.disturbed);
    EEX_TRY(save(w, true));
    return w->a->json ? print_json(w) : print_text(w);
}

int eex__profile_table(const eex__profile_arguments *a, const char *path)
{
    work w = {.a = a, .path = path};
    int code = measure(&w);
    eex_latency_error_free(&w.error);
    eex_latency_table_free(w.table);
    eex_model_close(w.chosen);
    eex_device_close(w.device);
    eex_experiment_free(w.e);
    return code;
}
