/* Limits that nothing in the space can keep are said before there is a folder, those of latency as
 * soon as there are times. */
#include "core/run/limits.h"
#include "core/run/run.h"

#include "base/status.h"

#include <math.h>

/* Which points a run has is not known before a probe, but each by itself has the least that all
 * have. */
static int least_of_points(eex_limits *least, eex_run *run)
{
    const eex_points *all = &run->e->points;
    for (int p = 0; p < all->count; p++) {
        const eex_points one = {.count = 1, .nodes = {all->nodes[p]}};
        EEX_TRY(eex__run_structures(run, &one));
        const int code = eex_limits_least(least, run->structures);
        eex_structures_free(run->structures);
        run->structures = NULL;
        EEX_TRY(code);
    }
    return EEX_OK;
}

int eex__run_limits(eex_run *run)
{
    const eex_limits *limits = &run->e->search.limits;
    eex_limits least = {NAN, NAN, NAN, 0};
    if (!eex_limits_any(limits))
        return EEX_OK;
    EEX_TRY(run->structures ? eex_limits_least(&least, run->structures)
                            : least_of_points(&least, run));
    return eex_limits_check(limits, &least);
}
