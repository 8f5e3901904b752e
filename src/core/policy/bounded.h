/* Statements about the mean of values in [0, 1] from their sum, whatever else their distribution
 * is: the counterpart of binomial.h for losses that are not only 0 and 1. */
#ifndef EEX_CORE_POLICY_BOUNDED_H
#define EEX_CORE_POLICY_BOUNDED_H

/* The p-value of "the mean is above `mean`", 0 < mean < 1, by Hoeffding and Bentkus (Bates,
 * Angelopoulos, Lei, Malik and Jordan 2021, "Distribution-free, risk-controlling prediction sets",
 * theorem 2): the smaller of exp(-n h(min(sum / n, mean), mean)), with h the Kullback-Leibler
 * divergence of two coins, and e P(Binomial(n, mean) <= ceil(sum)). Under that hypothesis a value
 * of at most d comes with probability at most d. n >= 0; 1 for n = 0. */
double eex_bounded_p(double sum, int n, double mean);

/* The largest mean whose p-value is above `delta`: it is below the true mean with probability at
 * most delta. */
double eex_bounded_upper(double sum, int n, double delta);

#endif
