#include "core/run/latency_space.h"

#include "core/run/run.h"

#include "base/progress.h"
#include "base/signals.h"
#include "base/status.h"

#include <stdlib.h>

/* As much of a run as a space needs. */
static eex_run space_of(const eex_experiment *e, eex_device *device)
{
    return (eex_run){.e = e, .device = device, .points = e->points};
}

eex_inference eex__latency_inference(const eex_experiment *e)
{
    return (eex_inference){.batch = 1,
                           .normalise = {.mean = {0.5f, 0.5f, 0.5f}, .std = {0.25f, 0.25f, 0.25f}},
                           .precision = e->precision};
}

static int add_graph(eex_latency_table *t, int *added, const eex_run *run, const eex_graph *graph)
{
    const eex_inference how = eex__latency_inference(run->e);
    eex_params *params = NULL;
    int more = 0;
    if (eex_interrupted())
        return eex_fail(EEX_EINTERRUPTED, "interrupted while measuring latencies");
    EEX_TRY(eex_params_new(&params, run->device, graph, 0));
    int code = eex_latency_table_add(t, &more, graph, params, &how);
    eex_params_free(params);
    *added += more;
    return code;
}

/* The network with gates of every size at some of the points. */
static int add_gated(eex_latency_table *t, int *added, const eex_run *run)
{
    eex_graph *graph = NULL;
    EEX_TRY(eex__run_shared_graph(&graph, run));
    int code = add_graph(t, added, run, graph);
    eex_graph_free(graph);
    return code;
}

/* All gates at once, then each point by itself: a gate that reads a value keeps what follows from
 * being fused with what made it, so that the trunk has other operations with it than without. */
static int add_all(eex_latency_table *t, int *added, const eex_experiment *e, eex_device *device)
{
    eex_run run = space_of(e, device);
    uint64_t done = 0;
    if (e->points.count * e->gates.choices < EEX_MAX_EXITS)
        EEX_TRY(add_gated(t, added, &run));
    eex_progress_update(++done, NULL);
    EEX_TRY(add_graph(t, added, &run, e->backbone));
    eex_progress_update(++done, NULL);
    for (int p = 0; p < e->points.count; p++) {
        run.points.count = 1;
        run.points.nodes[0] = e->points.nodes[p];
        EEX_TRY(add_gated(t, added, &run));
        eex_progress_update(++done, NULL);
    }
    return EEX_OK;
}

int eex_latency_space(eex_latency_table *t, int *added, const eex_experiment *e, eex_device *device)
{
    *added = 0;
    EEX_TRY(eex_experiment_check(e));
    EEX_TRY(eex_latency_table_is_of(t, device));
    eex_progress_begin("measuring operations", (uint64_t)e->points.count + 2, "networks");
    int code = add_all(t, added, e, device);
    eex_progress_end();
    return code;
}
