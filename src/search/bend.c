#include "search/bend.h"

#include <math.h>
#include <stdlib.h>

/* Shares of (median - least): from nearly a logarithm to nearly a straight line. */
static const double shares[] = {0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 20, 100};

static int compare_doubles(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The third standardised moment; 0 where all values are alike. */
static double skewness(const eex_bend *b, const double *values, size_t n)
{
    double mean = 0.0, second = 0.0, third = 0.0;
    for (size_t i = 0; i < n; i++)
        mean += eex_bend_there(b, values[i]) / (double)n;
    for (size_t i = 0; i < n; i++) {
        const double away = eex_bend_there(b, values[i]) - mean;
        second += away * away / (double)n;
        third += away * away * away / (double)n;
    }
    return second > 0.0 ? third / pow(second, 1.5) : 0.0;
}

void eex_bend_find(eex_bend *out, double *values, size_t n)
{
    double least = INFINITY;
    qsort(values, n, sizeof *values, compare_doubles);
    const double spread = values[n / 2] - values[0];
    out->shift = 1.0 - values[0];
    for (size_t i = 0; i < sizeof shares / sizeof *shares && spread > 0.0; i++) {
        const eex_bend b = {shares[i] * spread - values[0]};
        const double skewed = fabs(skewness(&b, values, n));
        if (skewed < least) {
            least = skewed;
            *out = b;
        }
    }
}

double eex_bend_there(const eex_bend *b, double value)
{
    return log(value + b->shift);
}

double eex_bend_back(const eex_bend *b, double bent)
{
    return exp(bent) - b->shift;
}
