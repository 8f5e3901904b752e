#include "core/sweep/slurm_job.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/status.h"
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum {
    ARGUMENTS = 8,
    OUTPUT = 4096,
    MAX_JOBS = 1 << 20,
    MAX_SCRIPT = 1 << 20,
    SHOWN = 200,
    TEXT = 2 * EEX_SLURM_NUMBER
};

/* ---- running its commands ---- */

static int collect(char out[OUTPUT], int from, pid_t child, const char *name)
{
    size_t size = 0;
    int status = 0;
    for (;;) {
        char rest[OUTPUT];
        const bool room = size < OUTPUT - 1;
        const ssize_t got = read(from, room ? out + size : rest, room ? OUTPUT - 1 - size : OUTPUT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        size += room ? (size_t)got : 0;
    }
    out[size] = '\0';
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return EEX_OK;
    return eex_fail(EEX_EIO, "%s failed: %.*s", name, (int)strcspn(out, "\n"),
                    *out ? out : "it says nothing");
}

/* What it prints, on either stream. The arguments end with NULL. */
static int run(char out[OUTPUT], const char *const *given)
{
    char *arguments[ARGUMENTS] = {NULL};
    int ends[2];
    for (size_t i = 0; given[i] && i < ARGUMENTS - 1; i++)
        memcpy(&arguments[i], &given[i], sizeof *given); /* which are left alone */
    pid_t child;
    posix_spawn_file_actions_t actions;
    if (pipe(ends) != 0)
        return eex_fail(EEX_EIO, "%s: %s", arguments[0], strerror(errno));
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    const int failed = posix_spawnp(&child, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    int code = failed == ENOENT
                   ? eex_fail(EEX_ENOTFOUND,
                              "there is no %s on this machine: --slurm wants a login node of a "
                              "Slurm cluster; without it the work is done here",
                              arguments[0])
               : failed ? eex_fail(EEX_EIO, "cannot start %s: %s", arguments[0], strerror(failed))
                        : collect(out, ends[0], child, arguments[0]);
    close(ends[0]);
    return code;
}

/* ---- the script ---- */

static int own_program(char out[PATH_MAX])
{
    const ssize_t length = readlink("/proc/self/exe", out, PATH_MAX - 1);
    if (length < 0)
        return eex_fail(EEX_EIO, "cannot tell where the program is: %s", strerror(errno));
    out[length] = '\0';
    return EEX_OK;
}

/* What is in one line of the script must not begin another. */
static int check_lines(const eex_cluster *c, const char *table)
{
    const struct {
        const char *name, *text;
    } lines[] = {{"partition", c->partition},
                 {"time", c->time},
                 {"memory", c->memory},
                 {"container", c->container}};
    enum { WORDS = 3 }; /* the first ones: blanks and quotes would begin another option */
    for (size_t i = 0; i < WORDS; i++)
        for (const char *at = lines[i].text; *at; at++)
            if (!isalnum((unsigned char)*at) && !strchr("-_.,:+@/", *at))
                return eex_fail(EEX_EINVAL, "%s.%s: letters, digits and -_.,:+@/ alone, got \"%s\"",
                                table, lines[i].name, lines[i].text);
    for (size_t i = WORDS; i < sizeof lines / sizeof *lines; i++)
        for (const char *at = lines[i].text; *at; at++)
            if (iscntrl((unsigned char)*at))
                return eex_fail(EEX_EINVAL, "%s.%s: a text in one line, got \"%.*s\" and more",
                                table, lines[i].name, (int)(at - lines[i].text), lines[i].text);
    return EEX_OK;
}

int eex_slurm_check_foreign(const eex_cluster *cluster, const char *table)
{
    const struct {
        const char *name, *lines;
    } of[] = {{"setup", cluster->setup},
              {"options", cluster->options},
              {"container", cluster->container}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        if (*of[i].lines)
            return eex_fail(EEX_EINVAL,
                            "%s.%s: the cluster would run it as it is: expected none, or "
                            "--trust, got \"%.40s\"",
                            table, of[i].name, of[i].lines);
    return EEX_OK;
}

int eex_slurm_check(const eex_cluster *cluster, const char *table)
{
    char output[OUTPUT];
    EEX_TRY(check_lines(cluster, table));
    return run(output, (const char *const[]){"sbatch", "--version", NULL});
}

/* Each submission writes its script anew; one of somebody else by that name is left alone. */
static int check_script(const char *path)
{
    char *text = NULL;
    const int code = eex_fs_read(&text, NULL, path, MAX_SCRIPT);
    const bool own = code == EEX_ENOTFOUND || (code == EEX_OK && eex_slurm_is_script(text));
    free(text);
    return own ? EEX_OK
               : eex_fail(EEX_EINVAL,
                          "%s is there already, and not a script that eex has written: remove it, "
                          "or choose another folder",
                          path);
}

int eex_slurm_job_write(char **script, const eex_slurm_job *job)
{
    char program[PATH_MAX];
    eex_buffer text = EEX_BUFFER_INIT;
    *script = NULL;
    EEX_TRY(check_lines(job->cluster, job->table));
    EEX_TRY(own_program(program));
    EEX_TRY(eex_path_join(script, job->folder, "slurm.sh"));
    EEX_TRY(check_script(*script));
    eex_slurm_job_script(&text, job, program);
    int code = eex_buffer_status(&text);
    if (code == EEX_OK)
        code = eex_fs_write(*script, text.data, text.size);
    eex_buffer_free(&text);
    return code;
}

/* ---- submitting ---- */

/* FOLDER/cancelled.NUMBER. A marker a job: tasks of an earlier one may still be ending when the
 * next one is submitted, and must not come again. */
static int set_cancelled(const char *folder, const char *number, bool cancelled)
{
    char name[TEXT], *path = NULL;
    snprintf(name, sizeof name, "cancelled.%s", number);
    EEX_TRY(eex_path_join(&path, folder, name));
    int code = cancelled ? eex_fs_write(path, "", 0) : eex_fs_remove_file(path);
    free(path);
    return code;
}

int eex_slurm_jobs(char **out, const char *folder)
{
    char *path = NULL;
    EEX_TRY(eex_path_join(&path, folder, "slurm.jobs"));
    int code = eex_fs_read(out, NULL, path, MAX_JOBS);
    free(path);
    if (code != EEX_ENOTFOUND)
        return code;
    *out = strdup("");
    return *out ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for the jobs of %s", folder);
}

static int add_job(const char *folder, const char *line)
{
    char *path = NULL, *before = NULL;
    eex_buffer text = EEX_BUFFER_INIT;
    EEX_TRY(eex_slurm_jobs(&before, folder));
    eex_buffer_printf(&text, "%s%s\n", before, line);
    int code = eex_buffer_status(&text);
    if (code == EEX_OK)
        code = eex_path_join(&path, folder, "slurm.jobs");
    if (code == EEX_OK)
        code = eex_fs_write(path, text.data, text.size);
    eex_buffer_free(&text);
    free(before);
    free(path);
    return code;
}

/* Digits, with nothing behind them but one of `ends`, or the end: how many, or 0. */
static size_t digits_of(const char *text, const char *ends)
{
    const size_t length = strspn(text, "0123456789");
    const bool good = *text != '0' && length < EEX_SLURM_NUMBER &&
                      (text[length] == '\0' || strchr(ends, text[length]));
    return good ? length : 0;
}

/* Of what sbatch has said, "JOB" or "JOB;CLUSTER" in a line of its own: its warnings, and what a
 * site's own sbatch greets with, may stand around it. */
static int find_number(char number[EEX_SLURM_NUMBER], const char *output)
{
    char shown[SHOWN];
    size_t found = 0;
    for (const char *line = output; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        const size_t length = digits_of(line, ";\r\n");
        if (length == 0)
            continue;
        found++;
        snprintf(number, EEX_SLURM_NUMBER, "%.*s", (int)length, line);
    }
    if (found == 1)
        return EEX_OK;
    const size_t end = strlen(output);
    snprintf(shown, sizeof shown, "%.*s", (int)(end && output[end - 1] == '\n' ? end - 1 : end),
             output);
    eex_text_disarm(shown, "");
    return eex_fail(EEX_EFORMAT,
                    "sbatch has not said which job it is: expected its number, as --parsable "
                    "prints it, got \"%s\": squeue tells whether there is one, and scancel ends it",
                    shown);
}

int eex_slurm_job_submit(char number[EEX_SLURM_NUMBER], const char *script, const char *folder,
                         const char *array, const char *exports, const char *what)
{
    char output[OUTPUT];
    eex_buffer line = EEX_BUFFER_INIT;
    EEX_TRY(
        run(output, (const char *const[]){"sbatch", "--parsable", array, exports, script, NULL}));
    EEX_TRY(find_number(number, output));
    eex_buffer_printf(&line, "%s %s", number, what);
    int code = add_job(folder, eex_buffer_text(&line)); /* first, or nobody could cancel it */
    eex_buffer_free(&line);
    return code == EEX_OK ? set_cancelled(folder, number, false) /* numbers come again one day */
                          : code;
}

/* ---- cancelling ---- */

/* What scancel says, with a status or without one, of a job that is over for long. */
static bool is_forgotten(const char *output)
{
    return strstr(output, "Invalid job id") != NULL;
}

/* *cancelled: one more, or as many as before. */
static int cancel_one(size_t *cancelled, const char *folder, const char *line)
{
    char output[OUTPUT] = "", job[EEX_SLURM_NUMBER];
    const size_t length = digits_of(line, " ");
    snprintf(job, sizeof job, "%.*s", (int)length, line);
    if (length == 0)
        return eex_fail(EEX_EFORMAT,
                        "%s/slurm.jobs: this line does not begin with its number: scancel ends it, "
                        "if squeue has it; then take the line out",
                        folder);
    EEX_TRY(set_cancelled(folder, job, true));
    const int code = run(output, (const char *const[]){"scancel", job, NULL});
    if (is_forgotten(output))
        return EEX_OK;
    *cancelled += code == EEX_OK;
    return code;
}

/* Whether FOLDER/cancelled.NUMBER is there. */
static int is_cancelled(bool *out, const char *folder, const char *number)
{
    char name[TEXT], *path = NULL;
    snprintf(name, sizeof name, "cancelled.%s", number);
    EEX_TRY(eex_path_join(&path, folder, name));
    *out = eex_fs_exists(path);
    free(path);
    return EEX_OK;
}

int eex_slurm_job_of(char number[EEX_SLURM_NUMBER], const char *jobs, const char *folder,
                     size_t task)
{
    *number = '\0';
    for (const char *line = jobs; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        char job[EEX_SLURM_NUMBER];
        size_t from, to;
        bool cancelled = false;
        if (sscanf(line, "%63[0-9] tasks %zu to %zu", job, &from, &to) != 3 || task < from ||
            task > to)
            continue;
        EEX_TRY(is_cancelled(&cancelled, folder, job));
        if (!cancelled)
            snprintf(number, EEX_SLURM_NUMBER, "%s", job);
    }
    return EEX_OK;
}

int eex_slurm_cancel(size_t *count, const char *folder)
{
    char *jobs = NULL;
    size_t failed = 0, all = 0;
    *count = 0;
    EEX_TRY(eex_slurm_jobs(&jobs, folder));
    for (char *line = strtok(jobs, "\n"); line; line = strtok(NULL, "\n"), all++)
        if (cancel_one(count, folder, line) < 0) {
            failed++;
            eex_log_warn("cannot cancel job %s: %s", line, eex_error());
        }
    free(jobs);
    return failed ? eex_fail(EEX_EIO, "not cancelled: %zu of %zu jobs", failed, all) : EEX_OK;
}
