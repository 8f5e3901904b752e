#include "core/policy/binomial.h"

#include <math.h>

enum { BETA_TERMS = 10000, BISECTIONS = 200 };

static double log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

/* The continued fraction of the incomplete beta function by Lentz's method; it converges fast for
 * x < (a + 1) / (a + b + 2). */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double f = d;
    for (int m = 1; m <= BETA_TERMS; m++) {
        double by = 1;
        for (int odd = 0; odd < 2; odd++) {
            double k = odd ? -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
                           : m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
            d = 1 + k * d;
            c = 1 + k / c;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = fabs(c) < tiny ? tiny : c;
            by = c * d;
            f *= by;
        }
        if (fabs(by - 1) < 1e-15)
            break;
    }
    return f;
}

/* The regularised incomplete beta function I_x(a, b). */
static double beta_share(double a, double b, double x)
{
    if (x <= 0 || x >= 1)
        return x >= 1;
    double front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double eex_binomial_cdf(int k, int n, double p)
{
    if (k < 0)
        return 0;
    return k >= n ? 1 : beta_share(n - k, k + 1.0, 1 - p);
}

double eex_binomial_upper(int k, int n, double delta)
{
    double lo = 0, hi = 1;
    if (k >= n)
        return 1;
    for (int i = 0; i < BISECTIONS && hi - lo > 1e-15; i++) {
        double middle = (lo + hi) / 2;
        if (eex_binomial_cdf(k, n, middle) > delta)
            lo = middle;
        else
            hi = middle;
    }
    return hi;
}

double eex_normal_cdf(double z)
{
    return erfc(-z / sqrt(2)) / 2;
}

double eex_normal_quantile(double p)
{
    double lo = -40, hi = 40;
    if (!(p > 0) || !(p < 1))
        return p > 0 ? INFINITY : -INFINITY;
    for (int i = 0; i < BISECTIONS && hi - lo > 1e-14; i++) {
        double middle = (lo + hi) / 2;
        if (eex_normal_cdf(middle) < p)
            lo = middle;
        else
            hi = middle;
    }
    return (lo + hi) / 2;
}
