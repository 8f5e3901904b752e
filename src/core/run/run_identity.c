/* run.h5: what the run is. A folder belongs to one experiment, seed, device and thread count;
 * anything else is refused instead of mixed in. Device and threads may be changed when the user
 * asks for it: a run whose GPU died goes on elsewhere, no longer bit for bit. */
#include "core/run/run.h"

#include "base/buffer.h"
#include "base/clock.h"
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
    const eex_dataset_info *d = run->facts;
    eex_buffer_puts(&b, text);
    eex_buffer_printf(&b, "data = %u + %u images of %dx%dx%d, %d classes, %s\n", d->train, d->test,
                      d->height, d->width, d->channels, d->classes, d->source);
    eex_buffer_printf(&b, "device = %s\nthreads = %d\n", run->device->vtable->kind,
                      run->device->threads);
    free(text);
    return eex_buffer_take(out, &b);
}

typedef struct identity {
    const eex_run *run;
    const char *description;
} identity;

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
                 {"version", EEX_VERSION}};
    char date[EEX_DATE_SIZE], print[EEX_FINGERPRINT];
    eex_clock_date(date);
    EEX_TRY(eex_dataset_fingerprint(print, run->data));
    EEX_TRY(eex_store_set_string(file, "", "fingerprint", print));
    EEX_TRY(eex_store_write_string(file, "description", i->description));
    EEX_TRY(eex_store_write_string(file, "script", run->e->source ? run->e->source : ""));
    for (size_t f = 0; f < sizeof facts / sizeof *facts; f++)
        EEX_TRY(eex_store_set_string(file, "", facts[f].name, facts[f].text));
    EEX_TRY(eex_store_set_int(file, "", "seed", (int64_t)run->e->seed));
    EEX_TRY(eex_store_set_int(file, "", "threads", run->device->threads));
    EEX_TRY(eex_store_set_string(file, "", "created", date));
    if (run->options->from)
        EEX_TRY(eex_store_set_string(file, "", "from", run->options->from));
    return EEX_OK;
}

static int create(const eex_run *run, const char *description)
{
    const identity i = {run, description};
    return eex__run_write(run, "run.h5", fill, &i);
}

typedef struct stored {
    char *description;
    bool other_data;
    const eex_run *run;
} stored;

int eex__run_has_other_data(bool *out, const eex_run *run, eex_store_file *file)
{
    char now[EEX_FINGERPRINT], *then = NULL;
    const int there = eex_store_has_attribute(file, "", "fingerprint");
    *out = false;
    if (there <= 0)
        return there;
    EEX_TRY(eex_store_get_string(&then, file, "", "fingerprint"));
    const int code = eex_dataset_fingerprint(now, run->data);
    *out = code == EEX_OK && strcmp(then, now) != 0;
    free(then);
    return code;
}

static int use(eex_store_file *file, void *context)
{
    stored *s = context;
    EEX_TRY(eex__run_has_other_data(&s->other_data, s->run, file));
    return eex_store_read_string(&s->description, file, "description", MAX_TEXT);
}

static size_t line_length(const char *text)
{
    return strcspn(text, "\n");
}

/* Names the first line that differs. */
static int differs(const eex_run *run, const char *there, const char *now)
{
    while (*there && *now) {
        size_t a = line_length(there), b = line_length(now);
        if (a != b || memcmp(there, now, a) != 0)
            break;
        there += a + (there[a] == '\n');
        now += b + (now[b] == '\n');
    }
    return eex_fail(EEX_EINVAL,
                    "%s holds a run of another experiment: there \"%.*s\", here \"%.*s\"; start "
                    "again with --fresh, or choose another folder with --out",
                    run->options->folder, (int)line_length(there), there, (int)line_length(now),
                    now);
}

/* Device and threads are the last lines of a description: whether all before them agrees. */
static bool only_moved(const char *there, const char *now)
{
    const char *a = strstr(there, "\ndevice = "), *b = strstr(now, "\ndevice = ");
    return a && b && a - there == b - now && memcmp(there, now, (size_t)(a - there)) == 0;
}

/* Latencies of another device are measured again, unless the search has used them already. They go
 * first: a kill in between leaves a run of the device before that measures them again. */
static int move(eex_run *run, const char *description)
{
    if (!eex__run_has(run, "search.h5") && eex__run_has(run, "latency.h5"))
        EEX_TRY(eex__run_remove(run, "latency.h5"));
    EEX_TRY(create(run, description));
    eex_log_info("the run in %s moves to %s", run->options->folder, run->device->name);
    return EEX_OK;
}

static int compare(eex_run *run, const char *there, const char *now)
{
    if (strcmp(now, there) == 0)
        return EEX_OK;
    if (!only_moved(there, now))
        return differs(run, there, now);
    if (run->options->move)
        return move(run, now);
    int code = differs(run, there, now);
    return eex_fail_in(code, "to go on with it on this device, add --move; else");
}

int eex__run_identity(eex_run *run)
{
    char *now = NULL;
    stored there = {.run = run};
    int code = describe(&now, run);
    if (code == EEX_OK && !eex__run_has(run, "run.h5")) {
        code = eex__run_check_unclaimed(run);
        if (code == EEX_OK)
            code = create(run, now);
    } else if (code == EEX_OK) {
        code = eex__run_read(run, "run.h5", use, &there);
        if (code == EEX_OK)
            code = compare(run, there.description, now);
        if (code == EEX_OK && there.other_data)
            code = eex_fail(EEX_EINVAL,
                            "%s holds a run on other data: the images, labels or classes of %s, or "
                            "their order, are not those that it began with; put these back, start "
                            "again with --fresh, or choose another folder with --out",
                            run->options->folder, run->facts->path);
        if (code == EEX_OK && !run->finished)
            eex_log_info("continuing the run in %s", run->options->folder);
    }
    /* After run.h5: files without it would be taken for those of whatever experiment comes. Again
     * with each start, so that a kill in between costs nothing. */
    if (code == EEX_OK && run->options->from && !run->finished)
        code = eex__run_reuse(run, now);
    free(now);
    free(there.description);
    return code;
}
