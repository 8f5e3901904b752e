/* The part of a graph's group that only some graphs have: genes and what depends on them, scales
 * that start at 0. Files from before there was such a thing lack it. */
#ifndef EEX_CORE_GRAPH_GRAPH_STORE_IMPL_H
#define EEX_CORE_GRAPH_GRAPH_STORE_IMPL_H

#include "core/graph/graph_impl.h"
#include "core/store/store.h"

enum { EEX__GRAPH_PATH = 256, EEX__GRAPH_TEXT = 4 << 20 /* bytes of strings */ };

/* "<group>/<name>". */
int eex__graph_path(char out[EEX__GRAPH_PATH], const char *group, const char *name);

typedef struct eex__elastic_rows {
    int32_t *node; /* (nodes, columns), NULL: there is none */
    size_t genes, choices;
    eex_store_list name, kind; /* (genes) */
    double *value;             /* (genes, EEX_GENE_OPTIONS), NaN behind the last option */
    int32_t *choice;           /* (choices, 1 + EEX_GENE_OPTIONS) gene, then its values */
    int64_t size_gene;
} eex__elastic_rows;

int eex__elastic_save(const eex_graph *g, eex_store_file *file, const char *group);

int eex__elastic_read(eex__elastic_rows *out, eex_store_file *file, const char *group,
                      size_t nodes);
void eex__elastic_free(eex__elastic_rows *rows);

/* In this order: all genes, then before and after each node is added. */
int eex__elastic_genes(eex_graph *g, const eex__elastic_rows *rows);
int eex__elastic_before(eex_graph *g, const eex__elastic_rows *rows, size_t i);
int eex__elastic_after(eex_graph *g, int id, const eex__elastic_rows *rows, size_t i);

#endif
