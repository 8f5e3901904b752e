#include "core/run/structure_described.h"

#include "core/graph/elastic.h"
#include "core/run/structure_elastic.h"
#include "core/run/structure_gates.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_NAMES = 1 << 20, MAX_BLOCKS = 64 };

struct eex_described {
    eex_store_list points; /* names of nodes */
    int choices, levels;
    int32_t *blocks;   /* (choices) */
    double *threshold; /* (levels) */
    int32_t *each;     /* (points) where each has a block count of its own; or NULL */
    int first;         /* the gene of the first choice: 0 where no gate is none of them */
    eex_store_list genes;
    double *value; /* (genes, EEX_GENE_OPTIONS); NaN: there is no such option */
};

/* ---- writing ---- */

static int describe_each(eex_store_file *file, const eex__exit_genes *exits, int points)
{
    const eex_store_shape shape = {1, {(uint64_t)points}};
    int32_t each[EEX_MAX_GATES];
    for (int p = 0; p < points && exits->fixed; p++)
        each[p] = exits->each[p];
    return exits->fixed ? eex_store_write(file, "space/each", EEX_STORE_I32, &shape, each) : EEX_OK;
}

static int describe_exits(eex_store_file *file, const eex_graph *backbone,
                          const eex__exit_genes *exits, const eex_points *points)
{
    const char *names[EEX_MAX_EXITS];
    int32_t blocks[EEX_MAX_CHOICES];
    const eex_store_shape choices = {1, {(uint64_t)exits->choices}};
    const eex_store_shape levels = {1, {(uint64_t)exits->levels}};
    for (int p = 0; p < points->count; p++)
        names[p] = eex_graph_node(backbone, points->nodes[p])->name;
    for (int i = 0; i < exits->choices; i++)
        blocks[i] = exits->blocks[i];
    EEX_TRY(eex_store_write_strings(file, "space/points", names, (size_t)points->count));
    EEX_TRY(eex_store_write(file, "space/blocks", EEX_STORE_I32, &choices, blocks));
    if (exits->required)
        EEX_TRY(eex_store_set_int(file, "space", "required", 1));
    EEX_TRY(describe_each(file, exits, points->count));
    return exits->levels
               ? eex_store_write(file, "space/thresholds", EEX_STORE_F64, &levels, exits->level)
               : EEX_OK;
}

static const char *gene_of_a_point(const eex__exit_genes *exits)
{
    if (exits->required)
        return exits->levels
                   ? "one gene a point: i * thresholds + j the i-th of blocks with the j-th of "
                     "thresholds, from 0"
                   : "one gene a point: i the i-th of blocks, from 0";
    return exits->levels ? "one gene a point: 0 no gate, 1 + i * thresholds + j the i-th of blocks "
                           "with the j-th of thresholds"
                         : "one gene a point: 0 no gate, i the i-th of blocks";
}

int eex__gates_describe(eex_store_file *file, const eex_structures *s)
{
    const eex__gates *g = (const eex__gates *)s;
    EEX_TRY(describe_exits(file, g->backbone, &g->exits, &g->points));
    return eex_store_set_string(file, "space", "genome", gene_of_a_point(&g->exits));
}

static int describe_genes(eex_store_file *file, const eex_graph *backbone)
{
    const int genes = eex_graph_genes(backbone);
    const eex_store_shape shape = {2, {(uint64_t)genes, EEX_GENE_OPTIONS}};
    const char *names[EEX_GENES];
    double *value = calloc((size_t)genes * EEX_GENE_OPTIONS, sizeof *value);
    if (!value)
        return eex_fail(EEX_ENOMEM, "out of memory for the values of %d genes", genes);
    for (int i = 0; i < genes; i++) {
        const eex_gene *gene = eex_graph_gene(backbone, i);
        names[i] = gene->name;
        for (int o = 0; o < EEX_GENE_OPTIONS; o++)
            value[i * EEX_GENE_OPTIONS + o] = o < gene->options ? gene->values[o] : (double)NAN;
    }
    int code = eex_store_write_strings(file, "space/genes", names, (size_t)genes);
    if (code == EEX_OK)
        code = eex_store_write_packed(file, "space/values", EEX_STORE_F64, &shape, value);
    free(value);
    return code;
}

