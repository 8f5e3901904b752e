#include "core/sweep/slurm.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/status.h"

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

enum { OUTPUT = 4096, TEXT = 64, MAX_JOBS = 1 << 20 };

/* ---- the script ---- */

static void put_option(eex_buffer *out, const char *option, const char *value)
{
    if (*value)
        eex_buffer_printf(out, "#SBATCH %s=%s\n", option, value);
}

static void put_number(eex_buffer *out, const char *option, int value)
{
    if (value)
        eex_buffer_printf(out, "#SBATCH %s%d\n", option, value);
}

static void put_lines(eex_buffer *out, const char *lines)
{
    const size_t length = strlen(lines);
    if (length)
        eex_buffer_printf(out, "%s%s", lines, lines[length - 1] == '\n' ? "" : "\n");
}

/* For a shell: in single quotes. */
static void put_quoted(eex_buffer *out, const char *text)
{
    eex_buffer_putc(out, '\'');
    for (; *text; text++)
        if (*text == '\'')
            eex_buffer_puts(out, "'\\''");
        else
            eex_buffer_putc(out, *text);
    eex_buffer_putc(out, '\'');
}

static void put_cancelled(eex_buffer *out, const char *folder)
{
    eex_buffer path = EEX_BUFFER_INIT;
    eex_buffer_printf(&path, "%s/cancelled", folder);
    put_quoted(out, eex_buffer_text(&path));
    eex_buffer_free(&path);
}

/* What the script itself says, of all tasks: a module that is not there, say. */
static void put_output(eex_buffer *out, const char *folder)
{
    eex_buffer_printf(out, "#SBATCH --output=\"%s/slurm.log\"\n#SBATCH --open-mode=append\n",
                      folder);
}

static void put_head(eex_buffer *out, const eex_sweep *s, const char *folder)
{
    const eex_sweep_cluster *c = &s->cluster;
    eex_buffer_puts(out, "#!/bin/bash\n");
    put_option(out, "--job-name", s->name);
    put_option(out, "--partition", c->partition);
    put_option(out, "--time", c->time);
    put_option(out, "--mem", c->memory);
    put_number(out, "--gres=gpu:", c->gpus);
    put_number(out, "--cpus-per-task=", c->cpus);
    put_output(out, folder);
    eex_buffer_puts(out, "#SBATCH --requeue\n"
                         "#SBATCH --signal=B:TERM@120\n");
    put_lines(out, c->options);
}

/* The shell waits in the background of its trap: a foreground command would hold the signal back
 * until the time is over. */
void eex_slurm_script(eex_buffer *out, const eex_sweep *s, const char *folder, const char *program)
{
    put_head(out, s, folder);
    eex_buffer_puts(out,
                    "\n# Each task of the array is one run; its outcome and what it says are in "
                    "tasks/NNNN.\n");
    put_lines(out, s->cluster.setup);
    eex_buffer_puts(out, "trap 'kill -TERM \"$run\"' TERM\n"
                         "threads=${SLURM_CPUS_PER_TASK:-${SLURM_CPUS_ON_NODE:-}} # not all of the "
                         "node's\n");
    if (*s->cluster.container)
        eex_buffer_printf(out, "%s ", s->cluster.container);
    put_quoted(out, program);
    eex_buffer_puts(out, " sweep task ");
    put_quoted(out, folder);
    eex_buffer_puts(out, " $((SLURM_ARRAY_TASK_ID + ${EEX_SWEEP_OFFSET:-0})) --device ");
    put_quoted(out, s->device);
    eex_buffer_puts(out,
                    " ${threads:+--threads \"$threads\"} &\n"
                    "run=$!\n"
                    "wait \"$run\"\n"
                    "status=$?\n"
                    "while kill -0 \"$run\" 2>/dev/null; do # a signal ended the wait alone\n"
                    "    wait \"$run\"\n"
                    "    status=$?\n"
                    "done\n"
                    "\n# Told to end and saved: it goes on later, unless all of them are to end.\n"
                    "if [ \"$status\" = 130 ] && [ ! -e ");
    put_cancelled(out, folder);
    eex_buffer_puts(out, " ]; then\n"
                         "    scontrol requeue \"${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}\"\n"
                         "fi\n"
                         "exit \"$status\"\n");
}

void eex_slurm_ranges(eex_buffer *out, const size_t *task, size_t count, size_t offset)
{
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && task[end] == task[end - 1] + 1;)
            end++;
        eex_buffer_printf(out, "%s%zu", i ? "," : "", task[i] - offset);
        if (end > i + 1)
            eex_buffer_printf(out, "-%zu", task[end - 1] - offset);
    }
}

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

/* What it prints, on either stream. */
static int run(char out[OUTPUT], char *const *arguments)
{
    int ends[2];
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
                              "Slurm cluster; --local N runs here",
                              arguments[0])
               : failed ? eex_fail(EEX_EIO, "cannot start %s: %s", arguments[0], strerror(failed))
                        : collect(out, ends[0], child, arguments[0]);
    close(ends[0]);
    return code;
}

/* ---- submitting ---- */

