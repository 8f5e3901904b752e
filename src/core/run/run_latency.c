/* latency.h5: what the structures of the run take with one input at a time, from a latency table:
 * the one that the experiment names, or one that is measured once. */
#include "core/engine/latency_table.h"
#include "core/graph/elastic.h"
#include "core/run/judge.h"
#include "core/run/run.h"

#include "base/laps.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/status.h"

bool eex__run_timed(const eex_run *run)
{
    return eex__judge_of(run)->timed || run->e->search.score == EEX_SCORE_EQUATION1 ||
           run->e->search.cost == EEX_COST_LATENCY || run->e->search.limits.latency > 0;
}

/* ---- measuring ---- */

/* Trained weights as far as there are any: numbers that no training has tamed take longer. Those of
 * an elastic backbone's networks are drawn: slices of trained ones would need statistics first. */
static int make_params(eex_params **out, eex_run *run, const eex_graph *graph)
{
    if (eex_graph_genes(run->e->backbone))
        return eex_params_new(out, run->device, graph, run->e->seed);
    if (eex__judge_of(run)->shared)
        return eex__run_load_weights(out, run, "shared.h5", graph);
    EEX_TRY(eex__run_base_params(run));
    EEX_TRY(eex_params_new(out, run->device, graph, run->e->seed));
    return eex_params_copy(*out, run->base, NULL);
}

typedef struct measuring {
    eex_run *run;
    eex_latency_table *table;
    bool shown; /* that it goes on: of many networks */
} measuring;

static int add_network(void *context, const eex_graph *graph, int number, int count)
{
    measuring *m = context;
    const eex_inference how = eex__run_inference(m->run, 1);
    eex_params *params = NULL;
    int added = 0;
    if (count > 1 && !m->shown)
        eex_progress_begin("measuring operations", (uint64_t)count, "networks");
    m->shown = count > 1;
    EEX_TRY(eex__run_poll());
    int code = make_params(&params, m->run, graph);
    if (code == EEX_OK)
        code = eex_latency_table_add(m->table, &added, graph, params, &how);
    eex_params_free(params);
    if (m->shown)
        eex_progress_update((uint64_t)number + 1, NULL);
    return code;
}

static int measure_table(eex_latency_table *table, eex_run *run)
{
    const eex_inference how = eex__run_inference(run, 1);
    measuring m = {run, table, false};
    const int code = eex_structures_networks(run->structures, run->device, &how, add_network, &m);
    if (m.shown)
        eex_progress_end();
    return code;
}

/* The table that the experiment names, or one that is measured now. */
static int get_table(eex_latency_table **out, eex_run *run)
{
    const char *path = run->e->search.latency_table;
    *out = NULL;
    if (*path) {
        EEX_TRY(eex_latency_table_load(out, path));
        eex_log_info("latencies are those of %s, from %s", (*out)->device, path);
        return EEX_OK;
    }
    eex_log_info("measuring latencies");
    EEX_TRY(eex_latency_table_new(out, run->device));
    EEX_TRY(measure_table(*out, run));
    eex_laps_warn("latencies of operations", (*out)->disturbed);
    return EEX_OK;
}

static int measure(eex_run *run)
{
    const eex_inference how = eex__run_inference(run, 1);
    eex_latency_table *table = NULL;
    int code = get_table(&table, run);
    if (code == EEX_OK)
        code = eex_structures_time(run->structures, table, run->device, &how);
    if (code < 0 && *run->e->search.latency_table)
        code = eex_fail_in(code, "search.latency_table");
    eex_latency_table_free(table);
    return code;
}

/* What a table lacks is said before anything is trained. */
static int look_up_untrained(eex_run *run)
{
    const eex_inference how = eex__run_inference(run, 1);
    eex_latency_table *table = NULL;
    int code = eex_latency_table_load(&table, run->e->search.latency_table);
    if (code == EEX_OK && run->structures)
        code = eex_structures_time(run->structures, table, run->device, &how);
    eex_latency_table_free(table);
    return code < 0 ? eex_fail_in(code, "search.latency_table") : EEX_OK;
}

static int pass(void *context, const eex_graph *graph, int number, int count)
{
    (void)context, (void)graph, (void)number, (void)count;
    return eex__run_poll();
}

/* Which points a probe leaves is not known before the base is trained, and fewer gates keep fewer
 * operations from being fused: what goes wrong with gates at all points is said, not refused. */
static int look_at_all_points(eex_run *run)
{
    const eex_experiment *e = run->e;
    const eex_inference how = eex__run_inference(run, 1);
    if (e->points.count * e->gates.choices >= EEX_MAX_EXITS)
        return EEX_OK;
    EEX_TRY(eex_structures_new(&run->structures, e, &e->points));
    int code = *e->search.latency_table
                   ? look_up_untrained(run)
                   : eex_structures_networks(run->structures, run->device, &how, pass, NULL);
    eex_structures_free(run->structures);
    run->structures = NULL;
    if (code != EEX_EUNSUPPORTED && code != EEX_ENOTFOUND)
        return code;
    eex_log_warn("the points that the probe leaves may be refused once the base is trained: %s",
                 eex_error());
    return EEX_OK;
}

/* What is measured of an elastic backbone needs no trained weights, so it is measured, and a limit
 * held against it, before anything is trained. */
int eex__run_latency_known(eex_run *run)
{
    if (!eex__run_timed(run))
        return EEX_OK;
    if (run->structures && eex_graph_genes(run->e->backbone))
        return eex__run_latency(run);
    if (eex__run_has(run, "latency.h5"))
        return EEX_OK;
    if (*run->e->search.latency_table)
        EEX_TRY(look_up_untrained(run));
    return run->structures || eex__run_has(run, "probe.h5") ? EEX_OK : look_at_all_points(run);
}

/* ---- the file ---- */

static int fill(eex_store_file *file, const void *context)
{
    const eex_structures *s = context;
    return eex_structures_write_times(file, s);
}

static int use(eex_store_file *file, void *context)
{
    eex_structures *s = context;
    return eex_structures_read_times(s, file);
}

int eex__run_latency(eex_run *run)
{
    if (eex__run_has(run, "latency.h5"))
        return eex__run_read(run, "latency.h5", use, run->structures);
    EEX_TRY(measure(run));
    return eex__run_write(run, "latency.h5", fill, run->structures);
}
