/* A run's folder: files by their names, which of them are the run's, who is at work in it. */
#include "core/run/candidates.h"
#include "core/run/elsewhere.h"
#include "core/run/run.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/signals.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

static const char RUN_FILE[] = "run.h5";

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

/* What a worker makes of a candidate lies in that candidate's folder, all else in the run's. */
static const char *folder_of(const eex_run *run, const char *name)
{
    const bool own = run->candidate && strncmp(name, "candidate-", strlen("candidate-")) == 0;
    return own ? run->candidate : run->options->folder;
}

bool eex__run_has(const eex_run *run, const char *name)
{
    char *path = NULL;
    bool has = eex_path_join(&path, folder_of(run, name), name) == EEX_OK && eex_fs_exists(path);
    free(path);
    return has;
}

/* run.h5 is of no phase: it says what all of them make. */
static const eex_phase_file *file_of(const char *name)
{
    static const eex_phase_file run_file = {RUN_FILE, "run", {NULL}};
    eex_phase phase;
    const eex_phase_file *file = eex_phase_file_of(&phase, name);
    return file ? file : strcmp(name, RUN_FILE) == 0 ? &run_file : NULL;
}

static const char *kind_of(const char *name)
{
    const eex_phase_file *file = file_of(name);
    return file ? file->kind : NULL;
}

static int locate(char **path, const char **kind, const eex_run *run, const char *name)
{
    *path = NULL;
    *kind = kind_of(name);
    if (!*kind)
        return eex_fail(EEX_EINVAL, "%s: no phase of a run has such a file", name);
    return eex_path_join(path, folder_of(run, name), name);
}

typedef struct writing {
    const eex_phase_file *file;
    eex_store_fill fill;
    const void *context;
} writing;

static int fill_with_company(eex_store_file *file, const void *context)
{
    const writing *w = context;
    int count = 0;
    while (count < EEX_PHASE_COMPANY && w->file->with[count])
        count++;
    EEX_TRY(w->fill(file, w->context));
    return eex_store_made_with(file, w->file->with, count);
}

int eex__run_write(const eex_run *run, const char *name, eex_store_fill fill, const void *context)
{
    char *path = NULL;
    const char *kind = NULL;
    EEX_TRY(locate(&path, &kind, run, name));
    const writing all = {file_of(name), fill, context};
    int code = eex_store_write_file(path, kind, EEX_RUN_VERSION, fill_with_company, &all);
    if (code == EEX_OK && eex__run_saved)
        eex__run_saved(path);
    free(path);
    return code;
}

int eex__run_read(const eex_run *run, const char *name, eex_store_use use, void *context)
{
    char *path = NULL;
    const char *kind = NULL;
    EEX_TRY(locate(&path, &kind, run, name));
    int code = eex_store_read_file(path, kind, EEX_RUN_VERSION, use, context);
    if (code == EEX_ENOTFOUND && !eex_fs_exists(path))
        code = eex_fail(code,
                        "%s is not there, although what came of it is: put it back, or start again "
                        "with --fresh",
                        path);
    free(path);
    return code;
}

int eex__run_copy(const eex_run *run, const char *name, const char *source)
{
    char *path = NULL;
    const char *kind = NULL;
    eex_store_file *file = NULL;
    EEX_TRY(locate(&path, &kind, run, name));
    int code = eex_store_open(&file, source, kind, EEX_RUN_VERSION);
    eex_store_close(file);
    if (code == EEX_OK)
        code = eex_fs_copy(path, source);
    if (code == EEX_OK && eex__run_saved)
        eex__run_saved(path);
    free(path);
    return code;
}

int eex__run_remove(const eex_run *run, const char *name)
{
    char *path = NULL;
    EEX_TRY(eex_path_join(&path, folder_of(run, name), name));
    int code = eex_fs_remove_file(path);
    free(path);
    return code;
}

/* ---- the folder ---- */

bool eex_run_is_finished(const char *folder)
{
    char *path = NULL;
    bool is = eex_path_join(&path, folder, "result.h5") == EEX_OK && eex_fs_exists(path);
    free(path);
    return is;
}

bool eex_run_owns(const char *path)
{
    const char *name = eex_path_base(path);
    char *folder = NULL, *run = NULL;
    bool owns = kind_of(name) && eex_path_folder(&folder, path) == EEX_OK &&
                eex_path_join(&run, folder, RUN_FILE) == EEX_OK && eex_fs_exists(run);
    free(run);
    free(folder);
    return owns;
}

