/* eex run: an experiment from its file to the final table. */
#include "cli/commands.h"
#include "cli/device_options.h"
#include "cli/print_report.h"
#include "cli/script_options.h"
#include "core/data/dataset.h"
#include "core/data/synthetic.h"
#include "core/sweep/slurm_job.h"
#include "core/sweep/slurm_workers.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SYNTHETIC_SEED = 0 };

typedef struct arguments {
    const char *out, *data, *from;
    eex_device_choice device;
    eex_script_options script;
    int64_t seed; /* -1: as the file says */
    bool fresh, move, no_lock, json, worker, elsewhere, slurm;
} arguments;

static const arguments defaults = {.device = EEX_DEVICE_CHOICE_INIT, .seed = -1};

static const eex_option options[] = {
    EEX_TEXT("out", "DIR", out, "the run's folder (runs/NAME)"),
    EEX_DEVICE_OPTIONS(device),
    EEX_SEED(seed, "of all random numbers (0)"),
    EEX_SET(script.set, "the file"),
    EEX_TEXT("data", "DIR", data, "where data sets are ($EEX_DATA)"),
    EEX_FLAG("fresh", fresh, "start again: what the folder has is removed"),
    EEX_TEXT("from", "RUN", from, "a new run takes over what RUN has that it would make alike"),
    EEX_FLAG("move", move, "go on with a run that began on another device"),
    EEX_FLAG("no-lock", no_lock, "go on where the file system has no locks"),
    EEX_FLAG("worker", worker, "judge candidates of the search that goes on in the folder"),
    EEX_FLAG("elsewhere", elsewhere, "start no workers for search.workers: --worker does"),
    EEX_FLAG("slurm", slurm, "hand search.workers to a Slurm cluster, as an array job"),
    EEX_FLAG("json", json, "print the result as JSON"),
    EEX_TRUST(script.trust, "the file"),
    {0},
};

static int default_folder(char **out, const eex_experiment *e)
{
    eex_buffer b = EEX_BUFFER_INIT;
    eex_buffer_printf(&b, "runs/%s", e->name);
    return eex_buffer_take(out, &b);
}

/* The built-in data set is drawn when it is wanted for the first time. */
static int make_synthetic(const eex_experiment *e)
{
    const char *folder = NULL;
    char *path = NULL;
    if (strcmp(e->data.name, "synthetic") != 0)
        return EEX_OK;
    EEX_TRY(eex_data_directory(&folder));
    EEX_TRY(eex_path_join(&path, folder, "synthetic.h5"));
    int code = EEX_OK;
    if (!eex_fs_exists(path)) {
        eex_log_info("drawing the built-in data set: %s", path);
        code = eex_fs_make_folder(folder);
        if (code == EEX_OK)
            code = eex_synthetic_make(path, "synthetic", EEX_SYNTHETIC_TRAIN, EEX_SYNTHETIC_TEST,
                                      SYNTHETIC_SEED);
    }
    free(path);
    return code;
}

/* The program itself, as a worker of this run. Texts are borrowed but for the seed. */
typedef struct worker_command {
    const char *word[2 * EEX_MAX_LISTED + 10];
    char seed[24];
} worker_command;

static void make_worker(worker_command *w, const char *file, const eex_experiment *e,
                        const arguments *a, const char *folder)
{
    const char **word = w->word;
    snprintf(w->seed, sizeof w->seed, "%llu", (unsigned long long)e->seed);
    *word++ = "/proc/self/exe";
    *word++ = "run";
    *word++ = file;
    for (int i = 0; i < a->script.set.count; i++) {
        *word++ = "--set";
        *word++ = a->script.set.item[i];
    }
    *word++ = "--seed";
    *word++ = w->seed;
    *word++ = "--out";
    *word++ = folder;
    if (a->script.trust)
        *word++ = "--trust";
    if (a->slurm) /* whoever starts those here says so itself */
        *word++ = "--worker";
    *word = NULL;
}

static int check_cluster(const eex_experiment *e, const arguments *a)
{
    if (e->search.workers == 0)
        return eex_fail(EEX_EINVAL, "--slurm: search.workers is 0, so there are no workers");
    if (!a->script.trust)
        EEX_TRY(eex_slurm_check_foreign(&e->search.slurm, "search.slurm"));
    return eex_slurm_check(&e->search.slurm, "search.slurm");
}

static int run_in(const eex_experiment *e, const char *file, const arguments *a, const char *folder)
{
    worker_command worker;
    const eex_slurm_workers cluster = {.name = e->name,
                                       .cluster = &e->search.slurm,
                                       .device = a->device.name,
                                       .word = worker.word + 1};
    const eex_worker_starter starter = eex_slurm_starter(&cluster);
    const eex_run_options how = {.folder = folder,
                                 .device = a->device.name,
                                 .threads = (int)a->device.threads,
                                 .fresh = a->fresh,
                                 .move = a->move,
                                 .no_lock = a->no_lock,
                                 .worker = worker.word,
                                 .elsewhere = a->elsewhere,
                                 .starter = a->slurm ? &starter : NULL,
                                 .from = a->from};
    make_worker(&worker, file, e, a, folder);
    if (a->worker)
        return eex_experiment_work(e, &how);
    if (a->elsewhere && e->search.workers == 0)
        return eex_fail(EEX_EINVAL, "--elsewhere: search.workers is 0, so there are no workers");
    const bool finished = !a->fresh && eex_run_is_finished(folder);
    if (a->slurm && !finished)
        EEX_TRY(check_cluster(e, a));
    EEX_TRY(eex_fs_try_folder(folder)); /* before a data set is drawn */
    EEX_TRY(make_synthetic(e));
    eex_log_info("%s: %s", e->name, folder);
    EEX_TRY(eex_experiment_run(e, &how));
    EEX_TRY(eex_print_report(folder, a->json));
    if (finished) /* once it has been read, and is not damaged */
        eex_log_info("%s is finished", folder);
    return EEX_OK;
}

static int run(const void *given, const eex_words *words)
{
    const arguments *a = given;
    eex_experiment *e = NULL;
    char *folder = NULL;
    if (a->data && setenv("EEX_DATA", a->data, 1) != 0)
        return eex_fail(EEX_ENOMEM, "out of memory for --data");
    EEX_TRY(eex_read_experiment(&e, words->at[0], &a->script));
    if (a->seed >= 0)
        e->seed = (uint64_t)a->seed;
    int code = a->out ? EEX_OK : default_folder(&folder, e);
    if (code == EEX_OK)
        code = run_in(e, words->at[0], a, a->out ? a->out : folder);
    free(folder);
    eex_experiment_free(e);
    return code;
}

static int check(void *given, const eex_words *words)
{
    const arguments *a = given;
    if (a->worker + a->elsewhere + a->slurm > 1)
        return eex_fail(EEX_EINVAL, "--worker, --elsewhere and --slurm: one of them");
    return EEX_OK;
}

const eex_cmd eex_cmd_run = {
    .name = "run",
    .brief = "run an experiment, or go on with it",
    .synopsis = "FILE.lua [options]",
    .summary = "Runs the experiment that FILE.lua describes and shows what came of it.",
    .details = "A run can be stopped at any moment, by Ctrl-C or worse; the same command goes\n"
               "on with it. A finished run is shown and not done again.\n\n"
               "\"eex help fields\" lists all that FILE.lua and --set may say, \"eex help terms\"\n"
               "explains what is shown.\n\n" EEX_SET_DETAILS,
    .words = {1, 1},
    .takes = {sizeof(arguments), &defaults, options},
    .check = check,
    .run = run,
};
