#include "core/graph/graph_store_impl.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OUT_CHOICE, KERNEL_CHOICE, GENE, FROM, TRANSFORMS, ZERO_START, COLUMNS };
static const char columns_meaning[] =
    "choice of outputs, choice of kernel (-1: none), gene and its option from which on the node is "
    "there (-1: always), kernels with transforms, scales start at 0";

enum { CHOICE_COLUMNS = 1 + EEX_GENE_OPTIONS };

/* ---- saving ---- */

static bool has_more(const eex_graph *g)
{
    bool more = g->gene_count > 0;
    for (int i = 0; i < g->node_count; i++)
        more = more || g->nodes[i].zero_start;
    return more;
}

static int write_rows(eex_store_file *file, const char *group, const char *name,
                      eex_store_type type, int count, int columns, const char *meaning,
                      const void *data)
{
    char path[EEX__GRAPH_PATH];
    const eex_store_shape shape = {2, {(uint64_t)count, (uint64_t)columns}};
    EEX_TRY(eex__graph_path(path, group, name));
    EEX_TRY(eex_store_write_packed(file, path, type, &shape, data));
    return eex_store_set_string(file, path, "columns", meaning);
}

static int save_nodes(const eex_graph *g, eex_store_file *file, const char *group)
{
    int32_t *rows = malloc((size_t)g->node_count * COLUMNS * sizeof *rows);
    if (!rows)
        return eex_fail(EEX_ENOMEM, "graph: out of memory for %d nodes", g->node_count);
    for (int i = 0; i < g->node_count; i++) {
        const eex_node *n = &g->nodes[i];
        int32_t *row = rows + (size_t)i * COLUMNS;
        row[OUT_CHOICE] = n->out_choice;
        row[KERNEL_CHOICE] = n->kernel_choice;
        row[GENE] = n->gene;
        row[FROM] = n->from;
        row[TRANSFORMS] = n->transforms;
        row[ZERO_START] = n->zero_start;
    }
    int code = write_rows(file, group, "nodes/more", EEX_STORE_I32, g->node_count, COLUMNS,
                          columns_meaning, rows);
    free(rows);
    return code;
}

static int save_words(const eex_graph *g, eex_store_file *file, const char *group)
{
    char path[EEX__GRAPH_PATH];
    const char *name[EEX_GENES], *kind[EEX_GENES];
    for (int i = 0; i < g->gene_count; i++) {
        name[i] = g->genes[i].name;
        kind[i] = eex_gene_kind_name(g->genes[i].kind);
    }
    EEX_TRY(eex__graph_path(path, group, "genes"));
    EEX_TRY(eex_store_make_group(file, path));
    EEX_TRY(eex_store_set_int(file, path, "of_size", g->size_gene));
    EEX_TRY(eex__graph_path(path, group, "genes/name"));
    EEX_TRY(eex_store_write_strings(file, path, name, (size_t)g->gene_count));
    EEX_TRY(eex__graph_path(path, group, "genes/kind"));
    return eex_store_write_strings(file, path, kind, (size_t)g->gene_count);
}

static int save_values(const eex_graph *g, eex_store_file *file, const char *group)
{
    double *values = malloc((size_t)g->gene_count * EEX_GENE_OPTIONS * sizeof *values);
    if (!values)
        return eex_fail(EEX_ENOMEM, "graph: out of memory for %d genes", g->gene_count);
    for (int i = 0; i < g->gene_count; i++)
        for (int o = 0; o < EEX_GENE_OPTIONS; o++)
            values[i * EEX_GENE_OPTIONS + o] =
                o < g->genes[i].options ? g->genes[i].values[o] : (double)NAN;
    int code = write_rows(file, group, "genes/value", EEX_STORE_F64, g->gene_count,
                          EEX_GENE_OPTIONS, "values of the options, NaN behind the last", values);
    free(values);
    return code;
}

