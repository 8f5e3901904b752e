/* run.h5: what the run is. A folder belongs to one experiment, seed, content of its data set and
 * device; anything else is refused instead of mixed in. The device may be changed when the user
 * asks for it: a run whose GPU died goes on elsewhere, no longer bit for bit. No bit depends on the
 * number of threads, so that may change. */
#include "core/run/run.h"
#include "core/run/run_description.h"
#include "core/run/run_init.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT = 16 << 20 };

/* Everything that shapes the result, a line each. */
static int describe(char **out, const eex_run *run)
{
    char *text = NULL;
    EEX_TRY(eex_experiment_text(&text, run->e));
    eex_buffer b = EEX_BUFFER_INIT;
    eex_buffer_puts(&b, text);
    eex_identity_entry(&b, run->facts);
    eex_buffer_printf(&b, "device = %s\nthreads = %d\n", run->device->vtable->kind,
                      run->device->threads);
    free(text);
    const int code = eex__run_init_entry(&b, run);
    if (code < 0) {
        eex_buffer_free(&b);
        return code;
    }
    return eex_buffer_take(out, &b);
}

/* What run.h5 says. */
typedef struct identity {
    const eex_run *run;
    const char *description, *from, *created; /* from: NULL: no other run */
    const eex_identity *made_of;
} identity;

/* The script, and apart from it what was set from outside: nothing that a script says is to be
 * taken for that. */
static int fill_script(eex_store_file *file, const eex_experiment *e)
{
    EEX_TRY(eex_store_write_string(file, "script", e->source ? e->source : ""));
    EEX_TRY(eex_store_set_int(file, "", "set_count", (int64_t)e->sets.count));
    if (e->sets.count == 0)
        return EEX_OK;
    return eex_store_write_strings(file, "sets", (const char *const *)e->sets.item, e->sets.count);
}

static int fill(eex_store_file *file, const void *context)
{
    const identity *i = context;
    const eex_run *run = i->run;
    const struct {
        const char *name, *text;
    } facts[] = {{"name", run->e->name},
                 {"dataset", run->facts->name},
                 {"precision", eex_precision_name(run->e->precision)},
                 {"device", run->device->name},
                 {"version", EEX_VERSION},
                 {"created", i->created}};
    EEX_TRY(eex_identity_save(i->made_of, file, ""));
    EEX_TRY(eex_store_write_string(file, "description", i->description));
    EEX_TRY(fill_script(file, run->e));
    for (size_t f = 0; f < sizeof facts / sizeof *facts; f++)
        EEX_TRY(eex_store_set_string(file, "", facts[f].name, facts[f].text));
    EEX_TRY(eex_store_set_int(file, "", "seed", (int64_t)run->e->seed));
    EEX_TRY(eex_store_set_int(file, "", "threads", run->device->threads));
    return i->from ? eex_store_set_string(file, "", "from", i->from) : EEX_OK;
}

static int create(const eex_run *run, const char *description)
{
    char date[EEX_DATE_SIZE];
    eex_clock_date(date);
    const identity i = {run, description, run->options->from, date, &run->input.made_of};
    return eex__run_write(run, "run.h5", fill, &i);
}

/* ---- what is there ---- */

typedef struct stored {
    char *description, *from, *created;
    int64_t threads;
    eex_identity made_of;
} stored;

static void stored_free(stored *s)
{
    free(s->description);
    free(s->from);
    free(s->created);
    eex_identity_free(&s->made_of);
}

static int use(eex_store_file *file, void *context)
{
    stored *s = context;
    const int from = eex_store_has_attribute(file, "", "from");
    EEX_TRY(from);
    if (from)
        EEX_TRY(eex_store_get_string(&s->from, file, "", "from"));
    EEX_TRY(eex_identity_load(&s->made_of, file, ""));
    EEX_TRY(eex_store_get_string(&s->created, file, "", "created"));
    EEX_TRY(eex_store_get_int(&s->threads, file, "", "threads"));
    return eex_store_read_string(&s->description, file, "description", MAX_TEXT);
}

/* ---- comparing ---- */

/* What tells one experiment from another. Data are told by their fingerprint where it is known,
 * initial weights by the content of their file. */
static bool is_of_experiment(const char *entry, const void *made_of)
{
    if (eex__entry_is(entry, "data"))
        return !eex_identity_known(made_of);
    return !eex__entry_is(entry, "training.init") && !eex__entry_is(entry, "device") &&
           !eex__entry_is(entry, "threads");
}

