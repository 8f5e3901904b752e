#include "search/algorithm.h"

EEX_NAMES(eex_algorithm, eex_algorithm,
          EEX_ALGORITHMS, [EEX_AGING] = "aging", [EEX_RANDOM] = "random",
          [EEX_EXHAUSTIVE] = "exhaustive", [EEX_NSGA2] = "nsga2", [EEX_SURROGATE] = "surrogate");

static const eex__algorithm *const algorithms[] = {
    [EEX_AGING] = &eex__aging,           [EEX_RANDOM] = &eex__random,
    [EEX_EXHAUSTIVE] = &eex__exhaustive, [EEX_NSGA2] = &eex__nsga2,
    [EEX_SURROGATE] = &eex__surrogate,
};

_Static_assert(sizeof algorithms / sizeof *algorithms == EEX_ALGORITHMS,
               "an algorithm without a row, or a row without its member");

const eex__algorithm *eex__algorithm_of(eex_algorithm algorithm)
{
    return (unsigned)algorithm < EEX_ALGORITHMS ? algorithms[algorithm] : NULL;
}
