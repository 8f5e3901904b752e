/* Reading a run's folder for reports. */
#include "core/report/report.h"

#include "core/report/report_cut.h"
#include "core/report/report_partition.h"
#include "core/run/phase.h"

#include "base/fs.h"
#include "base/shell.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, MAX_NAMES = 1 << 20, NAME = 48 };

static bool holds(const char *folder, const char *name)
{
    char *path = NULL;
    bool there = eex_path_join(&path, folder, name) == EEX_OK && eex_fs_exists(path);
    free(path);
    return there;
}

int eex_report_find(const char *folder)
{
    char word[EEX_SHELL_WORD];
    if (holds(folder, "run.h5"))
        return EEX_OK;
    if (eex_fs_is_file(folder))
        return eex_fail(EEX_ENOTFOUND, "%s is a file, expected the folder of a run", folder);
    if (holds(folder, "sweep.h5"))
        return eex_fail(EEX_ENOTFOUND, "%s holds a sweep, expected a run: its runs are in %s/runs",
                        folder, folder);
    return eex_fail(EEX_ENOTFOUND, "%s holds no run: \"eex run FILE.lua --out %s\" makes one",
                    folder, eex_shell_text(word, folder));
}

int eex_report_find_all(const char *const *folders, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        EEX_TRY(eex_report_find(folders[i]));
        for (size_t k = 0; k < i; k++)
            if (eex_fs_is_same(folders[k], folders[i]))
                return eex_fail(EEX_EINVAL, "%s is named twice: it would count for two runs",
                                folders[i]);
    }
    return EEX_OK;
}

static int open_file(eex_store_file **out, const eex_report *r, const char *name, const char *kind)
{
    char *path = NULL;
    *out = NULL;
    EEX_TRY(eex_path_join(&path, r->folder, name));
    int code = eex_store_open(out, path, kind, VERSION);
    free(path);
    return code;
}

