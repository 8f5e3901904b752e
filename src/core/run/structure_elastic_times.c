/* What the networks of an elastic backbone take with one input at a time, from a latency table: a
 * sum over nodes, each of which takes what its own few genes say (elastic_cover.h). */
#include "core/graph/node_set.h"
#include "core/run/structure_elastic.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- networks with every operation ---- */

static int visit_each(const eex__elastic *x, const eex__cover *cover, eex_structures_visit *visit,
                      void *context)
{
    int number = 0, count = 0, code = EEX_OK;
    for (int i = 0; i < cover->count; i++)
        count += cover->fresh[i];
    for (int i = 0; i < cover->count && code == EEX_OK; i++) {
        eex_graph *graph = NULL;
        if (!cover->fresh[i])
            continue;
        code = eex_graph_derive(&graph, NULL, x->all, cover->genome + (size_t)i * cover->genes);
        if (code == EEX_OK)
            code = visit(context, graph, number++, count);
        eex_graph_free(graph);
    }
    return code;
}

int eex__elastic_networks(const eex_structures *s, eex_device *device, const eex_inference *how,
                          eex_structures_visit *visit, void *context)
{
    const eex__elastic *x = (const eex__elastic *)s;
    eex__cover *cover = NULL;
    EEX_TRY(eex__cover_new(&cover, x->all, device, how));
    const int code = visit_each(x, cover, visit, context);
    eex__cover_free(cover);
    return code;
}

/* ---- looking up ---- */

/* Adds what the plan's operations take to the cells of a genome's nodes, which are all 0. */
static int add_times(double *cell, eex__elastic_times *t, const eex__lowered *l,
                     const eex_latency_table *table)
{
    const int ops = eex_plan_ops(l->plan);
    eex_latency_extras extra;
    double *ms = calloc((size_t)ops + 1, sizeof *ms);
    int code = ms ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for the times of %d ops", ops);
    if (code == EEX_OK)
        code = eex_latency_ops(ms, table, l->plan);
    if (code == EEX_OK)
        code = eex_latency_extra(&extra, table, l->plan);
    for (int i = 0; i < ops && code == EEX_OK; i++)
        cell[eex__lowered_node(l, t->cells.elastic, i)] += ms[i];
    if (code == EEX_OK) {
        cell[0] += extra.input + extra.results;
        t->leave = extra.leave;
    }
    free(ms);
    return code;
}

static int time_network(eex__elastic_times *t, double *node_ms, const int *genome,
                        const eex_latency_table *table, eex_device *device,
                        const eex_inference *how)
{
    eex__lowered l;
    EEX_TRY(eex__lower(&l, t->cells.elastic, genome, device, how));
    memset(node_ms, 0, (size_t)t->cells.nodes * sizeof *node_ms);
    const int code = add_times(node_ms, t, &l, table);
    eex__lowered_free(&l);
    for (int n = 0; n < t->cells.nodes && code == EEX_OK; n++)
        t->ms[eex__cell_of(&t->cells, n, genome)] = node_ms[n];
    return code;
}

static int time_all(eex__elastic_times *t, const eex__cover *cover, const eex_latency_table *table,
                    eex_device *device, const eex_inference *how)
{
    double *node_ms = calloc((size_t)t->cells.nodes + 1, sizeof *node_ms);
    t->ms = calloc(t->cells.count + 1, sizeof *t->ms);
    int code = node_ms && t->ms
                   ? EEX_OK
                   : eex_fail(EEX_ENOMEM, "out of memory for %zu times", t->cells.count);
    for (int i = 0; i < cover->count && code == EEX_OK; i++)
        code =
            time_network(t, node_ms, cover->genome + (size_t)i * cover->genes, table, device, how);
    free(node_ms);
    return code;
}

static void free_times(eex__elastic_times *t)
{
    eex__cells_free(&t->cells);
    free(t->ms);
    *t = (eex__elastic_times){.ms = NULL};
}

/* What is known of networks was known without times. */
static void take(eex__elastic *x, const eex__elastic_times *t)
{
    int largest[EEX_GENES];
    eex__gate_costs costs;
    free_times(&x->times);
    x->times = *t;
    memset(x->costs, 0, sizeof *x->costs);
    eex_genome_largest(x->all, largest);
    eex__elastic_gate_times(&costs, x, largest);
    x->head.base_ms = costs.base;
}

int eex__elastic_time(eex_structures *s, const eex_latency_table *table, eex_device *device,
                      const eex_inference *how)
{
    eex__elastic *x = (eex__elastic *)s;
    eex__elastic_times t = {.ms = NULL};
    eex__cover *cover = NULL;
    EEX_TRY(eex__cover_new(&cover, x->all, device, how));
    t.cells = cover->cells;
    cover->cells = (eex__cells){.node = NULL};
    const int code = time_all(&t, cover, table, device, how);
    eex__cover_free(cover);
    if (code != EEX_OK)
        free_times(&t);
    else
        take(x, &t);
    return code;
}

/* ---- sums ---- */

/* What `node` needs: of the trunk, or of gates. */
static double sum(const eex__elastic *x, const int *genome, int node, bool trunk)
{
    const eex__elastic_times *t = &x->times;
    eex_node_set above = {{0}};
    double ms = 0;
    eex_graph_ancestors(&above, x->all, node);
    for (int n = 0; n < t->cells.nodes; n++)
        if (eex_node_set_has(&above, n) && (eex_graph_node(x->all, n)->exit == EEX_TRUNK) == trunk)
            ms += t->ms[eex__cell_of(&t->cells, n, genome)];
    return ms;
}

