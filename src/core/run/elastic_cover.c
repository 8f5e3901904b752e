#include "core/run/elastic_cover.h"

#include "base/rng.h"
#include "base/signals.h"
#include "base/status.h"
#include "base/xxh64.h"

#include <stdlib.h>
#include <string.h>

enum {
    DRAWN = 2,           /* networks around which genes are changed, besides the extremes */
    MAX_CELLS = 1 << 14, /* of a node */
    SEEN = 2 * EEX_LATENCY_MAX
};

/* ---- cells ---- */

static int options_of(const eex__cells *c, int gene)
{
    return eex_graph_gene(c->elastic, gene)->options;
}

static int too_many(const eex__cells *c, int node)
{
    return eex_fail(EEX_EUNSUPPORTED,
                    "latencies: what \"%s\" of \"%s\" takes depends on more genes than can be "
                    "measured (at most %d genes, %d combinations): count MACs instead (search.cost "
                    "= \"macs\", search.limits.macs, search.evaluator = \"train\")",
                    eex_graph_node(c->elastic, node)->name, eex_graph_name(c->elastic),
                    EEX__LOCAL_GENES, MAX_CELLS);
}

int eex__cells_number(eex__cells *c)
{
    c->count = 0;
    for (int n = 0; n < c->nodes; n++) {
        struct eex__local *local = &c->node[n];
        local->first = c->count;
        local->count = 1;
        for (int i = 0; i < local->genes; i++) {
            local->count *= (size_t)options_of(c, local->gene[i]);
            if (local->count > MAX_CELLS)
                return too_many(c, n);
        }
        c->count += local->count;
    }
    return EEX_OK;
}

size_t eex__cell_of(const eex__cells *c, int node, const int *genome)
{
    const struct eex__local *local = &c->node[node];
    size_t at = 0;
    for (int i = 0; i < local->genes; i++)
        at = at * (size_t)options_of(c, local->gene[i]) + (size_t)genome[local->gene[i]];
    return local->first + at;
}

/* The options that a cell of the node, counted from its first, stands for. */
static void options_at(int *option, const eex__cells *c, int node, size_t at)
{
    const struct eex__local *local = &c->node[node];
    for (int i = local->genes - 1; i >= 0; i--) {
        const size_t options = (size_t)options_of(c, local->gene[i]);
        option[i] = (int)(at % options);
        at /= options;
    }
}

void eex__cells_free(eex__cells *c)
{
    free(c->node);
    *c = (eex__cells){.node = NULL};
}

/* ---- networks as plans ---- */

int eex__lower(eex__lowered *out, const eex_graph *elastic, const int *genome, eex_device *device,
               const eex_inference *how)
{
    eex_plan_options options = eex_inference_plan(how);
    options.batch = 1;
    *out = (eex__lowered){.graph = NULL};
    if (eex_interrupted())
        return eex_fail(EEX_EINTERRUPTED, "interrupted while counting operations");
    int code = eex_graph_derive(&out->graph, NULL, elastic, genome);
    if (code == EEX_OK)
        code = eex_params_new_empty(&out->params, device, out->graph);
    if (code == EEX_OK)
        code = eex_plan_new(&out->plan, &options, out->graph, out->params);
    if (code != EEX_OK)
        eex__lowered_free(out);
    return code;
}

void eex__lowered_free(eex__lowered *l)
{
    eex_plan_free(l->plan);
    eex_params_free(l->params);
    eex_graph_free(l->graph);
    *l = (eex__lowered){.graph = NULL};
}

int eex__lowered_node(const eex__lowered *l, const eex_graph *elastic, int i)
{
    const int node = eex_graph_find(elastic, eex_plan_op(l->plan, i)->name);
    return node < 0 ? 0 : node;
}

/* ---- what nodes do ---- */

typedef struct work {
    const eex_graph *elastic;
    eex_device *device;
    const eex_inference *how;
    int nodes, genes;
    bool *depends;    /* (nodes, genes) */
    uint64_t *now;    /* (nodes) what each does in the network that was lowered last; 0: nothing */
    uint64_t *before; /* (nodes) */
    bool *covered;    /* (cells) */
    uint64_t *covered_by; /* (cells) what the node did there */
    uint64_t *seen;       /* (SEEN) hashes of operations; 0: free */
    size_t seen_count;
} work;

static uint64_t hash_of(const char *key)
{
    return eex_xxh64_of(key, strlen(key)) | 1;
}

