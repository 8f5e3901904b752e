/* Spaces of structures as files tell of them: for reports, which know no network. */
#ifndef EEX_CORE_RUN_STRUCTURE_DESCRIBED_H
#define EEX_CORE_RUN_STRUCTURE_DESCRIBED_H

#include "core/store/store.h"

/* One thing that a structure has. */
typedef struct eex_structure_part {
    int position;     /* in the order of all that the space has, from 1 */
    const char *name; /* of where it is; borrowed from the description */
    int size;         /* how much of it: for a gate its blocks */
    double threshold; /* at which samples leave, as policy.a; NaN: the genome does not say */
} eex_structure_part;

/* What a gene of the network says. */
typedef struct eex_structure_gene {
    const char *name; /* borrowed from the description */
    double value;
} eex_structure_gene;

typedef struct eex_described eex_described;

/* Reads /space of a file. */
int eex_described_load(eex_described **out, eex_store_file *file);
void eex_described_free(eex_described *d); /* accepts NULL */

/* The parts of a genome of `genes` genes, in their order, at most `capacity`: returns how many.
 * Genes that the description does not know are left out. */
int eex_described_parts(eex_structure_part *parts, int capacity, const eex_described *d,
                        const int *genome, int genes);

/* How many genes the network has: 0 where its backbone is not elastic. */
int eex_described_genes(const eex_described *d);

/* What gene i of them says in a genome; NaN where it has no such option. */
eex_structure_gene eex_described_gene(const eex_described *d, const int *genome, int i);

#endif
