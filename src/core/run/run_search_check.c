/* What a search cannot do in its space is said before anything is trained, and what it does
 * otherwise than one would think. */
#include "core/run/limits.h"
#include "core/run/run_search.h"

#include "base/log.h"
#include "base/status.h"

eex_controller_options eex__search_options(const eex_experiment *e)
{
    return (eex_controller_options){.trials = (size_t)e->search.trials,
                                    .population = e->search.population,
                                    .sample = e->search.sample,
                                    .initial = (size_t)e->search.initial,
                                    .batch = (size_t)e->search.batch};
}

static void warn_of_corner(const eex_experiment *e, const eex_space *space)
{
    uint64_t size;
    if (e->search.algorithm == EEX_EXHAUSTIVE && eex_space_candidates(&size, space) &&
        size > (uint64_t)e->search.trials)
        eex_log_warn(
            "search.trials: %d of the %llu structures are judged, the first in their order: "
            "all look alike in their first genes. An exhaustive search is one of all",
            e->search.trials, (unsigned long long)size);
}

/* Before there are so many, candidates are random. */
static void warn_of_few(const eex_experiment *e)
{
    const bool models = e->search.algorithm == EEX_SURROGATE;
    const bool parents = e->search.algorithm == EEX_AGING || e->search.algorithm == EEX_NSGA2;
    const int random = models ? e->search.initial : parents ? e->search.population : 0;
    if (random >= e->search.trials)
        eex_log_warn("search.trials: %d candidates, but the first %d are random (search.%s): "
                     "this is a random search",
                     e->search.trials, random, models ? "initial" : "population");
}

static int check_tau(const eex_experiment *e, const eex_space *space)
{
    uint64_t size;
    if (e->search.tau > 0 && eex_space_candidates(&size, space) && size < 2)
        return eex_fail(EEX_EINVAL,
                        "search.tau: 0 where the space has a single candidate: there "
                        "is no order to rank, got %d",
                        e->search.tau);
    return EEX_OK;
}

int eex__search_check(const eex_run *run)
{
    const eex_space *space = &run->structures->space;
    const eex_controller_options options = eex__search_options(run->e);
    if (!eex__run_has(run, "tau.h5"))
        EEX_TRY(check_tau(run->e, space));
    if (eex__run_has(run, "search.h5"))
        return EEX_OK;
    EEX_TRY(eex_controller_check(run->e->search.algorithm, space, &options));
    warn_of_corner(run->e, space);
    warn_of_few(run->e);
    return EEX_OK;
}

int eex_search_check_early(const eex_experiment *e)
{
    const eex_controller_options options = eex__search_options(e);
    eex_structures *s = NULL;
    int code = EEX_OK;
    if (!e->probe) {
        EEX_TRY(eex_structures_new(&s, e, &e->points));
        code = check_tau(e, &s->space);
        if (code == EEX_OK)
            code = eex_controller_check(e->search.algorithm, &s->space, &options);
        eex_structures_free(s);
    }
    return code == EEX_OK ? eex_limits_check_early(e) : code;
}
