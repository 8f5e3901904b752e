#include "core/model/cut.h"

#include "core/graph/cost.h"
#include "core/policy/replay.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

eex_cut eex_cut_at(int exit, bool alone)
{
    eex_cut cut = {.exit = exit, .alone = alone};
    for (int k = alone ? exit : 0; k <= exit && k < EEX_MAX_EXITS; k++)
        cut.exits[cut.count++] = k;
    return cut;
}

/* ---- thresholds ---- */

/* The last exit has no use for a threshold to accept. */
static void open_end(eex_policy *p)
{
    const size_t classes = (size_t)p->classes, last = (size_t)p->exits - 1;
    p->a[last] = -INFINITY;
    for (size_t c = 0; c < classes; c++)
        p->high[last * classes + c] = -INFINITY;
}

/* The policy of the kept exits; where the model has none, one that lets nobody leave early. */
static int cut_policy(eex_policy **out, const eex_model *m, const eex_cut *cut,
                      const float *temperature)
{
    if (m->policy) {
        EEX_TRY(eex_policy_select(out, m->policy, cut->exits, cut->count));
        open_end(*out);
        return EEX_OK;
    }
    EEX_TRY(eex_policy_new(out, EEX_POLICY_CONFIDENCE, cut->count, eex_graph_classes(m->graph)));
    for (int k = 0; k < cut->count; k++)
        (*out)->temperature[k] = temperature[cut->exits[k]];
    return EEX_OK;
}

/* ---- judging ---- */

int eex_cut_trace(eex_trace **out, const eex_model *m, const char *split)
{
    eex_trace *trace = NULL;
    *out = NULL;
    EEX_TRY(eex_model_trace(&trace, m, split));
    const size_t bytes = (size_t)trace->exits * sizeof(float);
    int code = EEX_OK;
    if (m->policy && memcmp(trace->temperature, m->policy->temperature, bytes) != 0)
        code = m->params ? eex_trace_score(trace, m->params->device, m->policy->temperature)
                         : eex_fail(EEX_EINVAL,
                                    "%s: its %s trace was scored at other temperatures than those "
                                    "of its policy",
                                    m->path, split);
    if (code < 0)
        eex_trace_free(trace);
    else
        *out = trace;
    return code;
}

static int64_t all_bytes(const eex_graph *g)
{
    int64_t count = 0;
    for (int i = 0; i < eex_graph_params(g); i++)
        count += (int64_t)eex_param_count(eex_graph_param(g, i));
    return count * (int64_t)sizeof(float);
}

static int replay(eex_cut_facts *out, const eex_model *m, const eex_graph *graph,
                  const eex_trace *trace, const eex_cut *cut)
{
    double cost[EEX_MAX_EXITS];
    const eex_exit_costs costs = {cut->count, cost, 0};
    eex_trace *kept = NULL;
    eex_policy *policy = NULL;
    eex_outcome outcome;
    for (int k = 0; k < cut->count; k++)
        cost[k] = (double)eex_cost_cumulative(graph, k, EEX_MACS);
    EEX_TRY(eex_trace_select(&kept, trace, cut->exits, cut->count));
    int code = cut_policy(&policy, m, cut, trace->temperature);
    if (code == EEX_OK)
        code = eex_replay(&outcome, kept, policy, &costs, NULL, NULL);
    eex_policy_free(policy);
    eex_trace_free(kept);
    EEX_TRY(code);
    *out = (eex_cut_facts){.params = eex_graph_param_total(graph),
                           .bytes = all_bytes(graph),
                           .macs = outcome.cost,
                           .most_macs = cost[cut->count - 1],
                           .accuracy = outcome.accuracy,
                           .rejected = outcome.rejected};
    return EEX_OK;
}

int eex_cut_judge(eex_cut_facts *out, const eex_model *m, const eex_trace *trace,
                  const eex_cut *cut)
{
    eex_graph *graph = NULL;
    EEX_TRY(eex_graph_select(&graph, m->graph, cut->exits, cut->count));
    int code = replay(out, m, graph, trace, cut);
    eex_graph_free(graph);
    return code;
}

/* ---- making ---- */

static int copy_params(eex_model *to, const eex_model *from)
{
    int copied = 0;
    EEX_TRY(eex_params_new(&to->params, from->params->device, to->graph, 0));
    EEX_TRY(eex_params_copy(to->params, from->params, &copied));
    if (copied != eex_graph_params(to->graph))
        return eex_fail(EEX_EFORMAT, "%s: %d of the %d parameters of the cut network are there",
                        from->path, copied, eex_graph_params(to->graph));
    return EEX_OK;
}

static int fill(eex_model *to, const eex_model *from, const eex_cut *cut)
{
    to->path = strdup(from->path);
    if (!to->path)
        return eex_fail(EEX_ENOMEM, "out of memory for the name of a file");
    to->precision = from->precision;
    to->runs_in = from->runs_in;
    EEX_TRY(eex_input_copy(&to->input, &from->input));
    EEX_TRY(eex_graph_select(&to->graph, from->graph, cut->exits, cut->count));
    EEX_TRY(copy_params(to, from));
    if (from->familiar)
        EEX_TRY(eex_familiar_select(&to->familiar, from->familiar, cut->exits, cut->count));
    if (!from->policy)
        return cut->count == 1
                   ? EEX_OK
                   : eex_fail(EEX_EINVAL,
                              "%s: without a policy nobody leaves at the exits in front: a cut "
                              "without a policy keeps one exit alone",
                              from->path);
    EEX_TRY(eex_policy_select(&to->policy, from->policy, cut->exits, cut->count));
    open_end(to->policy);
    return EEX_OK;
}

int eex_cut_make(eex_model **out, const eex_model *model, const eex_cut *cut)
{
    *out = NULL;
    if (!model->params)
        return eex_fail(EEX_EINVAL, "%s was opened without a device", model->path);
    eex_model *m = calloc(1, sizeof *m);
    if (!m)
        return eex_fail(EEX_ENOMEM, "out of memory for a model");
    int code = fill(m, model, cut);
    if (code < 0)
        eex_model_close(m);
    else
        *out = m;
    return code;
}

/* ---- which exit ---- */

static int unknown_exit(const eex_graph *g, const char *name)
{
    const int exits = eex_graph_exits(g);
    if (exits == 1)
        return eex_fail(EEX_EINVAL, "exit \"%s\": the network has one exit alone, its end", name);
    return eex_fail(EEX_EINVAL,
                    "exit \"%s\": expected 1 to %d, \"end\", or a node that an exit reads, such as "
                    "\"%s\" (`eex show` lists them)",
                    name, exits, eex_graph_node(g, eex_graph_exit(g, 0)->point)->name);
}

/* Numbers count the exits of the network itself; a node with several exits is its first. */
int eex_exit_parse(int *out, const eex_graph *g, const char *name)
{
    const int exits = eex_graph_exits(g);
    char *end = NULL;
    if (strcmp(name, "end") == 0) {
        *out = exits - 1;
        return EEX_OK;
    }
    long number = strtol(name, &end, 10);
    if (*name && !*end && number >= 1 && number <= exits) {
        *out = (int)number - 1;
        return EEX_OK;
    }
    for (int k = 0; k < exits; k++)
        if (strcmp(eex_graph_node(g, eex_graph_exit(g, k)->point)->name, name) == 0) {
            *out = k;
            return EEX_OK;
        }
    return unknown_exit(g, name);
}
