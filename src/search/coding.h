/* Genomes as rows of numbers, for models of them. */
#ifndef EEX_SEARCH_CODING_H
#define EEX_SEARCH_CODING_H

#include "search/space.h"

typedef enum eex_coding_kind {
    /* A column a gene: its option over the last, 0 to 1. */
    EEX_CODE_ORDERED,
    /* Options of a gene are the corners of a regular simplex with edges sqrt 2, in one dimension
     * less than there are: as far from one another as one-hot rows, without their one dependent
     * column. Genes of more than EEX_CODE_MOST options are ordered, sqrt 2 long. */
    EEX_CODE_SIMPLEX,
} eex_coding_kind;

enum { EEX_CODE_MOST = 8 };

/* A value; genes with a single option have no column. */
typedef struct eex_coding {
    eex_coding_kind kind;
    int genes, columns;
    int options[EEX_MAX_GENES];
} eex_coding;

void eex_coding_init(eex_coding *out, const eex_space *space, eex_coding_kind kind);

/* Writes (n, columns) for genomes (n, genes). */
void eex_code(double *rows, const eex_coding *coding, const int *genomes, size_t n);

#endif
