/* What a run takes over from another one: the phases that the same fields have shaped. So an
 * experiment with another policy, search or final training does not train its base and its shared
 * network again. Where trainings repeat bit for bit (on CPUs, and when deterministic) nothing but
 * time is saved. */
#include "core/run/fields.h"
#include "core/run/run.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_TEXT = 16 << 20 };
static const size_t MAX_FILE = (size_t)8 << 30;

/* What comes after the last of these phases is never taken over. */
enum { REUSED = EEX_PHASE_LATENCY + 1 };

static bool shapes(int phase, const char *line)
{
    return (int)eex_phase_of_line(line) == phase;
}

static size_t line_length(const char *text)
{
    return strcspn(text, "\n");
}

/* The first line from `at` on that shapes the phase; at the end of the text: "". */
static const char *next_line(int phase, const char *at)
{
    while (*at && !shapes(phase, at)) {
        at += line_length(at);
        at += *at == '\n';
    }
    return at;
}

/* Whether both descriptions say the same of a phase; *here and *there are the first lines that do
 * not. */
static bool agree(int phase, const char **here, const char **there)
{
    for (;;) {
        *here = next_line(phase, *here);
        *there = next_line(phase, *there);
        size_t n = line_length(*here);
        if (n != line_length(*there) || memcmp(*here, *there, n) != 0)
            return false;
        if (!**here)
            return true;
        *here += n;
        *there += n;
    }
}

static int copy_file(const eex_run *run, const char *from, const char *name, eex_buffer *taken)
{
    char *source = NULL, *target = NULL, *data = NULL;
    size_t size = 0;
    int code = eex_path_join(&source, from, name);
    if (code == EEX_OK && eex_fs_exists(source) && !eex__run_has(run, name)) {
        code = eex_path_join(&target, run->options->folder, name);
        if (code == EEX_OK)
            code = eex_fs_read(&data, &size, source, MAX_FILE);
        if (code == EEX_OK)
            code = eex_fs_write(target, data, size);
        if (code == EEX_OK)
            eex_buffer_printf(taken, "%s%s", taken->size ? ", " : "", name);
    }
    free(data);
    free(target);
    free(source);
    return code;
}

/* What a run says of itself. */
typedef struct source {
    char *description, *device;
    const eex_run *run;
    bool other_data;
} source;

static int copy_phases(const eex_run *run, const char *now, const source *from_run,
                       eex_buffer *taken)
{
    const char *from = run->options->from, *there = from_run->description;
    for (int p = 0; p < REUSED; p++) {
        const eex_phase_file *files = eex_phase_at((eex_phase)p)->files;
        const char *a = now, *b = there;
        if (!agree(p, &a, &b)) {
            eex_log_info("%s: from \"%.*s\" on it is another run; here \"%.*s\"", from,
                         (int)line_length(b), b, (int)line_length(a), a);
            return EEX_OK;
        }
        if (p == EEX_PHASE_LATENCY && strcmp(from_run->device, run->device->name) != 0) {
            eex_log_info("%s: its latencies are those of %s", from, from_run->device);
            return EEX_OK;
        }
        EEX_TRY(eex__run_poll());
        for (int f = 0; f < EEX_PHASE_FILES && files[f].name; f++)
            EEX_TRY(copy_file(run, from, files[f].name, taken));
    }
    return EEX_OK;
}

/* Two names of one folder. */
static bool same_folder(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int eex__run_reuse_check(const eex_run *run)
{
    const char *from = run->options->from;
    char *path = NULL;
    if (!from)
        return EEX_OK;
    EEX_TRY(eex_path_join(&path, from, "run.h5"));
    const bool there = eex_fs_exists(path);
    free(path);
    if (!there)
        return eex_fail(EEX_ENOTFOUND,
                        "--from %s: there is no run in this folder; it has no run.h5", from);
    return same_folder(from, run->options->folder)
               ? eex_fail(EEX_EINVAL,
                          "--from %s: that is the run's own folder; choose another one for "
                          "the new run with --out",
                          from)
               : EEX_OK;
}

static int use(eex_store_file *file, void *context)
{
    source *out = context;
    EEX_TRY(eex__run_has_other_data(&out->other_data, out->run, file));
    EEX_TRY(eex_store_read_string(&out->description, file, "description", MAX_TEXT));
    return eex_store_get_string(&out->device, file, "", "device");
}

static int read_source(source *out, const eex_run *run)
{
    char *path = NULL;
    EEX_TRY(eex_path_join(&path, run->options->from, "run.h5"));
    int code = eex_store_read_file(path, "run", EEX_RUN_VERSION, use, out);
    free(path);
    return code;
}

int eex__run_reuse(const eex_run *run, const char *now)
{
    eex_buffer taken = EEX_BUFFER_INIT;
    source from = {.run = run};
    int code = read_source(&from, run);
    if (code == EEX_OK && from.other_data)
        eex_log_warn(
            "%s: its data set is called alike, but its images, labels or classes, or their "
            "order, were others",
            run->options->from);
    else if (code == EEX_OK)
        code = copy_phases(run, now, &from, &taken);
    if (code == EEX_OK)
        code = eex_buffer_status(&taken);
    if (code == EEX_OK)
        eex_log_info("taken over from %s: %s", run->options->from,
                     taken.size ? eex_buffer_text(&taken) : "nothing");
    eex_buffer_free(&taken);
    free(from.description);
    free(from.device);
    return code;
}