_Static_assert(sizeof(eex_choice) == CHOICE_COLUMNS * sizeof(int32_t), "choices are rows of int32");

int eex__elastic_save(const eex_graph *g, eex_store_file *file, const char *group)
{
    if (!has_more(g))
        return EEX_OK;
    EEX_TRY(save_nodes(g, file, group));
    if (g->gene_count == 0)
        return EEX_OK;
    EEX_TRY(save_words(g, file, group));
    EEX_TRY(save_values(g, file, group));
    return g->choice_count
               ? write_rows(file, group, "genes/choice", EEX_STORE_I32, g->choice_count,
                            CHOICE_COLUMNS, "gene, then a number for each option", g->choices)
               : EEX_OK;
}

/* ---- reading ---- */

void eex__elastic_free(eex__elastic_rows *r)
{
    eex_store_list_free(&r->name);
    eex_store_list_free(&r->kind);
    free(r->node);
    free(r->value);
    free(r->choice);
}

static int read_rows(void **out, eex_store_file *file, const char *group, const char *name,
                     eex_store_type type, size_t count, size_t columns)
{
    char path[EEX__GRAPH_PATH];
    eex_store_shape shape = {2, {count, columns}};
    EEX_TRY(eex__graph_path(path, group, name));
    return eex_store_read_new(out, file, path, type, &shape, EEX__GRAPH_TEXT);
}

static int has(eex_store_file *file, const char *group, const char *name)
{
    char path[EEX__GRAPH_PATH];
    EEX_TRY(eex__graph_path(path, group, name));
    return eex_store_has(file, path);
}

static int read_words(eex__elastic_rows *r, eex_store_file *file, const char *group)
{
    char path[EEX__GRAPH_PATH];
    EEX_TRY(eex__graph_path(path, group, "genes"));
    EEX_TRY(eex_store_get_int(&r->size_gene, file, path, "of_size"));
    EEX_TRY(eex__graph_path(path, group, "genes/name"));
    EEX_TRY(eex_store_read_strings(&r->name, file, path, EEX__GRAPH_TEXT));
    EEX_TRY(eex__graph_path(path, group, "genes/kind"));
    EEX_TRY(eex_store_read_strings(&r->kind, file, path, EEX__GRAPH_TEXT));
    r->genes = r->name.count;
    if (r->genes < 1 || r->genes > EEX_GENES || r->kind.count != r->genes)
        return eex_fail(EEX_EFORMAT, "genes have %zu names and %zu kinds, 1 to %d of each expected",
                        r->genes, r->kind.count, EEX_GENES);
    return EEX_OK;
}

static int read_choices(eex__elastic_rows *r, eex_store_file *file, const char *group)
{
    char path[EEX__GRAPH_PATH];
    eex_store_type type;
    eex_store_shape shape;
    const int there = has(file, group, "genes/choice");
    if (there <= 0)
        return there;
    EEX_TRY(eex__graph_path(path, group, "genes/choice"));
    EEX_TRY(eex_store_describe(&type, &shape, file, path));
    if (shape.rank != 2 || shape.extent[0] > 2 * EEX_MAX_NODES)
        return eex_fail(EEX_EFORMAT, "%s: at most %d choices expected", path, 2 * EEX_MAX_NODES);
    r->choices = (size_t)shape.extent[0];
    return read_rows((void **)&r->choice, file, group, "genes/choice", EEX_STORE_I32, r->choices,
                     CHOICE_COLUMNS);
}

int eex__elastic_read(eex__elastic_rows *r, eex_store_file *file, const char *group, size_t nodes)
{
    int there = has(file, group, "nodes/more");
    if (there <= 0)
        return there;
    EEX_TRY(read_rows((void **)&r->node, file, group, "nodes/more", EEX_STORE_I32, nodes, COLUMNS));
    there = has(file, group, "genes");
    if (there <= 0)
        return there;
    EEX_TRY(read_words(r, file, group));
    EEX_TRY(read_rows((void **)&r->value, file, group, "genes/value", EEX_STORE_F64, r->genes,
                      EEX_GENE_OPTIONS));
    return read_choices(r, file, group);
}

