#include "core/run/candidates.h"

#include "core/run/run.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME = 32, LINE = 2048, DIGITS = 7 };

static const char FOLDER[] = "candidates";

/* ---- names ---- */

int eex__candidates_folder(char **out, const eex_run *run)
{
    return eex_path_join(out, run->options->folder, FOLDER);
}

int eex__candidate_path(char **out, const eex_run *run, uint64_t number, const char *name)
{
    char below[2 * NAME + sizeof FOLDER];
    snprintf(below, sizeof below, "%s/%07llu%s%s", FOLDER, (unsigned long long)number,
             *name ? "/" : "", name);
    return eex_path_join(out, run->options->folder, below);
}

static bool has(const eex_run *run, uint64_t number, const char *name)
{
    char *path = NULL;
    const bool is = eex__candidate_path(&path, run, number, name) == EEX_OK && eex_fs_exists(path);
    free(path);
    return is;
}

static bool is_number(const char *name)
{
    const size_t length = strspn(name, "0123456789");
    return length >= DIGITS && length < 2 * DIGITS && name[length] == '\0';
}

int eex__candidates_list(uint64_t **out, size_t *count, const eex_run *run)
{
    char *folder = NULL;
    eex_fs_names names = {0};
    *out = NULL;
    *count = 0;
    EEX_TRY(eex__candidates_folder(&folder, run));
    int code = eex_fs_is_folder(folder) ? eex_fs_list(&names, folder) : EEX_OK;
    if (code < 0 && !eex_fs_exists(folder)) /* gone just now */
        code = EEX_OK;
    free(folder);
    if (code == EEX_OK && !(*out = calloc(names.count + 1, sizeof **out)))
        code = eex_fail(EEX_ENOMEM, "out of memory for %zu candidates", names.count);
    for (size_t i = 0; i < names.count && code == EEX_OK; i++)
        if (is_number(names.names[i]))
            (*out)[(*count)++] = strtoull(names.names[i], NULL, 10);
    eex_fs_names_free(&names);
    return code;
}

bool eex__candidates_are_led(const eex_run *run)
{
    char *folder = NULL;
    eex_lock *lock = NULL;
    const int code = eex__candidates_folder(&folder, run) == EEX_OK && eex_fs_is_folder(folder)
                         ? eex_lock_acquire(&lock, folder)
                         : EEX_ENOTFOUND;
    eex_lock_release(lock);
    free(folder);
    return code == EEX_EBUSY;
}

/* By another name first, so that nobody finds half of it, or makes anything in it. */
static int remove_whole(const char *path)
{
    char *gone = NULL;
    if (!eex_fs_exists(path))
        return EEX_OK;
    EEX_TRY(eex_fs_part_name(&gone, path));
    int code = rename(path, gone) == 0 ? eex_fs_remove_tree(gone) : eex_fs_remove_tree(path);
    free(gone);
    return code;
}

int eex__candidate_remove(const eex_run *run, uint64_t number)
{
    char *path = NULL;
    EEX_TRY(eex__candidate_path(&path, run, number, ""));
    int code = remove_whole(path);
    free(path);
    return code;
}

int eex__candidates_clear(const eex_run *run)
{
    char *folder = NULL;
    uint64_t *number = NULL;
    size_t count = 0;
    int code = eex__candidates_list(&number, &count, run);
    for (size_t i = 0; i < count && code == EEX_OK; i++)
        code = eex__candidate_remove(run, number[i]);
    free(number);
    EEX_TRY(code);
    EEX_TRY(eex__candidates_folder(&folder, run));
    code = eex_fs_remove_tree(folder);
    free(folder);
    return code;
}

/* ---- genomes ---- */

typedef struct genome_file {
    int genes;
    int32_t value[EEX_MAX_GENES];
} genome_file;

static eex_store_shape shape_of(const genome_file *g)
{
    return (eex_store_shape){1, {(uint64_t)g->genes}};
}

static int fill_genome(eex_store_file *file, const void *context)
{
    const genome_file *g = context;
    const eex_store_shape shape = shape_of(g);
    return eex_store_write(file, "genome", EEX_STORE_I32, &shape, g->value);
}

