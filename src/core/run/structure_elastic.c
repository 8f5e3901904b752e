#include "core/run/structure_elastic.h"

#include "core/graph/cost.h"
#include "core/graph/elastic.h"
#include "core/graph/node_set.h"
#include "core/plan/slice.h"

#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef eex__elastic elastic;
typedef eex__known_costs known_costs;

static const elastic *elastic_of(const eex_structures *s)
{
    return (const elastic *)s;
}

/* ---- the space ---- */

static void canonical(int *genome, const void *context)
{
    const elastic *x = context;
    (void)eex_genome_canonical(x->backbone, genome); /* fails for what is out of range alone */
    eex__exit_genes_limit(genome + x->genes, &x->exits);
}

static int make_space(elastic *x)
{
    int options[EEX_GENES + EEX_MAX_EXITS];
    for (int i = 0; i < x->genes; i++)
        options[i] = eex_graph_gene(x->backbone, i)->options;
    for (int p = 0; p < x->points.count; p++)
        options[x->genes + p] = eex__exit_genes_options(&x->exits);
    EEX_TRY(eex_space_init(&x->head.space, options, x->genes + x->points.count));
    x->head.space.canonical = canonical;
    x->head.space.context = x;
    return EEX_OK;
}

static int vanishes(const eex_graph *g, int point, const char *instead)
{
    return eex_fail(EEX_EINVAL,
                    "saliency: \"%s\" is not in every network of \"%s\"; in the smallest what is "
                    "left of it is \"%s\", which a gate for it cannot read: choose a point that "
                    "all have, or the last node of a stage",
                    eex_graph_node(g, point)->name, eex_graph_name(g), instead);
}

static int coincide(const eex_graph *g, int a, int b, const char *where)
{
    return eex_fail(EEX_EINVAL,
                    "saliency: \"%s\" and \"%s\" are one place in the smallest network of \"%s\", "
                    "behind \"%s\": choose one of them, as the last node of a stage",
                    eex_graph_node(g, a)->name, eex_graph_node(g, b)->name, eex_graph_name(g),
                    where);
}

/* Values of two nodes that are different in the smallest network are so in every other: what is
 * there in a smaller one is there in a larger one too. */
static int check_places(const eex_graph *g, const eex_points *points, const eex_graph *smallest,
                        const int *value)
{
    for (int p = 0; p < points->count; p++) {
        const int at = value[points->nodes[p]];
        const char *name = eex_graph_node(smallest, at)->name;
        if (!eex_saliency_alike(g, points->nodes[p], eex_graph_find(g, name)))
            return vanishes(g, points->nodes[p], name);
        for (int q = 0; q < p; q++)
            if (value[points->nodes[q]] == at)
                return coincide(g, points->nodes[q], points->nodes[p], name);
    }
    return EEX_OK;
}

int eex_elastic_points_check(const eex_graph *backbone, const eex_points *points)
{
    int genome[EEX_GENES], value[EEX_MAX_NODES];
    eex_graph *smallest = NULL;
    eex_genome_smallest(backbone, genome);
    EEX_TRY(eex_graph_derive(&smallest, value, backbone, genome));
    const int code = check_places(backbone, points, smallest, value);
    eex_graph_free(smallest);
    return code;
}

/* ---- networks ---- */

static int shared(eex_graph **out, const eex_structures *s)
{
    const elastic *x = elastic_of(s);
    return eex__exit_genes_all(out, &x->exits, x->backbone, &x->points);
}

static int all(eex_graph **out, const eex_structures *s, const int *genome)
{
    return eex_graph_derive(out, NULL, elastic_of(s)->all, genome);
}

static void columns(int *out, const eex_structures *s, const int *genome)
{
    const elastic *x = elastic_of(s);
    eex__exit_genes_columns(out, &x->exits, genome + x->genes);
}

static int graph(eex_graph **out, const eex_structures *s, const int *genome)
{
    const elastic *x = elastic_of(s);
    const int exits = eex__exit_genes_count(&x->exits, genome + x->genes);
    int column[EEX_MAX_EXITS];
    eex_graph *whole = NULL;
    columns(column, s, genome);
    EEX_TRY(all(&whole, s, genome));
    const int code = eex_graph_select(out, whole, column, exits);
    eex_graph_free(whole);
    return code;
}

static int weights(eex_params *out, const eex_structures *s, const int *genome,
                   const eex_params *from)
{
    eex_slices *slices = NULL;
    int code = eex_slices_new(&slices, from->graph, out->graph);
    if (code == EEX_ENOTFOUND || code == EEX_EINVAL)
        return eex_fail(EEX_EFORMAT, "%s", eex_error());
    EEX_TRY(code);
    code = eex_slices_gather(slices, out, from);
    eex_slices_free(slices);
    return code;
}

