/* A run from end to end: its folder, its phases in their order. */
#include "core/run/run.h"

#include "core/graph/cost.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/signals.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void (*eex__run_saved)(const char *path);

uint64_t eex__run_seed(const eex_run *run, eex__run_stream stream, uint64_t index)
{
    return eex_rng_hash(run->e->seed, (uint64_t)stream, index);
}

int eex__run_poll(void)
{
    return eex_interrupted() ? eex_fail(EEX_EINTERRUPTED, "interrupted") : EEX_OK;
}

/* ---- files ---- */

bool eex__run_has(const eex_run *run, const char *name)
{
    char *path = NULL;
    bool has = eex_path_join(&path, run->options->folder, name) == EEX_OK && eex_fs_exists(path);
    free(path);
    return has;
}

int eex__run_open(eex_store_file **out, const eex_run *run, const char *name, const char *kind)
{
    char *path = NULL;
    *out = NULL;
    EEX_TRY(eex_path_join(&path, run->options->folder, name));
    int code = eex_store_open(out, path, kind, EEX_RUN_VERSION);
    free(path);
    return code;
}

int eex__run_create(eex_store_file **out, const eex_run *run, const char *name, const char *kind)
{
    char *path = NULL;
    *out = NULL;
    EEX_TRY(eex_path_join(&path, run->options->folder, name));
    int code = eex_store_create(out, path, kind, EEX_RUN_VERSION);
    free(path);
    return code;
}

int eex__run_commit(const eex_run *run, eex_store_file **file)
{
    char *path = strdup(eex_store_path(*file));
    if (!path)
        return eex_fail(EEX_ENOMEM, "out of memory for the name of a file");
    int code = eex_store_commit(file);
    if (code == EEX_OK && eex__run_saved)
        eex__run_saved(path);
    free(path);
    return code;
}

int eex__run_remove(const eex_run *run, const char *name)
{
    char *path = NULL;
    EEX_TRY(eex_path_join(&path, run->options->folder, name));
    int code = eex_fs_remove_tree(path);
    free(path);
    return code;
}

/* ---- the folder ---- */

static bool is_hdf5(const char *name)
{
    size_t length = strlen(name);
    return length > 3 && strcmp(name + length - 3, ".h5") == 0;
}

/* The files of a run; those that end in '-' are followed by a number. run.h5, which says what the
 * run is, comes last, so that a kill in between leaves a run that can be continued. */
static const char *const run_files[] = {
    "split",
    "base",
    "probe",
    "shared",
    "trace-calibration",
    "trace-validation",
    "latency",
    "final",
    "policies",
    "result",
    "final-calibration",
    "final-validation",
    "search",
    "tau",
    "trials-",
    "tau-",
    "candidate-",
    "base-checkpoint",
    "probe-checkpoint",
    "shared-checkpoint",
    "candidate-checkpoint",
    "final-checkpoint",
};

static bool is_run_file(const char *name)
{
    if (!is_hdf5(name))
        return false;
    size_t stem = strlen(name) - 3;
    for (size_t i = 0; i < sizeof run_files / sizeof run_files[0]; i++) {
        size_t length = strlen(run_files[i]);
        bool numbered = run_files[i][length - 1] == '-';
        if (strncmp(name, run_files[i], length) == 0 &&
            (numbered ? strspn(name + length, "0123456789") == stem - length : stem == length))
            return true;
    }
    return false;
}

bool eex_run_owns(const char *path)
{
    const char *name = eex_path_base(path);
    char *folder = NULL, *run = NULL;
    bool owns = (is_run_file(name) || strcmp(name, "run.h5") == 0) &&
                eex_path_folder(&folder, path) == EEX_OK &&
                eex_path_join(&run, folder, "run.h5") == EEX_OK && eex_fs_exists(run);
    free(run);
    free(folder);
    return owns;
}

/* Starts again: removes what a run has left, and nothing else that may be in the folder. */
static int clear(const eex_run *run)
{
    eex_fs_names names = {0};
    if (!eex__run_has(run, "run.h5"))
        return EEX_OK;
    EEX_TRY(eex_fs_list(&names, run->options->folder));
    int code = EEX_OK;
    for (size_t i = 0; i < names.count && code == EEX_OK; i++)
        if (is_run_file(names.names[i]))
            code = eex__run_remove(run, names.names[i]);
    eex_fs_names_free(&names);
    return code == EEX_OK ? eex__run_remove(run, "run.h5") : code;
}