static int own_program(char out[PATH_MAX])
{
    const ssize_t length = readlink("/proc/self/exe", out, PATH_MAX - 1);
    if (length < 0)
        return eex_fail(EEX_EIO, "cannot tell where the program is: %s", strerror(errno));
    out[length] = '\0';
    return EEX_OK;
}

static int write_script(char **path, const eex_sweep *s, const char *folder)
{
    char program[PATH_MAX];
    eex_buffer text = EEX_BUFFER_INIT;
    EEX_TRY(own_program(program));
    EEX_TRY(eex_path_join(path, folder, "slurm.sh"));
    eex_slurm_script(&text, s, folder, program);
    int code = eex_buffer_status(&text);
    if (code == EEX_OK)
        code = eex_fs_write(*path, text.data, text.size);
    eex_buffer_free(&text);
    return code;
}

static int add_job(const char *folder, const char *line)
{
    char *path = NULL, *before = NULL;
    eex_buffer text = EEX_BUFFER_INIT;
    EEX_TRY(eex_path_join(&path, folder, "slurm.jobs"));
    int code = eex_fs_read(&before, NULL, path, MAX_JOBS);
    if (code == EEX_OK || code == EEX_ENOTFOUND) {
        eex_buffer_printf(&text, "%s%s\n", before ? before : "", line);
        code = eex_buffer_status(&text);
    }
    if (code == EEX_OK)
        code = eex_fs_write(path, text.data, text.size);
    eex_buffer_free(&text);
    free(before);
    free(path);
    return code;
}

static int submit_array(const eex_sweep *s, const char *folder, char *script, const size_t *task,
                        size_t count, size_t offset)
{
    char output[OUTPUT], number[TEXT];
    char sbatch[] = "sbatch", parsable[] = "--parsable";
    eex_buffer array = EEX_BUFFER_INIT, exports = EEX_BUFFER_INIT, line = EEX_BUFFER_INIT;
    eex_buffer_puts(&array, "--array=");
    eex_slurm_ranges(&array, task, count, offset);
    if (s->cluster.most) {
        snprintf(number, sizeof number, "%%%d", s->cluster.most);
        eex_buffer_puts(&array, number);
    }
    eex_buffer_printf(&exports, "--export=ALL,EEX_SWEEP_OFFSET=%zu", offset);
    int code = eex_buffer_status(&array);
    if (code == EEX_OK)
        code = eex_buffer_status(&exports);
    if (code == EEX_OK)
        code =
            run(output, (char *const[]){sbatch, parsable, array.data, exports.data, script, NULL});
    if (code == EEX_OK) {
        output[strcspn(output, ";\n")] = '\0'; /* "job" or "job;cluster" */
        eex_buffer_printf(&line, "%s tasks %zu to %zu", output, task[0], task[count - 1]);
        eex_log_info("submitted %zu tasks as job %s", count, output);
        code = add_job(folder, eex_buffer_text(&line));
    }
    eex_buffer_free(&array);
    eex_buffer_free(&exports);
    eex_buffer_free(&line);
    return code;
}

/* DIR/cancelled: whoever is told to end does not come again. */
static int set_cancelled(const char *folder, bool cancelled)
{
    char *path = NULL;
    EEX_TRY(eex_path_join(&path, folder, "cancelled"));
    int code = cancelled ? eex_fs_write(path, "", 0) : eex_fs_remove_tree(path);
    free(path);
    return code;
}

int eex_slurm_submit(const eex_sweep *s, const char *folder, const size_t *task, size_t count)
{
    char *script = NULL;
    EEX_TRY(set_cancelled(folder, false));
    int code = write_script(&script, s, folder);
    for (size_t i = 0, end; i < count && code == EEX_OK; i = end) {
        const size_t offset = task[i] / EEX_SLURM_ARRAY * EEX_SLURM_ARRAY;
        for (end = i + 1; end < count && task[end] < offset + EEX_SLURM_ARRAY;)
            end++;
        code = submit_array(s, folder, script, task + i, end - i, offset);
    }
    free(script);
    return code;
}

/* ---- cancelling ---- */

static int cancel_one(const char *line)
{
    char output[OUTPUT], job[TEXT], scancel[] = "scancel";
    size_t length = 0;
    while (length < TEXT - 1 && isdigit((unsigned char)line[length]))
        length++;
    snprintf(job, sizeof job, "%.*s", (int)length, line);
    return length ? run(output, (char *const[]){scancel, job, NULL}) : EEX_OK;
}

int eex_slurm_cancel(size_t *count, const char *folder)
{
    char *path = NULL, *jobs = NULL;
    *count = 0;
    EEX_TRY(set_cancelled(folder, true));
    EEX_TRY(eex_path_join(&path, folder, "slurm.jobs"));
    int code = eex_fs_read(&jobs, NULL, path, MAX_JOBS);
    free(path);
    if (code == EEX_ENOTFOUND)
        return EEX_OK;
    for (char *line = code == EEX_OK ? strtok(jobs, "\n") : NULL; line && code == EEX_OK;
         line = strtok(NULL, "\n"), ++*count)
        code = cancel_one(line);
    free(jobs);
    return code;
}