static int use_genome(eex_store_file *file, void *context)
{
    genome_file *g = context;
    const eex_store_shape shape = shape_of(g);
    return eex_store_read(g->value, file, "genome", EEX_STORE_I32, &shape);
}

int eex__candidate_put(const eex_run *run, uint64_t number, const int *genome)
{
    char *folder = NULL, *path = NULL;
    genome_file g = {.genes = run->structures->space.genes};
    for (int i = 0; i < g.genes; i++)
        g.value[i] = genome[i];
    int code = eex__candidate_path(&folder, run, number, "");
    if (code == EEX_OK)
        code = eex_fs_make_folder(folder);
    if (code == EEX_OK)
        code = eex__candidate_path(&path, run, number, "genome.h5");
    if (code == EEX_OK)
        code = eex_store_write_file(path, "genome", EEX_RUN_VERSION, fill_genome, &g);
    free(path);
    free(folder);
    return code;
}

int eex__candidate_genome(int *genome, const eex_run *run, uint64_t number)
{
    char *path = NULL;
    genome_file g = {.genes = run->structures->space.genes};
    EEX_TRY(eex__candidate_path(&path, run, number, "genome.h5"));
    int code = eex_store_read_file(path, "genome", EEX_RUN_VERSION, use_genome, &g);
    free(path);
    EEX_TRY(code);
    for (int i = 0; i < g.genes; i++)
        genome[i] = g.value[i];
    return eex_space_check(&run->structures->space, genome);
}

/* ---- trials ---- */

bool eex__candidate_is_judged(const eex_run *run, uint64_t number)
{
    return has(run, number, "trial.h5");
}

static int fill_trial(eex_store_file *file, const void *context)
{
    const eex_trials *trials = context;
    return eex_trials_save(trials, 0, 1, file, "trials");
}

static int use_trial(eex_store_file *file, void *context)
{
    return eex_trials_load(context, file, "trials");
}

int eex__candidate_finish(const eex_run *run, uint64_t number, const int *genome,
                          const eex_trial *trial)
{
    char *path = NULL;
    eex_trials one;
    eex_trials_init(&one, run->structures->space.genes);
    int code = eex_trials_add(&one, genome, trial);
    if (code == EEX_OK)
        code = eex__candidate_path(&path, run, number, "trial.h5");
    if (code == EEX_OK)
        code = eex_store_write_file(path, "trial", EEX_RUN_VERSION, fill_trial, &one);
    free(path);
    eex_trials_free(&one);
    return code;
}

int eex__candidate_trial(eex_trial *out, const eex_run *run, uint64_t number, const int *genome)
{
    char *path = NULL;
    eex_trials one;
    const size_t genes = (size_t)run->structures->space.genes;
    eex_trials_init(&one, (int)genes);
    EEX_TRY(eex__candidate_path(&path, run, number, "trial.h5"));
    int code = eex_store_read_file(path, "trial", EEX_RUN_VERSION, use_trial, &one);
    if (code == EEX_OK &&
        (one.count != 1 || memcmp(eex_trials_genome(&one, 0), genome, genes * sizeof *genome) != 0))
        code = eex_fail(EEX_EFORMAT,
                        "%s is not the trial of the candidate that was asked for: remove it, and "
                        "it is judged again",
                        path);
    if (code == EEX_OK)
        *out = one.at[0];
    free(path);
    eex_trials_free(&one);
    return code;
}

/* ---- what is said of it ---- */

int eex__candidate_say(const eex_run *run, uint64_t number, const char *line)
{
    char *path = NULL, text[LINE];
    const int length = snprintf(text, sizeof text - 1, "%.*s", (int)strcspn(line, "\n"), line);
    const size_t size = length < (int)sizeof text - 1 ? (size_t)length : sizeof text - 2;
    text[size] = '\n';
    EEX_TRY(eex__candidate_path(&path, run, number, "status"));
    int code = eex_fs_write(path, text, size + 1);
    free(path);
    return code;
}

