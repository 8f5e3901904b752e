/* What the test split has said: result.h5. */
#include "core/report/report_cut.h"
#include "core/report/report_load_impl.h"

#include "base/status.h"

#include <stddef.h>
#include <stdio.h>

enum { NAME = 48 };

static int load_latency(eex_report_latency *out, eex_store_file *file, const char *group)
{
    EEX_TRY(eex_store_get_double(&out->mean, file, group, "latency_mean_ms"));
    EEX_TRY(eex_store_get_double(&out->p50, file, group, "latency_p50_ms"));
    EEX_TRY(eex_store_get_double(&out->p95, file, group, "latency_p95_ms"));
    EEX_TRY(eex_store_get_double(&out->p99, file, group, "latency_p99_ms"));
    return eex_store_has_attribute(file, group, "latency_max_ms")
               ? eex_store_get_double(&out->max, file, group, "latency_max_ms")
               : EEX_OK;
}

static int load_speedup(eex_speedup *out, eex_store_file *file, const char *group, bool disturbed)
{
    out->disturbed = disturbed;
    EEX_TRY(eex_store_get_double(&out->ratio, file, group, "latency_speedup"));
    EEX_TRY(eex_store_get_double(&out->low, file, group, "latency_speedup_low"));
    return eex_store_get_double(&out->high, file, group, "latency_speedup_high");
}

/* Runs from before there were rounds have two means, whose ratio has no interval. */
static int load_race(eex_report *r, eex_store_file *file)
{
    int64_t rounds = 0, disturbed = 0;
    r->best.speedup.ratio = r->base.latency.mean / r->best.latency.mean;
    if (!eex_store_has_attribute(file, "", "latency_rounds"))
        return EEX_OK;
    EEX_TRY(eex_store_get_int(&rounds, file, "", "latency_rounds"));
    EEX_TRY(eex_store_get_int(&disturbed, file, "", "latency_disturbed"));
    r->latency_rounds = (int)rounds;
    EEX_TRY(load_speedup(&r->best.speedup, file, "best", disturbed != 0));
    EEX_TRY(load_speedup(&r->full.speedup, file, "full", disturbed != 0));
    return load_latency(&r->full.latency, file, "full");
}

/* Only devices that can tell leave these. */
static int load_usage(eex_report *r, eex_store_file *file)
{
    if (eex_store_has_attribute(file, "base", "energy_j"))
        EEX_TRY(eex_store_get_double(&r->base.joules, file, "base", "energy_j"));
    if (eex_store_has_attribute(file, "best", "energy_j"))
        EEX_TRY(eex_store_get_double(&r->best.joules, file, "best", "energy_j"));
    if (eex_store_has_attribute(file, "best", "device_peak_bytes"))
        EEX_TRY(eex_store_get_int(&r->best.device_bytes, file, "best", "device_peak_bytes"));
    return EEX_OK;
}

static int load_full(eex_report *r, eex_store_file *file)
{
    if (!eex_store_has(file, "full"))
        return EEX_OK;
    EEX_TRY(eex_store_get_double(&r->full.accuracy, file, "full", "accuracy"));
    EEX_TRY(eex_store_get_double(&r->full.macs, file, "full", "macs_taken"));
    return eex_store_get_double(&r->full.macs_with_gates, file, "full", "macs");
}

/* Of a phase whose file somebody has made since then nothing is to be said. */
static int load_lost(eex_report *r, eex_store_file *file)
{
    char name[NAME];
    for (int p = 0; p < EEX_PHASES; p++) {
        const eex_phase_row *phase = eex_phase_at((eex_phase)p);
        snprintf(name, sizeof name, "%s_failure", phase->name);
        const int there = eex_store_has_attribute(file, "", name);
        EEX_TRY(there);
        if (there && !eex__report_holds(r->folder, phase->files[0].name))
            EEX_TRY(eex_store_get_string(&r->lost[p], file, "", name));
    }
    return EEX_OK;
}

int eex__report_load_result(eex_report *r, eex_store_file *file)
{
    if (r->best.exits == 0)
        return eex_fail(EEX_ENOTFOUND,
                        "%s has a result, but no final.h5: put it back, or move result.h5 away and "
                        "run the experiment again",
                        r->folder);
    EEX_TRY(load_lost(r, file));
    EEX_TRY(load_usage(r, file));
    EEX_TRY(eex_store_get_double(&r->base.accuracy, file, "base", "accuracy"));
    EEX_TRY(eex_store_get_double(&r->base.macs, file, "base", "macs"));
    EEX_TRY(load_latency(&r->base.latency, file, "base"));
    EEX_TRY(load_full(r, file));
    EEX_TRY(eex_store_get_double(&r->best.accuracy, file, "best", "accuracy"));
    EEX_TRY(eex_store_get_double(&r->best.rejected, file, "best", "rejected"));
    EEX_TRY(eex_store_get_double(&r->best.ada_macs_cumulative, file, "best", "macs"));
    EEX_TRY(eex_store_get_double(&r->best.ada_macs, file, "best", "macs_taken"));
    EEX_TRY(load_latency(&r->best.latency, file, "best"));
    EEX_TRY(
        eex__report_column(r, file, "best/utilisation", offsetof(eex_report_exit, utilisation)));
    EEX_TRY(eex__report_column(r, file, "best/exit_accuracy", offsetof(eex_report_exit, accuracy)));
    EEX_TRY(eex__report_cut_result(r, file));
    EEX_TRY(load_race(r, file));
    r->finished = true;
    return EEX_OK;
}