static void positions(int32_t *out, const eex_structures *s, const int *genome)
{
    const elastic *x = elastic_of(s);
    eex__exit_genes_positions(out, &x->exits, genome + x->genes);
}

static void thresholds(double *a, const eex_structures *s, const int *genome)
{
    const elastic *x = elastic_of(s);
    eex__exit_genes_thresholds(a, &x->exits, genome + x->genes);
}

/* "46 genes, 4 gates at 4 points" */
static void summary(char out[EEX_STRUCTURE_SUMMARY], const eex_structures *s)
{
    const elastic *x = elastic_of(s);
    const int used =
        snprintf(out, EEX_STRUCTURE_SUMMARY, "%d gene%s, ", x->genes, eex_plural(x->genes));
    eex__exit_genes_summary(out + used, (size_t)(EEX_STRUCTURE_SUMMARY - used), &x->exits);
}

static int describe(eex_store_file *file, const eex_structures *s)
{
    const elastic *x = elastic_of(s);
    return eex__elastic_describe(file, x->backbone, &x->exits, &x->points);
}

/* ---- costs ---- */

/* The network's entry, or else the one that was not asked for longest. */
static known_costs *find(const elastic *x, const int *genome)
{
    known_costs *oldest = &x->costs->at[0];
    for (int i = 0; i < EEX__KEPT_COSTS; i++) {
        known_costs *at = &x->costs->at[i];
        if (at->used && memcmp(at->genes, genome, (size_t)x->genes * sizeof *genome) == 0)
            return at;
        if (at->used < oldest->used)
            oldest = at;
    }
    oldest->used = 0;
    return oldest;
}

static int count(known_costs *out, const elastic *x, const int *genome)
{
    eex_graph *network = NULL;
    EEX_TRY(all(&network, &x->head, genome));
    eex__gate_costs_count(&out->macs, &x->exits, network);
    const int code = eex__gate_params_count(&out->params, &x->exits, network);
    eex_graph_free(network);
    EEX_TRY(code);
    if (!isnan(x->head.base_ms))
        eex__elastic_gate_times(&out->ms, x, genome);
    memcpy(out->genes, genome, (size_t)x->genes * sizeof *genome);
    return EEX_OK;
}

static int costs(eex_structure_costs *out, const eex_structures *s, const int *genome)
{
    const elastic *x = elastic_of(s);
    known_costs *known = find(x, genome);
    if (!known->used)
        EEX_TRY(count(known, x, genome));
    known->used = ++x->costs->now;
    eex__exit_genes_costs(out, &x->exits, genome + x->genes, &known->macs,
                          isnan(s->base_ms) ? NULL : &known->ms, &known->params);
    return EEX_OK;
}

/* ---- making one ---- */

static void free_elastic(eex_structures *s)
{
    elastic *x = (elastic *)s;
    eex_graph_free(x->all);
    eex__cells_free(&x->times.cells);
    free(x->times.ms);
    free(x->costs);
    free(x);
}

static const eex_structures_kind elastic_kind = {
    .graph = graph,
    .shared = shared,
    .all = all,
    .columns = columns,
    .weights = weights,
    .costs = costs,
    .positions = positions,
    .thresholds = thresholds,
    .networks = eex__elastic_networks,
    .time = eex__elastic_time,
    .write_times = eex__elastic_write_times,
    .read_times = eex__elastic_read_times,
    .describe = describe,
    .summary = summary,
    .free = free_elastic,
};

static int fill(elastic *x, const eex_experiment *e)
{
    EEX_TRY(eex__exit_genes_of(&x->exits, e, x->points.count));
    EEX_TRY(eex_elastic_points_check(x->backbone, &x->points));
    EEX_TRY(make_space(x));
    EEX_TRY(shared(&x->all, &x->head));
    x->head.levels = x->exits.levels;
    memcpy(x->head.level, x->exits.level, sizeof x->head.level);
    x->head.base_macs = (double)eex_cost_total(x->backbone, EEX_MACS);
    x->costs = calloc(1, sizeof *x->costs);
    return x->costs ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for costs of networks");
}

int eex_structures_elastic(eex_structures **out, const eex_experiment *e, const eex_points *points)
{
    *out = NULL;
    elastic *x = calloc(1, sizeof *x);
    if (!x)
        return eex_fail(EEX_ENOMEM, "out of memory for a space of structures");
    x->head.kind = &elastic_kind;
    x->head.base_ms = NAN;
    x->backbone = e->backbone;
    x->genes = eex_graph_genes(e->backbone);
    x->points = *points;
    const int code = fill(x, e);
    if (code != EEX_OK) {
        free_elastic(&x->head);
        return code;
    }
    *out = &x->head;
    return EEX_OK;
}