/* ---- adding them again ---- */

static int add_gene(eex_graph *g, const eex__elastic_rows *r, size_t i)
{
    const double *values = r->value + i * EEX_GENE_OPTIONS;
    const int kind = eex_name_find(eex_gene_kind_names(), r->kind.item[i]);
    eex_gene gene = {.kind = (eex_gene_kind)kind};
    int number;
    if (kind < 0)
        return eex_fail(EEX_EFORMAT, "no kind of gene is called \"%.40s\"", r->kind.item[i]);
    EEX_TRY(eex__graph_name_copy(gene.name, r->name.item[i], "gene"));
    while (gene.options < EEX_GENE_OPTIONS && !isnan(values[gene.options])) {
        gene.values[gene.options] = values[gene.options];
        gene.options++;
    }
    return eex_graph_add_gene(g, &number, &gene);
}

/* All choices in their order, so that each keeps its number. */
static int add_choice(eex_graph *g, const int32_t *row)
{
    eex_choice choice = {.gene = row[0]};
    int number;
    if (choice.gene < 0 || choice.gene >= g->gene_count)
        return eex_fail(EEX_EFORMAT, "a choice by gene %d of %d", choice.gene, g->gene_count);
    for (int o = 0; o < g->genes[choice.gene].options; o++)
        choice.values[o] = row[1 + o];
    return eex__graph_add_choice(g, &number, &choice);
}

int eex__elastic_genes(eex_graph *g, const eex__elastic_rows *r)
{
    for (size_t i = 0; i < r->genes; i++)
        EEX_TRY(add_gene(g, r, i));
    for (size_t i = 0; i < r->choices; i++)
        EEX_TRY(add_choice(g, r->choice + i * CHOICE_COLUMNS));
    if (r->genes == 0 || r->size_gene == -1)
        return EEX_OK;
    if (r->size_gene < 0 || r->size_gene >= g->gene_count)
        return eex_fail(EEX_EFORMAT, "sizes by gene %lld of %d", (long long)r->size_gene,
                        g->gene_count);
    return eex_graph_choose_size(g, (int)r->size_gene);
}

int eex__elastic_before(eex_graph *g, const eex__elastic_rows *r, size_t i)
{
    const int32_t *row = r->node ? r->node + i * COLUMNS : NULL;
    return row ? eex_graph_present(g, row[GENE], row[FROM]) : EEX_OK;
}

static int choice_at(const eex_choice **out, const eex_graph *g, int32_t number)
{
    *out = eex_graph_choice(g, number);
    if (number < -1 || (number >= 0 && !*out))
        return eex_fail(EEX_EFORMAT, "choice %d of %d", (int)number, g->choice_count);
    return EEX_OK;
}

int eex__elastic_after(eex_graph *g, int id, const eex__elastic_rows *r, size_t i)
{
    const int32_t *row = r->node ? r->node + i * COLUMNS : NULL;
    const eex_choice *out, *kernel;
    if (!row)
        return EEX_OK;
    EEX_TRY(choice_at(&out, g, row[OUT_CHOICE]));
    EEX_TRY(choice_at(&kernel, g, row[KERNEL_CHOICE]));
    if (out) {
        const eex_choice copy = *out; /* a choice may move when one is added */
        EEX_TRY(eex_graph_choose_out(g, id, copy.gene, copy.values));
    }
    if (kernel) {
        const eex_choice copy = *eex_graph_choice(g, row[KERNEL_CHOICE]);
        EEX_TRY(eex_graph_choose_kernel(g, id, copy.gene, copy.values, row[TRANSFORMS] != 0));
    }
    return row[ZERO_START] ? eex_graph_zero_start(g, id) : EEX_OK;
}
