/* The script of an array job. */
#include "core/sweep/slurm_job.h"

#include "base/shell.h"

#include <string.h>

#define REQUEUE "scontrol requeue \"${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}\""

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

static void put_cancelled(eex_buffer *out, const char *folder)
{
    eex_shell_quote(out, folder);
    eex_buffer_puts(out, "/cancelled.\"$SLURM_ARRAY_JOB_ID\"");
}

static void put_head(eex_buffer *out, const eex_slurm_job *job)
{
    const eex_cluster *c = job->cluster;
    eex_buffer_puts(out, "#!/bin/bash\n");
    put_option(out, "--job-name", job->name);
    put_option(out, "--partition", c->partition);
    put_option(out, "--time", c->time);
    put_option(out, "--mem", c->memory);
    put_number(out, "--gres=gpu:", c->gpus);
    put_number(out, "--cpus-per-task=", c->cpus);
    if (job->begin)
        eex_buffer_printf(out, "#SBATCH --chdir=\"%s\"\n", job->begin);
    eex_buffer_printf(out, "#SBATCH --output=\"%s/%s\"\n#SBATCH --open-mode=append\n", job->folder,
                      job->log);
    eex_buffer_puts(out, "#SBATCH --requeue\n"
                         "#SBATCH --signal=B:TERM@120\n");
    put_lines(out, c->options);
    eex_buffer_printf(out, "\n# %s\n", job->about);
    put_lines(out, c->setup);
}

static void put_command(eex_buffer *out, const eex_slurm_job *job, const char *program)
{
    if (*job->cluster->container)
        eex_buffer_printf(out, "%s ", job->cluster->container);
    eex_shell_quote(out, program);
    for (size_t i = 0; job->word[i]; i++) {
        eex_buffer_putc(out, ' ');
        eex_shell_word(out, job->word[i]);
    }
    if (job->number)
        eex_buffer_printf(out, " %s", job->number);
    eex_buffer_puts(out, " --device ");
    eex_shell_quote(out, job->device);
    eex_buffer_puts(out, " ${threads:+--threads \"$threads\"} &\n");
}

/* The shell waits in the background of its trap: a foreground command would hold the signal back
 * until the time is over. */
void eex_slurm_job_script(eex_buffer *out, const eex_slurm_job *job, const char *program)
{
    put_head(out, job);
    eex_buffer_puts(out, "trap 'kill -TERM \"$run\"' TERM\n"
                         "threads=${SLURM_CPUS_PER_TASK:-${SLURM_CPUS_ON_NODE:-}} # not all of the "
                         "node's\n");
    put_command(out, job, program);
    eex_buffer_puts(out, "run=$!\n"
                         "wait \"$run\"\n"
                         "status=$?\n"
                         "while kill -0 \"$run\" 2>/dev/null; do # a signal ended the wait alone\n"
                         "    wait \"$run\"\n"
                         "    status=$?\n"
                         "done\n"
                         "\n# Told to end and saved: it goes on later, unless the whole job is "
                         "to end.\n"
                         "if [ \"$status\" = 130 ] && [ ! -e ");
    put_cancelled(out, job->folder);
    eex_buffer_puts(out, " ]; then\n"
                         "    " REQUEUE "\n"
                         "fi\n"
                         "exit \"$status\"\n");
}

bool eex_slurm_is_script(const char *text)
{
    return strncmp(text, "#!/bin/bash\n#SBATCH ", 20) == 0 && strstr(text, REQUEUE);
}
