/* latency.h5: what the structures of the run take with one input at a time, from a latency table:
 * the one that the experiment names, or one of the shared network that is measured once. */
#include "core/engine/latency_table.h"
#include "core/run/judge.h"
#include "core/run/run.h"

#include "base/laps.h"
#include "base/log.h"
#include "base/status.h"

bool eex__run_timed(const eex_run *run)
{
    return eex__judge_of(run)->timed || run->e->search.score == EEX_SCORE_EQUATION1 ||
           run->e->search.cost == EEX_COST_LATENCY || run->e->search.limits.latency > 0;
}

/* ---- measuring ---- */

/* Trained weights as far as there are any: numbers that no training has tamed take longer. */
static int make_params(eex_params **out, eex_run *run, const eex_graph *graph)
{
    if (eex__judge_of(run)->shared)
        return eex__run_load_weights(out, run, "shared.h5", graph);
    EEX_TRY(eex__run_base_params(run));
    EEX_TRY(eex_params_new(out, run->device, graph, run->e->seed));
    return eex_params_copy(*out, run->base, NULL);
}

/* The table that the experiment names, or one of this network alone, measured now. */
static int get_table(eex_latency_table **out, eex_run *run, const eex_graph *graph,
                     eex_params *params)
{
    const eex_inference how = eex__run_inference(run, 1);
    const char *path = run->e->search.latency_table;
    int added = 0;
    *out = NULL;
    if (*path) {
        EEX_TRY(eex_latency_table_load(out, path));
        eex_log_info("latencies are those of %s, from %s", (*out)->device, path);
        return EEX_OK;
    }
    eex_log_info("measuring latencies");
    EEX_TRY(eex_latency_table_new(out, run->device));
    EEX_TRY(eex_latency_table_add(*out, &added, graph, params, &how));
    eex_laps_warn("latencies of operations", (*out)->disturbed);
    return EEX_OK;
}

static int measure(eex_run *run)
{
    const eex_inference how = eex__run_inference(run, 1);
    eex_structures *s = run->structures;
    eex_graph *graph = NULL;
    eex_params *params = NULL;
    eex_latency_table *table = NULL;
    EEX_TRY(eex_structures_shared(&graph, s));
    int code = make_params(&params, run, graph);
    if (code == EEX_OK)
        code = get_table(&table, run, graph, params);
    if (code == EEX_OK)
        code = eex_structures_time(s, table, params, &how);
    if (code < 0 && *run->e->search.latency_table)
        code = eex_fail_in(code, "search.latency_table");
    eex_latency_table_free(table);
    eex_params_free(params);
    eex_graph_free(graph);
    return code;
}

/* What a table lacks is said before anything is trained. Which points a probe will leave is not
 * known by then. */
static int look_up_untrained(eex_run *run, const eex_latency_table *table)
{
    const eex_inference how = eex__run_inference(run, 1);
    eex_structures *s = run->structures;
    eex_graph *graph = NULL;
    eex_params *params = NULL;
    EEX_TRY(eex_structures_shared(&graph, s));
    int code = eex_params_new(&params, run->device, graph, 0);
    if (code == EEX_OK)
        code = eex_structures_time(s, table, params, &how);
    eex_params_free(params);
    eex_graph_free(graph);
    return code;
}

int eex__run_latency_known(eex_run *run)
{
    eex_latency_table *table = NULL;
    const char *path = run->e->search.latency_table;
    if (!*path || !eex__run_timed(run) || eex__run_has(run, "latency.h5"))
        return EEX_OK;
    int code = eex_latency_table_load(&table, path);
    if (code == EEX_OK && run->structures)
        code = look_up_untrained(run, table);
    eex_latency_table_free(table);
    return code < 0 ? eex_fail_in(code, "search.latency_table") : EEX_OK;
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