/* Sets *fresh where it is new. */
static int see(bool *fresh, work *w, uint64_t hash)
{
    size_t at = (size_t)(hash % SEEN);
    while (w->seen[at] && w->seen[at] != hash)
        at = (at + 1) % SEEN;
    if (w->seen[at])
        return EEX_OK;
    if (w->seen_count == EEX_LATENCY_MAX)
        return eex_fail(EEX_EUNSUPPORTED,
                        "latencies: the networks of \"%s\" have more than %d operations: count "
                        "MACs instead (search.cost = \"macs\", search.limits.macs)",
                        eex_graph_name(w->elastic), EEX_LATENCY_MAX);
    w->seen[at] = hash;
    w->seen_count++;
    *fresh = true;
    return EEX_OK;
}

/* Into w->now. *fresh: there is an operation that no network before it had. */
static int look(work *w, bool *fresh, const int *genome)
{
    char key[EEX_LATENCY_KEY], extra[EEX__LATENCY_EXTRAS][EEX_LATENCY_KEY];
    eex__lowered l;
    *fresh = false;
    EEX_TRY(eex__lower(&l, w->elastic, genome, w->device, w->how));
    memset(w->now, 0, (size_t)w->nodes * sizeof *w->now);
    eex__latency_extra_keys(extra, l.plan);
    w->now[0] = hash_of(extra[0]);
    int code = see(fresh, w, w->now[0]);
    for (int i = 0; i < eex_plan_ops(l.plan) && code == EEX_OK; i++) {
        const int node = eex__lowered_node(&l, w->elastic, i);
        code = eex_latency_key(key, eex_plan_op(l.plan, i));
        if (code == EEX_OK)
            code = see(fresh, w, hash_of(key));
        w->now[node] = eex_rng_hash(w->now[node], hash_of(key), 0) | 1;
    }
    eex__lowered_free(&l);
    return code;
}

/* ---- which genes a node depends on ---- */

static int change_each(work *w, const int *genome)
{
    int changed[EEX_GENES];
    bool fresh;
    EEX_TRY(look(w, &fresh, genome));
    memcpy(w->before, w->now, (size_t)w->nodes * sizeof *w->now);
    memcpy(changed, genome, (size_t)w->genes * sizeof *genome);
    for (int g = 0; g < w->genes; g++) {
        for (int o = 0; o < eex_graph_gene(w->elastic, g)->options; o++) {
            if (o == genome[g])
                continue;
            changed[g] = o;
            EEX_TRY(look(w, &fresh, changed));
            for (int n = 0; n < w->nodes; n++)
                if (w->now[n] != w->before[n])
                    w->depends[n * w->genes + g] = true;
        }
        changed[g] = genome[g];
    }
    return EEX_OK;
}

static void draw(int *genome, const work *w, eex_rng *rng)
{
    for (int g = 0; g < w->genes; g++)
        genome[g] = (int)eex_rng_below(rng, (uint64_t)eex_graph_gene(w->elastic, g)->options);
}

static int find_dependences(work *w, eex_rng *rng)
{
    int genome[EEX_GENES];
    eex_genome_largest(w->elastic, genome);
    EEX_TRY(change_each(w, genome));
    eex_genome_smallest(w->elastic, genome);
    EEX_TRY(change_each(w, genome));
    for (int i = 0; i < DRAWN; i++) {
        draw(genome, w, rng);
        EEX_TRY(change_each(w, genome));
    }
    return EEX_OK;
}

static int make_cells(eex__cells *c, const work *w)
{
    c->elastic = w->elastic;
    c->nodes = w->nodes;
    c->node = calloc((size_t)w->nodes + 1, sizeof *c->node);
    if (!c->node)
        return eex_fail(EEX_ENOMEM, "out of memory for the genes of %d nodes", w->nodes);
    for (int n = 0; n < w->nodes; n++)
        for (int g = 0; g < w->genes; g++) {
            if (!w->depends[n * w->genes + g])
                continue;
            if (c->node[n].genes == EEX__LOCAL_GENES)
                return too_many(c, n);
            c->node[n].gene[c->node[n].genes++] = g;
        }
    return eex__cells_number(c);
}

/* ---- the networks ---- */

/* Sets genes to a cell of the node that nobody has covered, if one goes with the genes that are
 * settled, and settles them. */
static void settle(int *genome, bool *settled, const work *w, const eex__cells *c, int node)
{
    const struct eex__local *local = &c->node[node];
    int option[EEX__LOCAL_GENES];
    for (size_t at = 0; at < local->count; at++) {
        bool fits = !w->covered[local->first + at];
        if (!fits)
            continue;
        options_at(option, c, node, at);
        for (int i = 0; i < local->genes; i++)
            fits = fits && (!settled[local->gene[i]] || genome[local->gene[i]] == option[i]);
        if (!fits)
            continue;
        for (int i = 0; i < local->genes; i++) {
            genome[local->gene[i]] = option[i];
            settled[local->gene[i]] = true;
        }
        return;
    }
}

