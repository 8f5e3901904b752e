/* Limits that nothing in the space can keep are said before there is a folder, those of latency as
 * soon as there are times. */
#include "core/run/limits.h"
#include "core/run/run.h"

#include "base/status.h"

#include <math.h>

int eex__run_limits(eex_run *run)
{
    const eex_limits *limits = &run->e->search.limits;
    eex_limits least = {NAN, NAN, NAN, 0};
    if (!run->structures)
        return eex_limits_check_early(run->e);
    if (!eex_limits_any(limits))
        return EEX_OK;
    EEX_TRY(eex_limits_least(&least, run->structures));
    return eex_limits_check(limits, &least);
}