int eex__elastic_describe(eex_store_file *file, const eex_graph *backbone,
                          const eex__exit_genes *exits, const eex_points *points)
{
    EEX_TRY(describe_exits(file, backbone, exits, points));
    EEX_TRY(describe_genes(file, backbone));
    EEX_TRY(eex_store_set_string(file, "space/values", "axes", "gene, option; NaN: none"));
    EEX_TRY(eex_store_set_string(file, "space", "genome", gene_of_a_point(exits)));
    return eex_store_set_string(file, "space", "network",
                                "the genes of the network come first, as options from 0");
}

/* ---- reading ---- */

static int load_levels(eex_described *d, eex_store_file *file)
{
    eex_store_shape shape = {1, {EEX_STORE_ANY}};
    if (!eex_store_has(file, "space/thresholds"))
        return EEX_OK;
    EEX_TRY(eex_store_read_new((void **)&d->threshold, file, "space/thresholds", EEX_STORE_F64,
                               &shape, EEX_MAX_LEVELS * sizeof *d->threshold));
    d->levels = (int)shape.extent[0];
    return EEX_OK;
}

static int load_genes(eex_described *d, eex_store_file *file)
{
    if (!eex_store_has(file, "space/genes"))
        return EEX_OK;
    EEX_TRY(eex_store_read_strings(&d->genes, file, "space/genes", MAX_NAMES));
    eex_store_shape shape = {2, {d->genes.count, EEX_GENE_OPTIONS}};
    return eex_store_read_new((void **)&d->value, file, "space/values", EEX_STORE_F64, &shape,
                              EEX_GENES * EEX_GENE_OPTIONS * sizeof *d->value);
}

static int load(eex_described *d, eex_store_file *file)
{
    eex_store_shape shape = {1, {EEX_STORE_ANY}};
    EEX_TRY(eex_store_read_strings(&d->points, file, "space/points", MAX_NAMES));
    EEX_TRY(eex_store_read_new((void **)&d->blocks, file, "space/blocks", EEX_STORE_I32, &shape,
                               MAX_BLOCKS * sizeof *d->blocks));
    d->choices = (int)shape.extent[0];
    shape = (eex_store_shape){1, {d->points.count}};
    if (eex_store_has(file, "space/each"))
        EEX_TRY(eex_store_read_new((void **)&d->each, file, "space/each", EEX_STORE_I32, &shape,
                                   EEX_MAX_EXITS * sizeof *d->each));
    const int required = eex_store_has_attribute(file, "space", "required");
    d->first = required > 0 ? 0 : 1;
    EEX_TRY(required < 0 ? required : EEX_OK);
    EEX_TRY(load_levels(d, file));
    return load_genes(d, file);
}

int eex_described_load(eex_described **out, eex_store_file *file)
{
    eex_described *d = calloc(1, sizeof *d);
    *out = NULL;
    if (!d)
        return eex_fail(EEX_ENOMEM, "out of memory for a space of structures");
    int code = load(d, file);
    if (code != EEX_OK) {
        eex_described_free(d);
        return code;
    }
    *out = d;
    return EEX_OK;
}

void eex_described_free(eex_described *d)
{
    if (!d)
        return;
    eex_store_list_free(&d->points);
    eex_store_list_free(&d->genes);
    free(d->blocks);
    free(d->threshold);
    free(d->each);
    free(d->value);
    free(d);
}

/* ---- telling ---- */

/* `way` counts the ways to have a gate from 0. */
static eex_structure_part part_of(const eex_described *d, int p, int way)
{
    const int levels = d->levels ? d->levels : 1;
    return (eex_structure_part){.position = p + 1,
                                .name = d->points.item[p],
                                .size = d->each ? d->each[p] : d->blocks[way / levels],
                                .threshold = d->levels ? d->threshold[way % levels] : (double)NAN};
}

int eex_described_parts(eex_structure_part *parts, int capacity, const eex_described *d,
                        const int *genome, int genes)
{
    const int first = eex_described_genes(d), most = d->choices * (d->levels ? d->levels : 1);
    int count = 0;
    for (int p = 0; first + p < genes && (size_t)p < d->points.count && count < capacity; p++)
        if (genome[first + p] >= d->first && genome[first + p] - d->first < most)
            parts[count++] = part_of(d, p, genome[first + p] - d->first);
    return count;
}

int eex_described_genes(const eex_described *d)
{
    return (int)d->genes.count;
}

eex_structure_gene eex_described_gene(const eex_described *d, const int *genome, int i)
{
    const bool known = genome[i] >= 0 && genome[i] < EEX_GENE_OPTIONS;
    return (eex_structure_gene){d->genes.item[i],
                                known ? d->value[i * EEX_GENE_OPTIONS + genome[i]] : (double)NAN};
}
