/* Batch norm's statistics of networks that are slices of a larger one. */
#include "core/graph/elastic.h"
#include "core/run/run.h"
#include "core/train/statistics.h"

#include "base/status.h"

#include <stdlib.h>

enum { BATCH = 100 };

/* From all over the training images: data sets may be in the order of their classes. */
int eex__run_statistics(const eex_run *run, eex_params *params)
{
    const eex_index *train = &run->split.train;
    const size_t most = (size_t)run->e->search.statistics;
    const size_t count = most < train->count ? most : train->count;
    const eex_inference how = eex__run_inference(run, BATCH);
    if (count == 0 || eex_graph_genes(run->e->backbone) == 0)
        return EEX_OK;
    uint32_t *some = malloc(count * sizeof *some);
    if (!some)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu sample numbers", count);
    for (size_t i = 0; i < count; i++)
        some[i] = train->at[i * train->count / count];
    const int code = eex_statistics_estimate(params, run->data, some, count, &how);
    free(some);
    return code;
}
