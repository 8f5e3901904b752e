#include "core/store/kinds.h"

#include <stddef.h>
#include <string.h>

/* A run that has its result is finished, whatever else it lacks. */
#define OF_A_RUN "move the file away, and result.h5 with it, and run the experiment again"
#define IF_OF_A_RUN "if it is a run's, " OF_A_RUN
#define AGAIN "move the file away and run the experiment again"

static const eex__store_kind kinds[] = {
    {"run", "run.h5 of a run", "--fresh starts the run again"},
    {"split", "split.h5 of a run", OF_A_RUN},
    {"probe", "probe.h5 of a run", OF_A_RUN},
    {"latency", "latency.h5 of a run", OF_A_RUN},
    {"search", "search.h5 of a run", OF_A_RUN},
    {"trial", "trials of a run", AGAIN},
    {"tau", "tau.h5 of a run", OF_A_RUN},
    {"checkpoint", "a training of a run that goes on", AGAIN},
    {"policies", "policies.h5 of a run", OF_A_RUN},
    {"front", "front.h5 of a run", OF_A_RUN},
    {"rivals", "rivals.h5 of a run", OF_A_RUN},
    {"ranking", "rank.h5 of a run", "move the file away, and `eex rank` judges them again"},
    {"result", "result.h5 of a run", AGAIN},
    {"trace", "a trace, such as final-calibration.h5 of a run", IF_OF_A_RUN},
    {"weights", "a network: base.h5 or final.h5 of a run, or a file of `eex prune` or `eex import`",
     IF_OF_A_RUN},
    {"policy", "a policy, of `eex tune -o`", "`eex tune` makes one"},
    {"predictor", "an exit predictor, of `eex predictor`", "`eex predictor` trains one"},
    {"adaptation", "settings by bandwidth, of `eex adapt -o`", "`eex adapt -o` makes one"},
    {"dataset", "a data set, of `eex data`", "make, get or import the data set again"},
    {"latency-table", "times, of `eex profile --table`",
     "move the file away, and `eex profile --table` measures again"},
};

const eex__store_kind *eex__store_kind_of(const char *name)
{
    for (size_t i = 0; name && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

const char *eex__store_remedy(const char *name)
{
    const eex__store_kind *kind = eex__store_kind_of(name);
    return kind ? kind->remedy : NULL;
}
