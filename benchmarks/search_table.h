/* Spaces whose networks are all known, so that searches can be tried on them any number of times.
 */
#ifndef EEX_BENCHMARKS_SEARCH_TABLE_H
#define EEX_BENCHMARKS_SEARCH_TABLE_H

#include "search/space.h"

#include <stddef.h>

typedef struct search_table {
    eex_space space;
    size_t count;
    double *seen;        /* (count) errors in percent that a search is told, by eex_space_index */
    double *truth;       /* (count) and what is true */
    double *macs;        /* (count) */
    double reference[2]; /* of hypervolumes: the worst of each, unless set otherwise */
} search_table;

/* NAS-Bench-Macro (Su et al. 2021): 6,561 networks of 8 layers with 3 choices each, trained three
 * times: nas-bench-macro_cifar10.json, unpacked. The first training is seen, the mean of the other
 * two is true. Or the search.h5 of a run that has judged all of its space: what its judge said on
 * the validation images is both. EEX_EFORMAT: not all are there. */
int search_table_read(search_table *out, const char *path);
void search_table_free(search_table *table);

/* The hypervolume of the true values of what is a front by `by`, of n of the networks; NaN: out of
 * memory. */
double search_table_volume(const search_table *table, const size_t *members, size_t n,
                           const double *by);
/* The same of all. */
double search_table_best(const search_table *table, const double *by);

#endif
