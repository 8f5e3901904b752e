/* Expected calibration error: how far confidence is from accuracy (Guo et al. 2017, eq. 3). */
#include "core/policy/calibrate.h"
#include "core/policy/softmax.h"

#include <math.h>

enum { MAX_BINS = 1000 };

typedef struct bin {
    int count, right;
    double confidence; /* sum */
} bin;

static int top_class(const float *logits, int classes)
{
    int top = 0;
    for (int c = 1; c < classes; c++)
        if (logits[c] > logits[top])
            top = c;
    return top;
}

double eex_calibrate_ece(const eex_trace *trace, int exit, double t, int bins)
{
    bin table[MAX_BINS] = {{0}};
    int last = bins < 1 ? 0 : bins > MAX_BINS ? MAX_BINS - 1 : bins - 1;
    size_t n = (size_t)trace->samples, classes = (size_t)trace->classes;
    const float *logits = trace->logits + (size_t)exit * n * classes;
    for (size_t i = 0; i < n; i++, logits += classes) {
        int top = top_class(logits, trace->classes);
        double p = exp(logits[top] / t - eex__log_sum_exp(logits, trace->classes, t));
        int at = (int)ceil(p * (last + 1)) - 1; /* bin m is ((m - 1) / M, m / M] */
        bin *b = &table[at < 0 ? 0 : at > last ? last : at];
        b->count++;
        b->right += top == trace->labels[i];
        b->confidence += p;
    }
    double error = 0;
    for (int m = 0; m <= last; m++)
        error += fabs(table[m].right - table[m].confidence);
    return error / (double)n;
}