static bool has(const eex_report *r, const char *name)
{
    return holds(r->folder, name);
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

/* ---- search.h5, trials-*.h5, tau.h5 ---- */

static int load_trials(eex_report *r, eex_store_file *file)
{
    eex_store_type type;
    eex_store_shape shape;
    EEX_TRY(eex_store_describe(&type, &shape, file, "trials/genome"));
    if (shape.rank != 2 || shape.extent[1] == 0 || shape.extent[1] > EEX_MAX_GENES ||
        (r->trials.genes && (uint64_t)r->trials.genes != shape.extent[1]))
        return eex_store_refuse(file, "trials/genome has %d dimensions of %llu genes", shape.rank,
                                (unsigned long long)shape.extent[1]);
    r->trials.genes = (int)shape.extent[1];
    return eex_trials_load(&r->trials, file, "trials");
}

static int load_front(eex_report *r, eex_store_file *file)
{
    eex_store_shape shape = {1, {EEX_STORE_ANY}};
    uint64_t *front = NULL;
    EEX_TRY(eex_store_read_new((void **)&front, file, "front", EEX_STORE_U64, &shape,
                               r->trials.count * sizeof *front + 1));
    r->front = malloc(((size_t)shape.extent[0] + 1) * sizeof *r->front);
    int code = r->front ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for a Pareto front");
    for (size_t i = 0; code == EEX_OK && i < shape.extent[0]; i++) {
        r->front[i] = (size_t)front[i];
        if (front[i] >= r->trials.count)
            code = eex_store_refuse(file, "front names trial %llu of %zu",
                                    (unsigned long long)front[i], r->trials.count);
        r->front_count = i + 1;
    }
    free(front);
    return code;
}

static int load_models(eex_report *r, eex_store_file *file)
{
    if (!eex_store_has(file, "models"))
        return EEX_OK;
    EEX_TRY(eex_models_load(&r->models, file, "models"));
    return eex_store_get_double(&r->hypervolume, file, "models", "hypervolume");
}

static int load_search(eex_report *r, eex_store_file *file)
{
    double seconds = 0;
    EEX_TRY(load_trials(r, file));
    EEX_TRY(eex_unmet_load(&r->unmet, file));
    EEX_TRY(eex_described_load(&r->space, file));
    EEX_TRY(load_front(r, file));
    EEX_TRY(load_models(r, file));
    EEX_TRY(eex_store_get_int(&r->chosen, file, "", "chosen"));
    if (eex_store_has_attribute(file, "", "structures"))
        EEX_TRY(eex_store_get_int(&r->structures, file, "", "structures"));
    EEX_TRY(eex_store_get_double(&seconds, file, "", "seconds"));
    r->seconds += seconds;
    if (r->chosen < 0 || (size_t)r->chosen >= r->trials.count)
        return eex_store_refuse(file, "chosen is trial %lld of %zu", (long long)r->chosen,
                                r->trials.count);
    return EEX_OK;
}

static int load_tau(eex_report *r, eex_store_file *file)
{
    eex_store_type type;
    eex_store_shape shape;
    double seconds = 0;
    EEX_TRY(eex_store_get_double(&r->tau, file, "", "tau"));
    EEX_TRY(eex_store_get_double(&seconds, file, "", "seconds"));
    EEX_TRY(eex_store_describe(&type, &shape, file, "of"));
    r->tau_count = shape.rank == 1 ? (size_t)shape.extent[0] : 0;
    r->seconds += seconds;
    return EEX_OK;
}

/* ---- final.h5, result.h5 ---- */

static int load_history(eex_report *r, eex_store_file *file)
{
    double seconds = 0;
    EEX_TRY(eex_store_get_double(&seconds, file, "history", "seconds"));
    r->seconds += seconds;
    return EEX_OK;
}

/* As many as the history has losses of; networks that were not trained, such as a chosen one with
 * the shared weights, have none. */
static int load_epochs(int64_t *out, eex_report *r, eex_store_file *file)
{
    static const char loss[] = "history/loss";
    eex_store_type type;
    eex_store_shape shape;
    EEX_TRY(load_history(r, file));
    const int has = eex_store_has(file, loss);
    if (has <= 0)
        return has;
    EEX_TRY(eex_store_describe(&type, &shape, file, loss));
    *out = shape.rank > 0 ? (int64_t)shape.extent[0] : 0;
    return EEX_OK;
}

static int load_base(eex_report *r, eex_store_file *file)
{
    return load_epochs(&r->base.epochs, r, file);
}

static int load_shared(eex_report *r, eex_store_file *file)
{
    return load_epochs(&r->shared_epochs, r, file);
}

/* One value for each exit, into the member at `offset` of eex_report_exit. */
static int load_column(eex_report *r, eex_store_file *file, const char *name, size_t offset)
{
    double values[EEX_MAX_EXITS];
    const eex_store_shape shape = {1, {(uint64_t)r->best.exits}};
    EEX_TRY(eex_store_read(values, file, name, EEX_STORE_F64, &shape));
    for (int k = 0; k < r->best.exits; k++)
        memcpy((char *)&r->best.exit[k] + offset, &values[k], sizeof values[k]);
    return EEX_OK;
}

/* Files of an earlier eex do not say. */
static int load_sizes(eex_report *r, eex_store_file *file)
{
    if (!eex_store_has(file, "graph") || !eex_store_has(file, "input"))
        return EEX_OK;
    EEX_TRY(eex_store_get_int(&r->images.height, file, "input", "height"));
    EEX_TRY(eex_store_get_int(&r->images.width, file, "input", "width"));
    EEX_TRY(eex_store_get_int(&r->network.height, file, "graph", "height"));
    return eex_store_get_int(&r->network.width, file, "graph", "width");
}

static int load_policy(eex_report *r, eex_store_file *file)
{
    eex_policy *policy = NULL;
    if (!eex_store_has(file, "policy"))
        return EEX_OK;
    EEX_TRY(eex_policy_load(&policy, file, "policy"));
    r->best.decides = true;
    r->best.policy = policy->kind;
    r->best.by_label = policy->by_label;
    eex_policy_free(policy);
    return EEX_OK;
}

static int load_final(eex_report *r, eex_store_file *file)
{
    int32_t blocks[EEX_MAX_EXITS], position[EEX_MAX_EXITS];
    EEX_TRY(load_epochs(&r->final_epochs, r, file));
    EEX_TRY(load_sizes(r, file));
    EEX_TRY(eex_unmet_load(&r->unmet, file));
    EEX_TRY(load_policy(r, file));
    EEX_TRY(eex_store_read_strings(&r->nodes, file, "exits/node", MAX_NAMES));
    if (r->nodes.count < 1 || r->nodes.count > EEX_MAX_EXITS)
        return eex_store_refuse(file, "%zu exits", r->nodes.count);
    r->best.exits = (int)r->nodes.count;
    const eex_store_shape shape = {1, {r->nodes.count}};
    EEX_TRY(eex_store_read(blocks, file, "exits/blocks", EEX_STORE_I32, &shape));
    EEX_TRY(eex_store_read(position, file, "exits/position", EEX_STORE_I32, &shape));
    for (int k = 0; k < r->best.exits; k++)
        r->best.exit[k] = (eex_report_exit){.node = r->nodes.item[k],
                                            .position = position[k],
                                            .blocks = blocks[k],
                                            .utilisation = NAN,
                                            .accuracy = NAN,
                                            .auroc = NAN,
                                            .aurc = NAN};
    EEX_TRY(load_column(r, file, "exits/macs", offsetof(eex_report_exit, macs)));
    EEX_TRY(load_column(r, file, "exits/validation_accuracy",
                        offsetof(eex_report_exit, validation_accuracy)));
    EEX_TRY(load_column(r, file, "exits/ece_before", offsetof(eex_report_exit, ece_before)));
    EEX_TRY(load_column(r, file, "exits/ece_after", offsetof(eex_report_exit, ece_after)));
    if (eex_store_has(file, "exits/auroc")) {
        EEX_TRY(load_column(r, file, "exits/auroc", offsetof(eex_report_exit, auroc)));
        EEX_TRY(load_column(r, file, "exits/aurc", offsetof(eex_report_exit, aurc)));
    }
    EEX_TRY(eex_store_get_double(&r->best.validation_accuracy, file, "validation", "accuracy"));
    return eex__report_cut_final(r, file);
}

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
        if (there && !has(r, phase->files[0].name))
            EEX_TRY(eex_store_get_string(&r->lost[p], file, "", name));
    }
    return EEX_OK;
}