void eex__elastic_gate_times(eex__gate_costs *out, const eex__elastic *x, const int *genome)
{
    const int choices = x->exits.choices, gates = x->points.count * choices;
    for (int k = 0; k < gates; k++) {
        const eex_exit *exit = eex_graph_exit(x->all, k);
        if (k % choices == 0)
            out->trunk[k / choices] = sum(x, genome, exit->point, true);
        out->gate[k] = x->times.leave + sum(x, genome, exit->logits, false);
    }
    out->base = x->times.leave + sum(x, genome, eex_graph_exit(x->all, gates)->logits, true);
}

/* ---- in files ---- */

static int write_nodes(eex_store_file *file, const eex__cells *c)
{
    const eex_store_shape shape = {2, {(uint64_t)c->nodes, EEX__LOCAL_GENES}};
    const char **names = calloc((size_t)c->nodes + 1, sizeof *names);
    int32_t *gene = calloc((size_t)c->nodes * EEX__LOCAL_GENES + 1, sizeof *gene);
    int code =
        names && gene ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for %d nodes", c->nodes);
    for (int n = 0; n < c->nodes && code == EEX_OK; n++) {
        names[n] = eex_graph_node(c->elastic, n)->name;
        for (int i = 0; i < EEX__LOCAL_GENES; i++)
            gene[n * EEX__LOCAL_GENES + i] = i < c->node[n].genes ? c->node[n].gene[i] : -1;
    }
    if (code == EEX_OK)
        code = eex_store_write_strings(file, "node", names, (size_t)c->nodes);
    if (code == EEX_OK)
        code = eex_store_write(file, "gene", EEX_STORE_I32, &shape, gene);
    free(names);
    free(gene);
    return code;
}

int eex__elastic_write_times(eex_store_file *file, const eex_structures *s)
{
    const eex__elastic_times *t = &((const eex__elastic *)s)->times;
    const eex_store_shape shape = {1, {t->cells.count}};
    EEX_TRY(write_nodes(file, &t->cells));
    EEX_TRY(eex_store_write(file, "ms", EEX_STORE_F64, &shape, t->ms));
    EEX_TRY(eex_store_set_string(file, "ms", "axes",
                                 "node after node: a number for each combination of the options "
                                 "of its genes, the last gene's fastest"));
    EEX_TRY(eex_store_set_double(file, "", "leave_ms", t->leave));
    return eex_store_set_double(file, "", "base_ms", s->base_ms);
}

static int take_genes(eex__cells *c, const eex_store_file *file, const int32_t *gene)
{
    for (int n = 0; n < c->nodes; n++) {
        struct eex__local *local = &c->node[n];
        for (int i = 0; i < EEX__LOCAL_GENES && gene[n * EEX__LOCAL_GENES + i] >= 0; i++) {
            local->gene[local->genes++] = gene[n * EEX__LOCAL_GENES + i];
            if (local->gene[i] >= eex_graph_genes(c->elastic) ||
                (i > 0 && local->gene[i] <= local->gene[i - 1]))
                return eex_store_refuse(
                    file,
                    "gene: node %d has gene %d, expected those of the network in "
                    "ascending order",
                    n, local->gene[i]);
        }
    }
    const int code = eex__cells_number(c);
    return code < 0 ? eex_store_refuse(file, "%s", eex_error()) : EEX_OK;
}

static int read_cells(eex__cells *c, eex_store_file *file)
{
    const eex_store_shape shape = {2, {(uint64_t)c->nodes, EEX__LOCAL_GENES}};
    int32_t *gene = calloc((size_t)c->nodes * EEX__LOCAL_GENES + 1, sizeof *gene);
    c->node = calloc((size_t)c->nodes + 1, sizeof *c->node);
    int code =
        gene && c->node ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for %d nodes", c->nodes);
    if (code == EEX_OK)
        code = eex_store_read(gene, file, "gene", EEX_STORE_I32, &shape);
    if (code == EEX_OK)
        code = take_genes(c, file, gene);
    free(gene);
    return code;
}

static int read_ms(eex__elastic_times *t, eex_store_file *file)
{
    const eex_store_shape shape = {1, {t->cells.count}};
    t->ms = calloc(t->cells.count + 1, sizeof *t->ms);
    if (!t->ms)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu times", t->cells.count);
    EEX_TRY(eex_store_read(t->ms, file, "ms", EEX_STORE_F64, &shape));
    EEX_TRY(eex_store_get_double(&t->leave, file, "", "leave_ms"));
    for (size_t i = 0; i <= t->cells.count; i++) {
        const double ms = i < t->cells.count ? t->ms[i] : t->leave;
        if (!(ms >= 0) || isinf(ms))
            return eex_store_refuse(file, "time %zu is %g ms, expected at least 0", i, ms);
    }
    return EEX_OK;
}

int eex__elastic_read_times(eex_structures *s, eex_store_file *file)
{
    eex__elastic *x = (eex__elastic *)s;
    eex__elastic_times t = {.cells = {.elastic = x->all, .nodes = eex_graph_nodes(x->all)}};
    int code = read_cells(&t.cells, file);
    if (code == EEX_OK)
        code = read_ms(&t, file);
    if (code != EEX_OK)
        free_times(&t);
    else
        take(x, &t);
    return code;
}
