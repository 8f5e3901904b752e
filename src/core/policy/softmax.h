/* Softmax in double precision on the host, for calibration. Decisions never come from here: they
 * are the device's EEX_OP_HEAD. */
#ifndef EEX_CORE_POLICY_SOFTMAX_H
#define EEX_CORE_POLICY_SOFTMAX_H

#include <math.h>

/* log sum_c exp(logits[c] / t), without overflow. */
static inline double eex__log_sum_exp(const float *logits, int classes, double t)
{
    float top = logits[0];
    for (int c = 1; c < classes; c++)
        top = logits[c] > top ? logits[c] : top;
    double sum = 0;
    for (int c = 0; c < classes; c++)
        sum += exp(((double)logits[c] - top) / t);
    return top / t + log(sum);
}

#endif