static int load_result(eex_report *r, eex_store_file *file)
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
    EEX_TRY(load_column(r, file, "best/utilisation", offsetof(eex_report_exit, utilisation)));
    EEX_TRY(load_column(r, file, "best/exit_accuracy", offsetof(eex_report_exit, accuracy)));
    EEX_TRY(eex__report_cut_result(r, file));
    EEX_TRY(load_race(r, file));
    r->finished = true;
    return EEX_OK;
}

/* ---- rivals.h5 ---- */

static int load_rivals(eex_report *r, eex_store_file *file)
{
    EEX_TRY(eex_rivals_load(&r->rivals, file));
    for (size_t i = 0; i < r->rivals.count; i++)
        r->seconds += r->rivals.at[i].seconds;
    return EEX_OK;
}

/* ---- front.h5 ---- */

static int load_tested(eex_report *r, eex_store_file *file)
{
    EEX_TRY(eex_front_load(&r->tested, file));
    for (size_t i = 0; i < r->tested.count; i++)
        r->seconds += r->tested.members[i].seconds;
    return EEX_OK;
}

static int load_policies(eex_report *r, eex_store_file *file)
{
    eex_store_shape shape = {1, {EEX_STORE_ANY}};
    EEX_TRY(eex_store_read_strings(&r->policy_names, file, "name", 1 << 16));
    shape.extent[0] = r->policy_names.count;
    EEX_TRY(eex_store_read_new((void **)&r->policy_accuracy, file, "accuracy", EEX_STORE_F64,
                               &shape, 1 << 16));
    EEX_TRY(
        eex_store_read_new((void **)&r->policy_macs, file, "macs", EEX_STORE_F64, &shape, 1 << 16));
    r->policies = r->policy_names.count;
    return EEX_OK;
}

/* ---- all of it ---- */

/* What the file of each phase adds; of those that are not here a report says nothing. */
static const struct {
    const char *state;
    int (*load)(eex_report *r, eex_store_file *file);
} parts[EEX_PHASES] = {
    [EEX_PHASE_BASE] = {"the base is trained", load_base},
    [EEX_PHASE_SHARED] = {"the shared network is trained", load_shared},
    [EEX_PHASE_SEARCH] = {"the search is done", load_search},
    [EEX_PHASE_TAU] = {"the evaluators are compared", load_tau},
    [EEX_PHASE_FINAL] = {"the chosen network is calibrated", load_final},
    [EEX_PHASE_POLICIES] = {"other policies are replayed", load_policies},
    [EEX_PHASE_FRONT] = {"the front is tested", load_tested},
    [EEX_PHASE_RIVALS] = {"rivals are tested", load_rivals},
    [EEX_PHASE_RESULT] = {"finished", load_result},
};

static int load_part(eex_report *r, const char *name, const char *kind,
                     int (*load)(eex_report *r, eex_store_file *file))
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
        if (has(r, name))
            EEX_TRY(load_part(r, name, "trial", load_trials));
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
        if (parts[p].load && has(r, file->name)) {
            EEX_TRY(load_part(r, file->name, file->kind, parts[p].load));
            r->state = parts[p].state;
        }
    }
    EEX_TRY(eex_report_partition_load(&r->partition, folder));
    return has(r, "search.h5") ? EEX_OK : load_unfinished(r);
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
