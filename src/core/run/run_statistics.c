/* Batch norm's statistics of networks that are slices of a larger one. */
#include "core/graph/elastic.h"
#include "core/run/run.h"
#include "core/train/statistics.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 100 };

/* As the training of the shared network has augmented its images. */
static eex_inference how_it_learned(const eex_run *run)
{
    eex_inference how = eex__run_inference(run, BATCH);
    eex_augment augment = run->e->training.augment;
    memcpy(augment.mean, how.normalise.mean, sizeof augment.mean);
    memcpy(augment.std, how.normalise.std, sizeof augment.std);
    how.normalise = augment;
    return how;
}

int eex__run_statistics(const eex_run *run, eex_params *params)
{
    const eex_index *train = &run->split.train;
    const size_t most = (size_t)run->e->search.statistics;
    const size_t count = most < train->count ? most : train->count;
    const eex_inference how = how_it_learned(run);
    if (count == 0 || eex_graph_genes(run->e->backbone) == 0)
        return EEX_OK;
    uint32_t *some = malloc(count * sizeof *some);
    if (!some)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu sample numbers", count);
    eex_statistics_choose(some, count, train->at, train->count, BATCH);
    const int code = eex_statistics_estimate(params, run->data, some, count, &how);
    free(some);
    return code;
}
