/* Elastic graphs: many networks in one (Cai et al. 2020, "Once-for-All"; EDANAS III-A).
 *
 * An elastic graph is an ordinary graph, the largest network, together with genes: decisions of a
 * few options each. What a gene decides is said at the nodes: how many channels a convolution has,
 * how large its kernel is, whether the node is there at all, and which size the images have. A
 * genome is an option for each gene, counted from 0; the last option of every gene is the largest
 * network. Whoever runs an elastic graph as it is runs that one.
 *
 * Deriving a genome gives an ordinary graph without genes. Nodes keep their names, so parameters
 * have the names of the largest's, of which they are slices: leading channels, the centres of
 * kernels. A node that is not there has the value of its first input.
 *
 * Genes that nothing which is there depends on distinguish no networks: canonical form sets every
 * gene to its first option that gives the same network. So canonical genomes are equal if and only
 * if the networks are. */
#ifndef EEX_CORE_GRAPH_ELASTIC_H
#define EEX_CORE_GRAPH_ELASTIC_H

#include "core/graph/graph.h"

enum { EEX_GENE_OPTIONS = 32, EEX_GENES = 256 };

/* What a gene is about: a word for reports, nothing depends on it. */
typedef enum eex_gene_kind {
    EEX_GENE_KERNEL,
    EEX_GENE_EXPANSION,
    EEX_GENE_DEPTH,
    EEX_GENE_WIDTH,
    EEX_GENE_RESOLUTION,
    EEX_GENE_KINDS
} eex_gene_kind;

const eex_names *eex_gene_kind_names(void); /* "kernel", "expansion", ... */
const char *eex_gene_kind_name(eex_gene_kind kind);

typedef struct eex_gene {
    char name[EEX_NAME_MAX]; /* unique in the graph: "unit1.layer1.kernel" */
    eex_gene_kind kind;
    int options;                     /* 1..EEX_GENE_OPTIONS */
    double values[EEX_GENE_OPTIONS]; /* (options) what people call them, ascending: 3, 5, 7 */
} eex_gene;

/* A number for each option of a gene. */
typedef struct eex_choice {
    int gene;
    int values[EEX_GENE_OPTIONS]; /* (options of the gene) */
} eex_choice;

/* ---- building: before eex_graph_finish; EEX_EINVAL says what does not fit ---- */

/* *out: its number, in the order of genomes. The gene is copied. */
int eex_graph_add_gene(eex_graph *g, int *out, const eex_gene *gene);

/* A dense convolution has values[o] channels with option o: ascending, the last what it has now.
 * Batch norms, depthwise convolutions and whatever else reads them follow. */
int eex_graph_choose_out(eex_graph *g, int node, int gene, const int *values);

/* A convolution that keeps the size at stride 1 has a kernel of values[o] with option o: odd,
 * ascending, the last what it has now. Smaller kernels are the centres of larger ones. With
 * `transforms` each, read as a vector of its pixels, is also multiplied by a learned matrix, the
 * same for all channels: the next smaller kernel is M times the centre of the one before. They are
 * parameters "<node>.7to5_matrix" (25, 25) of the elastic graph alone, at first the identity, which
 * weight decay leaves alone. The node must be the last that was added. */
int eex_graph_choose_kernel(eex_graph *g, int node, int gene, const int *values, bool transforms);

/* Images are squares of values[o] pixels, the gene's own values; the last is the graph's size. */
int eex_graph_choose_size(eex_graph *g, int gene);

/* Nodes added from now on are there from this option of the gene on; gene -1: always. */
int eex_graph_present(eex_graph *g, int gene, int from);

/* ---- looking ---- */

int eex_graph_genes(const eex_graph *g); /* 0: the graph is not elastic */
const eex_gene *eex_graph_gene(const eex_graph *g, int i);
const eex_choice *eex_graph_choice(const eex_graph *g, int i); /* of eex_node.*_choice; NULL */
int eex_graph_size_gene(const eex_graph *g);                   /* -1: images have one size */

/* ---- genomes: (genes) options; EEX_EINVAL names the gene that is out of range ---- */

int eex_genome_check(const eex_graph *g, const int *genome);

/* The options that have these values. EEX_EINVAL lists those of the gene that has no such. */
int eex_genome_of_values(int *genome, const eex_graph *g, const double *values, int count);

/* In place. */
int eex_genome_canonical(const eex_graph *g, int *genome);

void eex_genome_smallest(const eex_graph *g, int *genome); /* canonical */
void eex_genome_largest(const eex_graph *g, int *genome);

/* ---- deriving ---- */

/* A new finished graph: the genome's network, gates and all. value (nodes of `elastic`), which may
 * be NULL, gets the node of *out that has the value of each node. */
int eex_graph_derive(eex_graph **out, int *value, const eex_graph *elastic, const int *genome);

enum { EEX_SLICE_STEPS = 4 };

/* Which part of a parameter of the largest network a parameter of a derived one is: in each
 * dimension as much from the front as it has, but for kernels. */
typedef struct eex_slice {
    int param;                       /* of the elastic graph */
    int steps;                       /* from the largest kernel to this one; 0: it is the largest */
    int kernel[EEX_SLICE_STEPS + 1]; /* (steps + 1) sizes on the way, descending */
    int transform[EEX_SLICE_STEPS];  /* (steps) parameter of the elastic graph that the centre of
                                      * kernel[i], of kernel[i + 1] pixels a side, goes through; -1
                                      */
} eex_slice;

/* Of parameter i of a graph that was derived from `elastic`, whatever was cut from it since.
 * EEX_ENOTFOUND: the elastic graph has none of that name; EEX_EINVAL: but of other shape. */
int eex_graph_slice(eex_slice *out, const eex_graph *elastic, const eex_graph *derived, int i);

#endif
