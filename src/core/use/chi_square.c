#include "core/use/chi_square.h"

#include <math.h>

enum { MOST_TERMS = 100000 };

/* x^a e^-x / Gamma(a) */
static double leading(double a, double x)
{
    int sign; /* lgamma would write it to a variable of the whole program */
    return exp(a * log(x) - x - lgamma_r(a, &sign));
}

/* The lower function by its series: all terms are positive, few are needed below a + 1. */
static double lower_series(double a, double x)
{
    double term = 1 / a, sum = term;
    for (int n = 1; n < MOST_TERMS && term > sum * 1e-17; n++) {
        term *= x / (a + n);
        sum += term;
    }
    return sum * leading(a, x);
}

/* The upper one by its continued fraction, evaluated forwards (Lentz's method). */
static double upper_fraction(double a, double x)
{
    const double tiny = 1e-300;
    double b = x + 1 - a, c = 1 / tiny, d = 1 / b, h = d;
    for (int i = 1; i < MOST_TERMS; i++) {
        const double an = -i * (i - a);
        b += 2;
        d = an * d + b;
        c = b + an / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = fabs(c) < tiny ? tiny : c;
        h *= d * c;
        if (fabs(d * c - 1) < 1e-16)
            break;
    }
    return h * leading(a, x);
}

double eex_gamma_upper(double a, double x)
{
    if (!(a > 0) || !(x >= 0))
        return NAN;
    if (x == 0)
        return 1;
    if (isinf(x))
        return 0;
    return x < a + 1 ? 1 - lower_series(a, x) : upper_fraction(a, x);
}

double eex_chi_square_tail(double x, int df)
{
    return eex_gamma_upper(df / 2.0, x / 2);
}

static double term(double observed, double expected)
{
    return observed > 0 ? observed * log(observed / expected) : 0;
}

eex_g_test eex_g_test_rows(const double *a, const double *b, int n)
{
    eex_g_test t = {.df = -1, .p = 1};
    double rows[2] = {0, 0}, inverse = 0;
    for (int i = 0; i < n; i++) {
        rows[0] += a[i];
        rows[1] += b[i];
    }
    const double all = rows[0] + rows[1];
    for (int i = 0; i < n; i++) {
        const double column = a[i] + b[i];
        if (!(column > 0))
            continue;
        t.g += 2 * (term(a[i], column * rows[0] / all) + term(b[i], column * rows[1] / all));
        inverse += all / column;
        t.df++;
    }
    if (t.df < 1 || rows[0] == 0 || rows[1] == 0)
        return (eex_g_test){.p = 1};
    t.g /= 1 + (all / rows[0] + all / rows[1] - 1) * (inverse - 1) / (6 * all * t.df);
    t.g = t.g < 0 ? 0 : t.g; /* rounding */
    t.p = eex_chi_square_tail(t.g, t.df);
    return t;
}