static int append(eex__cover *c, const int *genome, bool fresh)
{
    const size_t bytes = (size_t)c->genes * sizeof *genome, count = (size_t)c->count + 1;
    int *genomes = realloc(c->genome, count * bytes + 1);
    c->genome = genomes ? genomes : c->genome;
    bool *flags = realloc(c->fresh, count * sizeof *flags);
    c->fresh = flags ? flags : c->fresh;
    if (!genomes || !flags)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu networks", count);
    memcpy(c->genome + (size_t)c->count * (size_t)c->genes, genome, bytes);
    c->fresh[c->count++] = fresh;
    return EEX_OK;
}

/* A node that does two things with the same options of its genes has a gene that was not seen. */
static int cover_with(eex__cover *c, work *w, const int *genome)
{
    bool fresh;
    EEX_TRY(look(w, &fresh, genome));
    for (int n = 0; n < w->nodes; n++) {
        const size_t cell = eex__cell_of(&c->cells, n, genome);
        if (w->covered[cell] && w->covered_by[cell] != w->now[n])
            return eex_fail(EEX_EUNSUPPORTED,
                            "latencies: what \"%s\" of \"%s\" does depends on genes that change it "
                            "only together: count MACs instead (search.limits.macs)",
                            eex_graph_node(w->elastic, n)->name, eex_graph_name(w->elastic));
        w->covered[cell] = true;
        w->covered_by[cell] = w->now[n];
    }
    return append(c, genome, fresh);
}

static bool is_covered(const work *w, const struct eex__local *local)
{
    for (size_t at = 0; at < local->count; at++)
        if (!w->covered[local->first + at])
            return false;
    return true;
}

static int cover_all(eex__cover *c, work *w, eex_rng *rng)
{
    int genome[EEX_GENES];
    memset(w->seen, 0, SEEN * sizeof *w->seen);
    w->seen_count = 0;
    for (int first = 0; first < w->nodes;) {
        bool settled[EEX_GENES] = {false};
        if (is_covered(w, &c->cells.node[first])) {
            first++;
            continue;
        }
        draw(genome, w, rng);
        for (int n = first; n < w->nodes; n++)
            settle(genome, settled, w, &c->cells, n);
        EEX_TRY(cover_with(c, w, genome));
    }
    return EEX_OK;
}

/* ---- all of it ---- */

static int make(eex__cover *c, work *w)
{
    eex_rng rng;
    w->depends = calloc((size_t)w->nodes * (size_t)w->genes + 1, sizeof *w->depends);
    w->now = calloc((size_t)w->nodes + 1, sizeof *w->now);
    w->before = calloc((size_t)w->nodes + 1, sizeof *w->before);
    w->seen = calloc(SEEN, sizeof *w->seen);
    if (!w->depends || !w->now || !w->before || !w->seen)
        return eex_fail(EEX_ENOMEM, "out of memory for the operations of %d nodes", w->nodes);
    eex_rng_seed(&rng, 0, 0);
    EEX_TRY(find_dependences(w, &rng));
    EEX_TRY(make_cells(&c->cells, w));
    w->covered = calloc(c->cells.count + 1, sizeof *w->covered);
    w->covered_by = calloc(c->cells.count + 1, sizeof *w->covered_by);
    if (!w->covered || !w->covered_by)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu operations", c->cells.count);
    return cover_all(c, w, &rng);
}

int eex__cover_new(eex__cover **out, const eex_graph *elastic, eex_device *device,
                   const eex_inference *how)
{
    work w = {.elastic = elastic,
              .device = device,
              .how = how,
              .nodes = eex_graph_nodes(elastic),
              .genes = eex_graph_genes(elastic)};
    *out = NULL;
    eex__cover *c = calloc(1, sizeof *c);
    if (!c)
        return eex_fail(EEX_ENOMEM, "out of memory for networks");
    c->genes = w.genes;
    const int code = make(c, &w);
    free(w.depends);
    free(w.now);
    free(w.before);
    free(w.seen);
    free(w.covered);
    free(w.covered_by);
    if (code != EEX_OK)
        eex__cover_free(c);
    else
        *out = c;
    return code;
}

void eex__cover_free(eex__cover *c)
{
    if (!c)
        return;
    eex__cells_free(&c->cells);
    free(c->genome);
    free(c->fresh);
    free(c);
}
