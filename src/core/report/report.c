/* Reading a run's folder for reports. */
#include "core/report/report.h"

#include "core/report/report_load_impl.h"
#include "core/report/report_partition.h"
#include "core/run/phase.h"

#include "base/fs.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, NAME = 48 };

static int open_file(eex_store_file **out, const eex_report *r, const char *name, const char *kind)
{
    char *path = NULL;
    *out = NULL;
    EEX_TRY(eex_path_join(&path, r->folder, name));
    int code = eex_store_open(out, path, kind, VERSION);
    free(path);
    return code;
}

/* ---- run.h5 ---- */

/* Runs from before there was a choice say nothing: float32. */
static int load_precision(eex_report *r, eex_store_file *file)
{
    char *name = NULL;
    if (!eex_store_has_attribute(file, "", "precision"))
        return EEX_OK;
    EEX_TRY(eex_store_get_string(&name, file, "", "precision"));
    int code = eex_precision_parse(&r->precision, name);
    free(name);
    return code < 0 ? eex_store_refuse(file, "%s", eex_error()) : EEX_OK;
}

static int load_run(eex_report *r, eex_store_file *file)
{
    EEX_TRY(eex_store_get_string(&r->name, file, "", "name"));
    EEX_TRY(eex_store_get_string(&r->device, file, "", "device"));
    EEX_TRY(eex_store_get_string(&r->dataset, file, "", "dataset"));
    EEX_TRY(eex_identity_load(&r->made_of, file, ""));
    EEX_TRY(eex_store_get_string(&r->version, file, "", "version"));
    EEX_TRY(eex_store_get_string(&r->created, file, "", "created"));
    EEX_TRY(load_precision(r, file));
    return eex_store_get_int(&r->seed, file, "", "seed");
}

/* ---- rivals.h5, front.h5 ---- */

static int load_rivals(eex_report *r, eex_store_file *file)
{
    EEX_TRY(eex_rivals_load(&r->rivals, file));
    for (size_t i = 0; i < r->rivals.count; i++)
        r->seconds += r->rivals.at[i].seconds;
    return EEX_OK;
}

static int load_tested(eex_report *r, eex_store_file *file)
{
    EEX_TRY(eex_front_load(&r->tested, file));
    for (size_t i = 0; i < r->tested.count; i++)
        r->seconds += r->tested.members[i].seconds;
    return EEX_OK;
}

/* ---- all of it ---- */

/* What the file of each phase adds; of those that are not here a report says nothing. */
static const struct {
    const char *state;
    eex__report_loader *load;
} parts[EEX_PHASES] = {
    [EEX_PHASE_BASE] = {"the base is trained", eex__report_load_base},
    [EEX_PHASE_SHARED] = {"the shared network is trained", eex__report_load_shared},
    [EEX_PHASE_SEARCH] = {"the search is done", eex__report_load_search},
    [EEX_PHASE_TAU] = {"the evaluators are compared", eex__report_load_tau},
    [EEX_PHASE_FINAL] = {"the chosen network is calibrated", eex__report_load_final},
    [EEX_PHASE_POLICIES] = {"other policies are replayed", eex__report_load_policies},
    [EEX_PHASE_FRONT] = {"the front is tested", load_tested},
    [EEX_PHASE_RIVALS] = {"rivals are tested", load_rivals},
    [EEX_PHASE_RESULT] = {"finished", eex__report_load_result},
};

static int load_part(eex_report *r, const char *name, const char *kind, eex__report_loader *load)
{
    eex_store_file *file = NULL;
    int code = open_file(&file, r, name, kind);
    if (code == EEX_OK)
        code = load(r, file);
    eex_store_close(file);
    return code;
}

/* Trials of a search that is not done. */
static int load_unfinished(eex_report *r)
{
    char name[NAME];
    size_t before = SIZE_MAX;
    while (before != r->trials.count) {
        before = r->trials.count;
        snprintf(name, sizeof name, "trials-%07zu.h5", r->trials.count);
        if (eex__report_holds(r->folder, name))
            EEX_TRY(load_part(r, name, "trial", eex__report_load_trials));
    }
    return EEX_OK;
}

static int load(eex_report *r, const char *folder)
{
    r->folder = strdup(folder);
    if (!r->folder)
        return eex_fail(EEX_ENOMEM, "out of memory for a report");
    EEX_TRY(eex_report_find(folder));
    r->state = "nothing is trained yet";
    EEX_TRY(load_part(r, "run.h5", "run", load_run));
    for (int p = 0; p < EEX_PHASES; p++) {
        const eex_phase_file *file = &eex_phase_at((eex_phase)p)->files[0];
        if (parts[p].load && eex__report_holds(r->folder, file->name)) {
            EEX_TRY(load_part(r, file->name, file->kind, parts[p].load));
            r->state = parts[p].state;
        }
    }
    EEX_TRY(eex_report_partition_load(&r->partition, folder));
    return eex__report_holds(r->folder, "search.h5") ? EEX_OK : load_unfinished(r);
}

int eex_report_load(eex_report **out, const char *folder)
{
    static const eex_report_latency unknown = {NAN, NAN, NAN, NAN, NAN};
    *out = NULL;
    eex_report *r = calloc(1, sizeof *r);
    if (!r)
        return eex_fail(EEX_ENOMEM, "out of memory for a report");
    r->chosen = -1;
    r->hypervolume = NAN;
    r->tau = r->base.accuracy = r->base.macs = r->best.accuracy = NAN;
    r->best.speedup = r->full.speedup = EEX_SPEEDUP_UNKNOWN;
    r->best.ada_macs = r->best.ada_macs_cumulative = r->best.validation_accuracy = NAN;
    r->base.joules = r->best.joules = NAN;
    r->best.rejected = r->best.cut_saved = r->best.validation_cut_saved = NAN;
    r->full.accuracy = r->full.macs = r->full.macs_with_gates = NAN;
    r->base.latency = r->full.latency = r->best.latency = unknown;
    int code = load(r, folder);
    if (code != EEX_OK) {
        eex_report_free(r);
        return code;
    }
    *out = r;
    return EEX_OK;
}

void eex_report_free(eex_report *r)
{
    if (!r)
        return;
    eex_report_partition_free(r->partition);
    for (int p = 0; p < EEX_PHASES; p++)
        free(r->lost[p]);
    free(r->folder);
    free(r->name);
    free(r->device);
    free(r->dataset);
    eex_identity_free(&r->made_of);
    free(r->version);
    free(r->created);
    free(r->front);
    eex_trials_free(&r->trials);
    eex_models_free(&r->models);
    eex_rivals_free(&r->rivals);
    eex_front_free(&r->tested);
    free(r->policy_accuracy);
    free(r->policy_macs);
    eex_store_list_free(&r->policy_names);
    eex_store_list_free(&r->nodes);
    eex_described_free(r->space);
    free(r);
}
