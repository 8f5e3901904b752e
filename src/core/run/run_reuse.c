/* What a run takes over from another one: the phases that the same fields have shaped. So an
 * experiment with another policy, search or final training does not train its base and its shared
 * network again. Where trainings repeat bit for bit (on CPUs, and when deterministic) nothing but
 * time is saved. */
#include "core/run/fields.h"
#include "core/run/run.h"
#include "core/run/run_description.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT = 16 << 20 };

/* What comes after the last of these phases is never taken over. */
enum { REUSED = EEX_PHASE_LATENCY + 1 };

/* What a run says of itself. */
typedef struct source {
    char *description, *device;
    eex_identity made_of;
} source;

/* ---- which phases are the same ---- */

typedef struct shaping {
    int phase;
    const source *from;
} shaping;

/* No bit depends on threads, nor on what a file with initial weights is called; data are told by
 * their fingerprint where it is known. */
static bool shapes(const char *entry, const void *context)
{
    const shaping *s = context;
    if (eex__entry_is(entry, "threads") || eex__entry_is(entry, "training.init") ||
        (eex__entry_is(entry, "data") && eex_identity_known(&s->from->made_of)))
        return false;
    return (int)eex_phase_of_line(entry) == s->phase;
}

/* How many of the phases both runs make alike; says what the next one differs in. */
static int alike(const eex_run *run, const char *now, const source *from_run)
{
    const char *from = run->options->from;
    for (int p = 0; p < REUSED; p++) {
        char here[EEX__ENTRY_TEXT], there[EEX__ENTRY_TEXT];
        eex__difference d;
        if (eex__descriptions_differ(&d, now, from_run->description, shapes,
                                     &(shaping){p, from_run})) {
            eex__entry_text(here, &d.here, &d.there);
            eex__entry_text(there, &d.there, &d.here);
            eex_log_info("%s: from %s on it is another run; here %s", from, there, here);
            return p;
        }
        if (p == EEX_PHASE_LATENCY && strcmp(from_run->device, run->device->name) != 0) {
            eex_log_info("%s: its latencies are those of %s", from, from_run->device);
            return p;
        }
    }
    return REUSED;
}

/* ---- files ---- */

/* A file of these phases, here and there. */
typedef struct pair {
    eex_phase phase;
    const char *name;
    char *here, *there;
    bool is_here, is_there;
} pair;

static void pair_free(pair *p)
{
    free(p->here);
    free(p->there);
}

static int pair_make(pair *out, const eex_run *run, eex_phase phase, const eex_phase_file *file)
{
    *out = (pair){.phase = phase, .name = file->name};
    int code = eex_path_join(&out->here, run->options->folder, file->name);
    if (code == EEX_OK)
        code = eex_path_join(&out->there, run->options->from, file->name);
    if (code < 0)
        return code;
    out->is_here = eex_fs_exists(out->here);
    out->is_there = eex_fs_exists(out->there);
    return EEX_OK;
}

/* Does something with each file of the first `phases`; what it returns ends that unless it is
 * EEX_OK. */
typedef int visit(const eex_run *run, const pair *p, void *context);

static int each_file(const eex_run *run, int phases, visit *visitor, void *context)
{
    for (int p = 0; p < phases; p++) {
        const eex_phase_file *files = eex_phase_at((eex_phase)p)->files;
        for (int f = 0; f < EEX_PHASE_FILES && files[f].name; f++) {
            pair both;
            int code = pair_make(&both, run, (eex_phase)p, &files[f]);
            if (code == EEX_OK)
                code = eex__run_poll();
            if (code == EEX_OK)
                code = visitor(run, &both, context);
            pair_free(&both);
            EEX_TRY(code);
        }
    }
    return EEX_OK;
}

static int count_lacking(const eex_run *run, const pair *p, void *lacking)
{
    *(int *)lacking += p->is_there && !p->is_here;
    return EEX_OK;
}