/* "" where nobody has said anything. */
static int read_status(char line[LINE], const eex_run *run, uint64_t number)
{
    char *path = NULL, *text = NULL;
    *line = '\0';
    EEX_TRY(eex__candidate_path(&path, run, number, "status"));
    int code = eex_fs_read(&text, NULL, path, LINE);
    if (code == EEX_OK)
        snprintf(line, LINE, "%.*s", (int)strcspn(text, "\n"), text);
    free(text);
    free(path);
    return code == EEX_ENOTFOUND ? EEX_OK : code;
}

int eex__candidate_check(const eex_run *run, uint64_t number)
{
    static const char failed[] = "failed ";
    char line[LINE];
    EEX_TRY(read_status(line, run, number));
    return strncmp(line, failed, sizeof failed - 1) == 0
               ? eex_fail(EEX_EIO, "candidate %llu: %s", (unsigned long long)number,
                          line + sizeof failed - 1)
               : EEX_OK;
}

static int lock_of(eex_lock **lock, const eex_run *run, uint64_t number)
{
    char *folder = NULL;
    *lock = NULL;
    EEX_TRY(eex__candidate_path(&folder, run, number, ""));
    int code = eex_lock_acquire(lock, folder);
    free(folder);
    return code;
}

/* By holding it for a moment: who wants it then comes again. */
int eex__candidates_are_taken(bool *out, const eex_run *run)
{
    uint64_t *number = NULL;
    size_t count = 0;
    *out = false;
    EEX_TRY(eex__candidates_list(&number, &count, run));
    for (size_t i = 0; i < count && !*out; i++) {
        eex_lock *lock = NULL;
        *out = lock_of(&lock, run, number[i]) == EEX_EBUSY;
        eex_lock_release(lock);
    }
    free(number);
    return EEX_OK;
}

int eex__candidate_renew(const eex_run *run, uint64_t number)
{
    char *path = NULL;
    eex_lock *lock = NULL;
    const int locked = lock_of(&lock, run, number);
    if (locked == EEX_EBUSY)
        return EEX_OK;
    EEX_TRY(locked);
    int code = eex__candidate_path(&path, run, number, "status");
    if (code == EEX_OK)
        code = eex_fs_remove_file(path);
    free(path);
    eex_lock_release(lock);
    return code;
}

/* ---- taking it ---- */

/* Whoever said last that it runs, and does not hold the lock, has died. */
static int deaths_of(const char *line)
{
    int deaths = 0;
    return sscanf(line, "running %*s %*d %d", &deaths) == 1 ? deaths + 1 : 0;
}

static int begin(int *deaths, const eex_run *run, uint64_t number)
{
    char line[LINE], host[NAME] = "?", *folder = NULL;
    EEX_TRY(eex__candidate_path(&folder, run, number, ""));
    int code = eex_fs_remove_parts(folder);
    free(folder);
    EEX_TRY(code);
    EEX_TRY(read_status(line, run, number));
    *deaths = deaths_of(line);
    gethostname(host, sizeof host - 1);
    host[strcspn(host, " ")] = '\0';
    snprintf(line, sizeof line, "running %s %ld %d", *host ? host : "?", (long)getpid(), *deaths);
    return eex__candidate_say(run, number, line);
}

static bool is_open(const eex_run *run, uint64_t number)
{
    return has(run, number, "genome.h5") && !eex__candidate_is_judged(run, number);
}

/* The search may take it away at any moment: then it is none, whatever went wrong. */
int eex__candidate_take(eex_lock **lock, int *deaths, const eex_run *run, uint64_t number)
{
    *lock = NULL;
    *deaths = 0;
    int code = is_open(run, number) ? lock_of(lock, run, number) : EEX_ENOTFOUND;
    if (code == EEX_OK)
        code = is_open(run, number) ? begin(deaths, run, number) : EEX_ENOTFOUND;
    if (code == EEX_OK)
        return EEX_OK;
    eex_lock_release(*lock);
    *lock = NULL;
    return code == EEX_EBUSY || is_open(run, number)
               ? code
               : eex_fail(EEX_ENOTFOUND, "there is no candidate %llu to judge",
                          (unsigned long long)number);
}