bool eex__run_is_folder(const eex_run *run, const char *path)
{
    return eex_fs_is_same(path, run->options->folder);
}

/* Links are followed to what would be removed or replaced. */
bool eex__run_makes(const eex_run *run, const char *path)
{
    char *file = realpath(path, NULL), *folder = NULL;
    const bool makes = file && kind_of(eex_path_base(file)) &&
                       eex_path_folder(&folder, file) == EEX_OK && eex__run_is_folder(run, folder);
    free(folder);
    free(file);
    return makes;
}

/* From the last name on, which is the one that says that a phase is done, where it leaves several.
 */
static int clear_phase(const eex_run *run, const eex_fs_names *names, eex_phase phase)
{
    for (size_t i = names->count; i-- > 0;) {
        eex_phase of;
        if (eex_phase_file_of(&of, names->names[i]) && of == phase)
            EEX_TRY(eex__run_remove(run, names->names[i]));
    }
    return EEX_OK;
}

int eex__run_check_unclaimed(const eex_run *run)
{
    const char *folder = run->options->folder;
    eex_fs_names names = {0};
    eex_phase of;
    int code = eex_fs_list(&names, folder);
    for (size_t i = 0; i < names.count && code == EEX_OK; i++)
        if (eex_phase_file_of(&of, names.names[i]) && eex__run_has(run, names.names[i]))
            code = eex_fail(EEX_EINVAL,
                            "%s holds %s, but no %s that says of which run it is: put that back, "
                            "move the files away, or choose another folder with --out",
                            folder, names.names[i], RUN_FILE);
    eex_fs_names_free(&names);
    return code;
}

/* Starts again: removes what a run has left, and nothing else that may be in the folder. What was
 * made last goes first, and the file that says what the run is goes last, so that a kill in between
 * leaves a run that can be continued. */
static int clear(const eex_run *run)
{
    eex_fs_names names = {0};
    if (!eex__run_has(run, RUN_FILE))
        return EEX_OK;
    EEX_TRY(eex_fs_list(&names, run->options->folder));
    int code = eex__candidates_clear(run);
    if (code == EEX_OK)
        code = eex__elsewhere_clear(run);
    for (int p = EEX_PHASES - 1; p >= 0 && code == EEX_OK; p--)
        code = clear_phase(run, &names, (eex_phase)p);
    eex_fs_names_free(&names);
    return code == EEX_OK ? eex__run_remove(run, RUN_FILE) : code;
}

static int lock(eex_run *run)
{
    const char *folder = run->options->folder;
    const int code = eex_lock_acquire(&run->lock, folder);
    if (code != EEX_EUNSUPPORTED)
        return code;
    if (!run->options->no_lock)
        return eex_fail(code,
                        "%s: choose a folder on another one, or go on with --no-lock and see to it "
                        "that nothing else writes to this run",
                        eex_error());
    eex_log_warn("%s is not locked: nothing else may write to it until this run ends", folder);
    return EEX_OK;
}

/* What is finished may be where nobody can write, and is shown there. */
int eex__run_open_folder(eex_run *run)
{
    const eex_run_options *o = run->options;
    if (run->works) /* in a folder whose lock the search has */
        return EEX_OK;
    EEX_TRY(eex__run_reuse_check(run)); /* before anything is removed */
    run->finished = !o->fresh && eex_run_is_finished(o->folder);
    if (run->finished && !o->move)
        return EEX_OK;
    EEX_TRY(eex_fs_make_folders(&run->made, o->folder));
    EEX_TRY(lock(run));
    EEX_TRY(eex_fs_remove_parts(o->folder));
    return o->fresh ? clear(run) : EEX_OK;
}

int eex__run_add_to_folder(eex_run *run)
{
    if (run->lock)
        return EEX_OK;
    EEX_TRY(lock(run));
    return eex_fs_remove_parts(run->options->folder);
}

/* run.h5 comes first: where there is none, there is nothing. */
void eex__run_close_folder(eex_run *run)
{
    if (run->works || eex__run_has(run, RUN_FILE)) {
        eex_lock_release(run->lock);
    } else {
        eex_lock_discard(run->lock);
        eex_fs_unmake_folders(run->made, run->options->folder);
    }
    free(run->made);
}
