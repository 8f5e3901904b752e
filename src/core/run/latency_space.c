#include "core/run/latency_space.h"

#include "core/graph/elastic.h"
#include "core/run/structure.h"

#include "base/progress.h"
#include "base/signals.h"
#include "base/status.h"

#include <stdlib.h>

int eex__latency_inference(eex_inference *out, const eex_experiment *e)
{
    eex_dataset *data = NULL;
    *out = (eex_inference){.batch = 1,
                           .normalise = {.mean = {0.5f, 0.5f, 0.5f}, .std = {0.25f, 0.25f, 0.25f}},
                           .precision = e->precision};
    const int code = eex_dataset_open(&data, e->data.name);
    if (code < 0)
        return code == EEX_ENOTFOUND ? EEX_OK : code;
    eex_augment_fit(&out->normalise, data);
    eex_dataset_close(data);
    return EEX_OK;
}

typedef struct work {
    const eex_experiment *e;
    const eex_inference *how;
    eex_device *device;
    eex_latency_table *table;
    int *added;
} work;

static int add_graph(const work *w, const eex_graph *graph)
{
    eex_params *params = NULL;
    int more = 0;
    if (eex_interrupted())
        return eex_fail(EEX_EINTERRUPTED, "interrupted while measuring latencies");
    EEX_TRY(eex_params_new(&params, w->device, graph, 0));
    int code = eex_latency_table_add(w->table, &more, graph, params, w->how);
    eex_params_free(params);
    *w->added += more;
    return code;
}

/* The network with gates of every size at some of the points. */
static int add_gated(const work *w, const eex_points *points)
{
    eex_structures *s = NULL;
    eex_graph *graph = NULL;
    EEX_TRY(eex_structures_new(&s, w->e, points));
    int code = eex_structures_shared(&graph, s);
    if (code == EEX_OK)
        code = add_graph(w, graph);
    eex_graph_free(graph);
    eex_structures_free(s);
    return code;
}

/* All gates at once, then each point by itself: a gate that reads a value keeps what follows from
 * being fused with what made it, so that the trunk has other operations with it than without. */
static int add_all(const work *w)
{
    const eex_points *points = &w->e->points;
    uint64_t done = 0;
    if (points->count * w->e->gates.choices < EEX_MAX_EXITS)
        EEX_TRY(add_gated(w, points));
    eex_progress_update(++done, NULL);
    EEX_TRY(add_graph(w, w->e->backbone));
    eex_progress_update(++done, NULL);
    for (int p = 0; p < points->count; p++) {
        const eex_points one = {1, {points->nodes[p]}};
        EEX_TRY(add_gated(w, &one));
        eex_progress_update(++done, NULL);
    }
    return EEX_OK;
}

/* Of an elastic backbone: networks that have all operations between them. */
static int add_network(void *context, const eex_graph *graph, int number, int count)
{
    const work *w = context;
    if (number == 0)
        eex_progress_begin("measuring operations", (uint64_t)count, "networks");
    EEX_TRY(add_graph(w, graph));
    eex_progress_update((uint64_t)number + 1, NULL);
    return EEX_OK;
}

static int add_elastic(work *w)
{
    eex_structures *s = NULL;
    EEX_TRY(eex_structures_new(&s, w->e, &w->e->points));
    const int code = eex_structures_networks(s, w->device, w->how, add_network, w);
    eex_progress_end();
    eex_structures_free(s);
    return code;
}

static int add_gates(work *w)
{
    eex_progress_begin("measuring operations", (uint64_t)w->e->points.count + 2, "networks");
    const int code = add_all(w);
    eex_progress_end();
    return code;
}

int eex_latency_space(eex_latency_table *t, int *added, const eex_experiment *e, eex_device *device)
{
    eex_inference how;
    *added = 0;
    EEX_TRY(eex_experiment_check(e));
    EEX_TRY(eex_latency_table_is_of(t, device));
    EEX_TRY(eex__latency_inference(&how, e));
    work w = {e, &how, device, t, added};
    return (eex_graph_genes(e->backbone) ? add_elastic : add_gates)(&w);
}
