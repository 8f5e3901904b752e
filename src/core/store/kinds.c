#include "core/store/kinds.h"

#include <stddef.h>
#include <string.h>

static const eex__store_kind kinds[] = {
    {"run", "what a run is: its run.h5", "--fresh starts the run again", true},
    {"split", "split.h5 of a run", NULL, true},
    {"probe", "probe.h5 of a run", NULL, true},
    {"trace", "what a network said of a split: final-calibration.h5 of a run, for one", NULL,
     false},
    {"latency", "latency.h5 of a run", NULL, true},
    {"search", "search.h5 of a run", NULL, true},
    {"trial", "trials of a run", NULL, true},
    {"tau", "tau.h5 of a run", NULL, true},
    {"checkpoint", "a training of a run that goes on", NULL, true},
    {"policies", "policies.h5 of a run", NULL, true},
    {"result", "result.h5 of a run", NULL, true},
    {"weights", "a network: base.h5 or final.h5 of a run, or a file of `eex prune`",
     "if a run made it, remove the file and run the experiment again; `eex prune` makes its own "
     "again",
     false},
    {"policy", "a policy, of `eex tune -o`", "`eex tune` makes it again", false},
    {"dataset", "a data set, of `eex data`", "make, get or import the data set again", false},
    {"latency-table", "times, of `eex profile --table`",
     "remove the file, and `eex profile --table` measures again", false},
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
    if (!kind)
        return NULL;
    return kind->remedy ? kind->remedy
                        : "remove the file and run the experiment again, which makes it";
}
