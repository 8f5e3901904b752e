/* A run's folder: files by their names, which of them are the run's, who is at work in it. */
#include "core/run/run.h"

#include "base/fs.h"
#include "base/rng.h"
#include "base/signals.h"
#include "base/status.h"

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

int eex__run_open_folder(eex_run *run)
{
    EEX_TRY(eex__run_reuse_check(run)); /* before anything is removed */
    EEX_TRY(eex_fs_make_folder(run->options->folder));
    EEX_TRY(eex_lock_acquire(&run->lock, run->options->folder));
    EEX_TRY(eex_fs_remove_parts(run->options->folder));
    return run->options->fresh ? clear(run) : EEX_OK;
}