/* Whether a file holds what the other one does: a training that repeats bit for bit leaves the same
 * but for its seconds. */
static int holds_same(bool *out, const pair *p)
{
    eex_store_file *here = NULL, *there = NULL;
    EEX_TRY(eex_fs_same(out, p->here, p->there));
    if (*out)
        return EEX_OK;
    int code = eex_store_open(&here, p->here, NULL, EEX_RUN_VERSION);
    if (code == EEX_OK)
        code = eex_store_open(&there, p->there, NULL, EEX_RUN_VERSION);
    if (code == EEX_OK)
        *out = eex_store_same(here, there);
    eex_store_close(there);
    eex_store_close(here);
    return code;
}

/* The first file that this run has made itself and the other one has not or has otherwise. Nothing
 * that is made from latencies is taken over. */
static int find_own(const eex_run *run, const pair *p, void *context)
{
    const char **own = context;
    bool same = false;
    if (*own || !p->is_here || p->phase == EEX_PHASE_LATENCY)
        return EEX_OK;
    if (p->is_there)
        EEX_TRY(holds_same(&same, p));
    if (!same)
        *own = p->name;
    return EEX_OK;
}

static int take(const eex_run *run, const pair *p, void *context)
{
    eex_buffer *taken = context;
    if (!p->is_there || p->is_here)
        return EEX_OK;
    EEX_TRY(eex__run_copy(run, p->name, p->there));
    eex_buffer_printf(taken, "%s%s", taken->size ? ", " : "", p->name);
    return EEX_OK;
}

/* What a run has and what it takes over must be of one making: traces are those of the shared
 * network beside them, whatever another run's was. */
static int copy_phases(const eex_run *run, int phases, eex_buffer *taken)
{
    const char *own = NULL;
    int lacking = 0;
    EEX_TRY(each_file(run, phases, count_lacking, &lacking));
    if (lacking == 0)
        return EEX_OK;
    EEX_TRY(each_file(run, phases, find_own, &own));
    if (own) {
        eex_log_info("%s has a %s of its own, which is not that of %s: what goes with another one "
                     "is not taken over",
                     run->options->folder, own, run->options->from);
        return EEX_OK;
    }
    return each_file(run, phases, take, taken);
}

/* ---- the other run ---- */

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
    return eex__run_is_folder(run, from)
               ? eex_fail(EEX_EINVAL,
                          "--from %s: that is the run's own folder; choose another one for "
                          "the new run with --out",
                          from)
               : EEX_OK;
}

static int use(eex_store_file *file, void *context)
{
    source *out = context;
    EEX_TRY(eex_identity_load(&out->made_of, file, ""));
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

/* Of a run on other data nothing is taken over, and the run begins on its own. */
static int take_over(const eex_run *run, const char *now, const source *from, eex_buffer *taken)
{
    if (eex_identity_same(&from->made_of, &run->input.made_of))
        return copy_phases(run, alike(run, now, from), taken);
    const int code =
        eex_identity_check(&from->made_of, run->data, run->options->from, "nothing is taken over");
    if (code != EEX_EINVAL)
        return code;
    eex_log_warn("%s", eex_error());
    return EEX_OK;
}

int eex__run_reuse(const eex_run *run, const char *now, bool going_on)
{
    eex_buffer taken = EEX_BUFFER_INIT;
    source from = {.description = NULL};
    int code = read_source(&from, run);
    if (code == EEX_OK)
        code = take_over(run, now, &from, &taken);
    if (code == EEX_OK)
        code = eex_buffer_status(&taken);
    if (code == EEX_OK && (taken.size || !going_on))
        eex_log_info("taken over from %s: %s", run->options->from,
                     taken.size ? eex_buffer_text(&taken) : "nothing");
    eex_buffer_free(&taken);
    eex_identity_free(&from.made_of);
    free(from.description);
    free(from.device);
    return code;
}
