#include "core/run/elsewhere.h"

#include "core/run/candidates.h"
#include "core/run/run.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/status.h"

#include <stdlib.h>

/* Seconds between two looks; without a worker until that is said, twice as long the next time. */
enum { LOOK = 1, FIRST = 5, LONGEST = 3600 };

static int folder_of(char **out, const eex_run *run)
{
    return eex_path_join(out, run->options->folder, "workers");
}

int eex__elsewhere_clear(const eex_run *run)
{
    char *folder = NULL;
    EEX_TRY(folder_of(&folder, run));
    int code = eex_fs_remove_tree(folder);
    free(folder);
    return code;
}

/* ---- asking for them ---- */

void eex__elsewhere_heard(eex__elsewhere *e)
{
    e->seen = eex_clock_seconds();
    e->next = FIRST;
}

static int ask(eex__elsewhere *e, const eex_worker_starter *starter)
{
    char *folder = NULL;
    EEX_TRY(folder_of(&folder, e->run));
    int code = eex_fs_make_folder(folder);
    if (code == EEX_OK) {
        e->asked = true; /* for some of them at least */
        code = starter->start(starter->context, folder, e->run->e->search.workers);
    }
    free(folder);
    return code;
}

int eex__elsewhere_begin(eex__elsewhere *e, const eex_run *run)
{
    *e = (eex__elsewhere){.run = run};
    eex__elsewhere_heard(e);
    return run->options->starter ? ask(e, run->options->starter) : EEX_OK;
}

void eex__elsewhere_end(eex__elsewhere *e)
{
    char *folder = NULL;
    if (e->asked && folder_of(&folder, e->run) == EEX_OK)
        e->run->options->starter->stop(e->run->options->starter->context, folder);
    free(folder);
    *e = (eex__elsewhere){0};
}

/* ---- while none is there ---- */

static int tell(const eex__elsewhere *e, double seconds)
{
    const eex_worker_starter *starter = e->run->options->starter;
    char *folder = NULL;
    eex_buffer more = EEX_BUFFER_INIT;
    EEX_TRY(folder_of(&folder, e->run));
    if (starter)
        starter->tell(&more, starter->context, folder);
    else
        eex_buffer_puts(&more, "this command with --worker, wherever the folder is seen, is one");
    eex_log_warn("no worker for %.0f seconds: %s", seconds, eex_buffer_text(&more));
    eex_buffer_free(&more);
    free(folder);
    return EEX_OK;
}

int eex__elsewhere_look(eex__elsewhere *e)
{
    const double now = eex_clock_seconds();
    bool busy = false;
    if (now - e->looked < LOOK)
        return EEX_OK;
    e->looked = now;
    EEX_TRY(eex__candidates_are_taken(&busy, e->run));
    if (busy)
        eex__elsewhere_heard(e);
    else if (now - e->seen >= e->next) {
        EEX_TRY(tell(e, now - e->seen));
        e->next = e->next < LONGEST / 2.0 ? 2 * e->next : e->next + LONGEST;
    }
    return EEX_OK;
}
