/* Rank correlation of two rows of n numbers: 1 when they put the items in the same order, -1 when
 * in opposite orders.
 *
 * Both are NaN when n < 2 or all values of a row are equal. EEX_EINVAL when there is a NaN in a
 * row, EEX_ENOMEM. */
#ifndef EEX_SEARCH_RANK_H
#define EEX_SEARCH_RANK_H

#include <stddef.h>

/* Kendall's tau-b = (C - D) / sqrt((P - Tx)(P - Ty)): C and D concordant and discordant pairs of
 * all P = n(n-1)/2, Tx and Ty those tied in a row. O(n log n) (Knight 1966). */
int eex_rank_kendall(double *tau, const double *x, const double *y, size_t n);

/* Spearman's rho: Pearson's correlation of the ranks, equal values sharing their mean rank. */
int eex_rank_spearman(double *rho, const double *x, const double *y, size_t n);

#endif
