/* Exact statements about a probability from counts: k of n inputs had a property. */
#ifndef EEX_CORE_POLICY_BINOMIAL_H
#define EEX_CORE_POLICY_BINOMIAL_H

/* P(X <= k) for X ~ Binomial(n, p); 0 <= p <= 1, n >= 0. 0 for k < 0, 1 for k >= n. As the p-value
 * of "the probability is above p" it is exact: under that hypothesis a value of at most d comes
 * with probability at most d. */
double eex_binomial_cdf(int k, int n, double p);

/* Clopper and Pearson's upper bound: the largest probability under which k or fewer of n are seen
 * with probability `delta`. It is below the true one with probability at most delta. 1 for k = n.
 */
double eex_binomial_upper(int k, int n, double delta);

/* The normal distribution: P(Z <= z), and the z for a probability in (0, 1) (infinite at its ends).
 */
double eex_normal_cdf(double z);
double eex_normal_quantile(double p);

#endif
