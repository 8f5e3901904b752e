/* Which networks of an elastic one have between them every operation that any of them has.
 *
 * What an operation is, its shapes and what is fused into it, depends on few genes: those of its
 * own layer and of what it reads. Which these are is found by changing one gene at a time, in the
 * largest network, the smallest and some that are drawn, and looking at whose operations change.
 * Then networks are put together, each with as many combinations at once as go together, until
 * every node has been seen with all combinations of its genes. So what operations cost is a sum of
 * one number a node, which a genome looks up, and a space of 10^19 networks is covered by some
 * hundred.
 *
 * Operations are those of inference plans for one input; nothing is run. */
#ifndef EEX_CORE_RUN_ELASTIC_COVER_H
#define EEX_CORE_RUN_ELASTIC_COVER_H

#include "core/engine/latency_table.h"
#include "core/graph/elastic.h"

enum { EEX__LOCAL_GENES = 8 };

/* The genes of each node of an elastic network, and a cell for each combination of their options.
 */
typedef struct eex__cells {
    const eex_graph *elastic; /* borrowed */
    int nodes;
    struct eex__local {
        int genes, gene[EEX__LOCAL_GENES]; /* ascending */
        size_t first, count;               /* of its cells */
    } * node;                              /* (nodes) */
    size_t count;
} eex__cells;

/* Numbers the cells of nodes whose genes are there. EEX_EUNSUPPORTED: a node has too many. */
int eex__cells_number(eex__cells *cells);
size_t eex__cell_of(const eex__cells *cells, int node, const int *genome);
void eex__cells_free(eex__cells *cells); /* leaves {0} */

/* The network of a genome as a plan: its weights are zero. */
typedef struct eex__lowered {
    eex_graph *graph;
    eex_params *params;
    eex_plan *plan;
} eex__lowered;

int eex__lower(eex__lowered *out, const eex_graph *elastic, const int *genome, eex_device *device,
               const eex_inference *how);
void eex__lowered_free(eex__lowered *lowered);

/* The node of the elastic network that op i of the plan comes from; what comes from none prepares
 * the input, and is the input's. */
int eex__lowered_node(const eex__lowered *lowered, const eex_graph *elastic, int i);

typedef struct eex__cover {
    eex__cells cells;
    int genes, count;
    int *genome; /* (count, genes) */
    bool *fresh; /* (count) it has an operation that none before it has */
} eex__cover;

/* The same genomes whenever it is asked. */
int eex__cover_new(eex__cover **out, const eex_graph *elastic, eex_device *device,
                   const eex_inference *how);
void eex__cover_free(eex__cover *cover); /* accepts NULL */

#endif