static int open_folder(eex_run *run)
{
    EEX_TRY(eex__run_reuse_check(run)); /* before anything is removed */
    EEX_TRY(eex_fs_make_folder(run->options->folder));
    EEX_TRY(eex_lock_acquire(&run->lock, run->options->folder));
    EEX_TRY(eex_fs_remove_parts(run->options->folder));
    return run->options->fresh ? clear(run) : EEX_OK;
}

static int open_data(eex_run *run)
{
    const char *name = run->e->data.name;
    char *path = NULL, file[300];
    if (run->options->data_dir && !strchr(name, '/') && !is_hdf5(name)) {
        snprintf(file, sizeof file, "%s.h5", name);
        EEX_TRY(eex_path_join(&path, run->options->data_dir, file));
    }
    int code = eex_dataset_open(&run->data, path ? path : name);
    free(path);
    EEX_TRY(code);
    run->facts = eex_dataset_facts(run->data);
    memcpy(run->normalise.mean, run->facts->mean, sizeof run->normalise.mean);
    memcpy(run->normalise.std, run->facts->std, sizeof run->normalise.std);
    return eex_input_of_dataset(&run->input, run->facts);
}

static int check_data(const eex_run *run)
{
    const eex_graph *g = run->e->backbone;
    const eex_node *input = eex_graph_node(g, 0);
    const eex_dataset_info *d = run->facts;
    if (input->h != d->height || input->w != d->width || input->c != d->channels)
        return eex_fail(EEX_EINVAL,
                        "backbone: takes images of %dx%dx%d, data set \"%s\" has %dx%dx%d",
                        input->h, input->w, input->c, d->name, d->height, d->width, d->channels);
    if (eex_graph_classes(g) != d->classes)
        return eex_fail(EEX_EINVAL, "backbone: tells %d classes apart, data set \"%s\" has %d",
                        eex_graph_classes(g), d->name, d->classes);
    return EEX_OK;
}

/* ---- phases ---- */

static int phases(eex_run *run)
{
    const bool shared = run->e->search.evaluator == EEX_EVALUATE_SHARED;
    EEX_TRY(eex__run_latency_known(run));
    EEX_TRY(eex__run_split(run));
    EEX_TRY(eex__run_base(run));
    EEX_TRY(eex__run_probe(run));
    if (shared)
        EEX_TRY(eex__run_shared(run));
    EEX_TRY(eex__run_latency(run));
    EEX_TRY(eex__run_search(run));
    if (shared && run->e->search.tau)
        EEX_TRY(eex__run_tau(run));
    EEX_TRY(eex__run_final(run));
    EEX_TRY(eex__run_policies(run));
    return eex__run_result(run);
}

static void close_run(eex_run *run)
{
    eex_params_free(run->base);
    eex_split_free(&run->split);
    eex_input_free(&run->input);
    eex_dataset_close(run->data);
    eex_device_close(run->device);
    eex_lock_release(run->lock);
}

static int work(eex_run *run)
{
    const eex_device_options device = {.threads = run->options->threads,
                                       .deterministic = run->e->deterministic};
    EEX_TRY(eex_device_open(&run->device, run->options->device, &device));
    if (run->options->fresh || !eex__run_has(run, "result.h5"))
        EEX_TRY(eex_experiment_check_device(run->e, run->device));
    EEX_TRY(open_folder(run));
    EEX_TRY(open_data(run));
    EEX_TRY(check_data(run));
    run->points = run->e->points;
    run->base_macs = (double)eex_cost_total(run->e->backbone, EEX_MACS);
    EEX_TRY(eex__run_identity(run));
    if (eex__run_has(run, "result.h5")) {
        eex_log_info("%s is finished", run->options->folder);
        return EEX_OK;
    }
    eex_device_range(run->device, "run %s", run->e->name);
    int code = phases(run);
    eex_device_range_end(run->device);
    return code;
}

int eex_experiment_run(const eex_experiment *e, const eex_run_options *options)
{
    eex_run run = {.e = e, .options = options};
    EEX_TRY(eex_experiment_check(e));
    int code = work(&run);
    if (code == EEX_EINTERRUPTED)
        code = eex_fail(code,
                        "interrupted: what was done so far is saved in %s; the same command "
                        "goes on from there",
                        options->folder);
    close_run(&run);
    return code;
}
