/* Temperature scaling: the one number an exit's logits are divided by (Guo et al. 2017). */
#include "core/policy/calibrate.h"
#include "core/policy/softmax.h"

#include <math.h>

/* The bounds of the search and when it ends: a factor of 1 + 1e-7 between the last brackets. */
static const double coldest = 0.05, hottest = 20, close_enough = 1e-7;

/* Mean negative log likelihood of the labels at temperature t. */
static double nll(const eex_trace *trace, int exit, double t)
{
    size_t n = (size_t)trace->samples, classes = (size_t)trace->classes;
    const float *logits = trace->logits + (size_t)exit * n * classes;
    double sum = 0;
    for (size_t i = 0; i < n; i++, logits += classes)
        sum += eex__log_sum_exp(logits, trace->classes, t) - logits[trace->labels[i]] / t;
    return sum / (double)n;
}

/* The likelihood is convex in 1/t, so it has one minimum over log t too. */
double eex_calibrate_temperature(const eex_trace *trace, int exit)
{
    const double golden = 0.6180339887498949;
    double lo = log(coldest), hi = log(hottest);
    double x1 = hi - golden * (hi - lo), x2 = lo + golden * (hi - lo);
    double f1 = nll(trace, exit, exp(x1)), f2 = nll(trace, exit, exp(x2));
    while (hi - lo > close_enough) {
        if (f1 <= f2) {
            hi = x2;
            x2 = x1;
            f2 = f1;
            x1 = hi - golden * (hi - lo);
            f1 = nll(trace, exit, exp(x1));
        } else {
            lo = x1;
            x1 = x2;
            f1 = f2;
            x2 = lo + golden * (hi - lo);
            f2 = nll(trace, exit, exp(x2));
        }
    }
    return exp((lo + hi) / 2);
}
