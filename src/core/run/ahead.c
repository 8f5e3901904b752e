#include "core/run/ahead.h"

#include "core/run/candidates.h"
#include "core/run/judge.h"
#include "core/run/run.h"

#include "base/log.h"
#include "base/status.h"

#include <stdlib.h>

/* ---- what an interrupted search has left ---- */

/* From the first that is not told on, without a gap: behind one the search would ask otherwise. */
static int expect_open(size_t *open, const eex_run *run, eex_controller *c, size_t told,
                       size_t most)
{
    int genome[EEX_MAX_GENES];
    for (*open = 0; *open < most; ++*open) {
        const uint64_t number = told + *open;
        const int code = eex__candidate_genome(genome, run, number);
        if (code == EEX_ENOTFOUND)
            return EEX_OK;
        EEX_TRY(code);
        EEX_TRY(eex_controller_expect(c, genome));
        EEX_TRY(eex__candidate_renew(run, number));
    }
    return EEX_OK;
}

/* What was told before the kill, and what nobody has asked for. */
static int remove_others(const eex_run *run, size_t told, size_t open)
{
    uint64_t *number = NULL;
    size_t count = 0;
    int code = eex__candidates_list(&number, &count, run);
    for (size_t i = 0; i < count && code == EEX_OK; i++)
        if (number[i] < told || number[i] >= told + open)
            code = eex__candidate_remove(run, number[i]);
    free(number);
    return code;
}

int eex__ahead_begin(eex__ahead *a, eex_run *run, eex_controller *c, size_t told)
{
    const int workers = run->e->search.workers;
    size_t open = 0;
    *a = (eex__ahead){.run = run, .most = workers > 1 ? (size_t)workers : 1, .open = workers > 0};
    if (!a->open)
        return EEX_OK;
    EEX_TRY(expect_open(&open, run, c, told, a->most));
    EEX_TRY(remove_others(run, told, open));
    if (open)
        eex_log_info("%zu candidate%s asked for before %s taken over", open, open == 1 ? "" : "s",
                     open == 1 ? "is" : "are");
    const eex_run_options *how = run->options;
    return how->worker || how->elsewhere || how->starter ? eex__workers_start(&a->workers, run)
                                                         : EEX_OK;
}

void eex__ahead_end(eex__ahead *a)
{
    eex__workers_stop(a->workers);
    *a = (eex__ahead){0};
}

/* ---- one candidate ---- */

int eex__ahead_put(const eex__ahead *a, uint64_t number, const int *genome)
{
    return a->open ? eex__candidate_put(a->run, number, genome) : EEX_OK;
}

int eex__ahead_trial(eex_trial *out, bool *judged, const eex__ahead *a, uint64_t number,
                     const int *genome)
{
    *judged = false;
    if (!a->open)
        return EEX_OK;
    if (a->workers)
        EEX_TRY(eex__workers_wait(a->workers, number));
    if (!eex__candidate_is_judged(a->run, number))
        return EEX_OK;
    EEX_TRY(eex__candidate_trial(out, a->run, number, genome));
    *judged = true;
    if (out->status != EEX_OK)
        eex_log_warn("candidate %llu failed: %s", (unsigned long long)number, out->reason);
    return EEX_OK;
}

int eex__ahead_keep(const eex__ahead *a, uint64_t number)
{
    char name[EEX__CANDIDATE_NAME], *path = NULL;
    eex__run_candidate_name(name, number);
    EEX_TRY(eex__candidate_path(&path, a->run, number, name));
    int code = eex__run_copy(a->run, name, path);
    free(path);
    return code;
}

int eex__ahead_told(const eex__ahead *a, uint64_t number)
{
    return a->open ? eex__candidate_remove(a->run, number) : EEX_OK;
}
