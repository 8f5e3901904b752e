/* Whether two rows of counts come from the same distribution. */
#ifndef EEX_CORE_USE_CHI_SQUARE_H
#define EEX_CORE_USE_CHI_SQUARE_H

/* The regularised upper incomplete gamma function Q(a, x), for a > 0 and x >= 0; NaN otherwise.
 * Relative error below 1e-12 down to 1e-300. */
double eex_gamma_upper(double a, double x);

/* The chance of at least x by a chi-square distribution of df degrees of freedom. */
double eex_chi_square_tail(double x, int df);

typedef struct eex_g_test {
    double g; /* the statistic */
    int df;   /* columns in which there is anything, less one */
    double p; /* the chance of a statistic at least as large when nothing differs; 1 with df = 0 */
} eex_g_test;

/* The likelihood-ratio test of homogeneity of a 2 x n table, G = 2 sum O ln(O / E), divided by
 * Williams' correction (1976) for finite counts. Far out in the tail it keeps closer to the truth
 * than Pearson's statistic, whose chance of a surplus in a rare column is much too small. */
eex_g_test eex_g_test_rows(const double *a, const double *b, int n);

#endif
