#include "core/policy/bounded.h"

#include "core/policy/binomial.h"

#include <math.h>

enum { BISECTIONS = 100 };

/* x log(x / y), 0 at x = 0. */
static double weighted_log(double x, double y)
{
    return x > 0 ? x * log(x / y) : 0;
}

static double hoeffding(double share, int n, double mean)
{
    if (share >= mean)
        return 1;
    /* log1p: means that are small against 1 are what guarantees are about */
    const double other = share < 1 ? (1 - share) * (log1p(-share) - log1p(-mean)) : 0;
    return exp(-n * (weighted_log(share, mean) + other));
}

double eex_bounded_p(double sum, int n, double mean)
{
    if (n <= 0)
        return 1;
    const double bentkus = exp(1) * eex_binomial_cdf((int)ceil(fmin(sum, n)), n, mean);
    return fmin(1, fmin(hoeffding(sum / n, n, mean), bentkus));
}

double eex_bounded_upper(double sum, int n, double delta)
{
    double lo = 0, hi = 1;
    for (int i = 0; i < BISECTIONS && n > 0 && hi - lo > 1e-15; i++) {
        double middle = (lo + hi) / 2;
        if (eex_bounded_p(sum, n, middle) > delta)
            lo = middle;
        else
            hi = middle;
    }
    return hi;
}