static bool is_named(const char *entry, const void *path)
{
    return eex__entry_is(entry, path);
}

static int refuse(const eex_run *run, const eex__difference *d)
{
    char here[EEX__ENTRY_TEXT], there[EEX__ENTRY_TEXT];
    eex__entry_text(here, &d->here, &d->there);
    eex__entry_text(there, &d->there, &d->here);
    return eex_fail(EEX_EINVAL,
                    "%s holds a run of another experiment: there %s, here %s; start again with "
                    "--fresh, or choose another folder with --out",
                    run->options->folder, there, here);
}

static int check_data(const eex_run *run, const stored *s)
{
    const int code = eex_identity_check(
        &s->made_of, run->data, "the run",
        "put the data back, start again with --fresh, or choose another folder with --out");
    return code < 0 ? eex_fail_in(code, "%s holds a run on other data", run->options->folder)
                    : EEX_OK;
}

/* ---- going on elsewhere ---- */

static int search_began(bool *out, const eex_run *run)
{
    eex_fs_names names = {0};
    eex_phase phase;
    *out = false;
    EEX_TRY(eex_fs_list(&names, run->options->folder));
    for (size_t i = 0; i < names.count && !*out; i++)
        *out = eex_phase_file_of(&phase, names.names[i]) && phase == EEX_PHASE_SEARCH;
    eex_fs_names_free(&names);
    return EEX_OK;
}

/* Latencies of another device, or of other threads, are measured again, unless the search has used
 * them already. They go first: a kill in between leaves a run of the device before that measures
 * them again. */
static int move(eex_run *run, const stored *s, const char *now)
{
    const identity i = {run, now, s->from, s->created, &s->made_of};
    bool began = false;
    EEX_TRY(search_began(&began, run));
    if (!began && eex__run_has(run, "latency.h5"))
        EEX_TRY(eex__run_remove(run, "latency.h5"));
    return eex__run_write(run, "run.h5", fill, &i);
}

static int move_device(eex_run *run, const stored *s, const char *now, const eex__difference *d)
{
    if (!run->options->move)
        return eex_fail_in(refuse(run, d), "to go on with it on this device, add --move; else");
    EEX_TRY(move(run, s, now));
    eex_log_info("the run in %s moves to %s", run->options->folder, run->device->name);
    return EEX_OK;
}

/* A finished run stays what it was measured with. */
static int move_threads(eex_run *run, const stored *s, const char *now)
{
    if (run->finished)
        return EEX_OK;
    EEX_TRY(move(run, s, now));
    eex_log_info(
        "the run in %s goes on with --threads %d, it began with %lld: only its times depend "
        "on that",
        run->options->folder, run->device->threads, (long long)s->threads);
    return EEX_OK;
}

static int compare(eex_run *run, const stored *s, const char *now)
{
    const char *there = s->description;
    eex__difference d;
    if (eex__descriptions_differ(&d, now, there, is_of_experiment, &s->made_of))
        return refuse(run, &d);
    EEX_TRY(check_data(run, s));
    if (eex__descriptions_differ(&d, now, there, is_named, "device"))
        return run->works ? refuse(run, &d) : move_device(run, s, now, &d);
    if (!run->works && eex__descriptions_differ(&d, now, there, is_named, "threads"))
        return move_threads(run, s, now);
    return EEX_OK;
}

static int go_on(eex_run *run, const char *now)
{
    stored s = {.description = NULL};
    int code = eex__run_read(run, "run.h5", use, &s);
    if (code == EEX_OK)
        code = compare(run, &s, now);
    if (code == EEX_OK && !run->finished && !run->works)
        eex_log_info("continuing the run in %s", run->options->folder);
    stored_free(&s);
    return code;
}

int eex__run_identity(eex_run *run)
{
    char *now = NULL;
    int code = describe(&now, run);
    const bool there = eex__run_has(run, "run.h5");
    if (code == EEX_OK && !there)
        code = eex__run_check_unclaimed(run);
    if (code == EEX_OK)
        code = there ? go_on(run, now) : create(run, now);
    /* After run.h5: files without it would be taken for those of whatever experiment comes. Again
     * with each start, so that a kill in between costs nothing. */
    if (code == EEX_OK && run->options->from && !run->finished && !run->works)
        code = eex__run_reuse(run, now, there);
    free(now);
    return code;
}
