/* What losses and scores do with one row of logits. A row's result depends on nothing else. */
#ifndef EEX_CPU_KERNELS_SOFTMAX_H
#define EEX_CPU_KERNELS_SOFTMAX_H

struct eex_softmax_kernels {
    /* The largest of n values; -INFINITY when n is 0, and any of them when one is NaN. */
    float (*largest)(const float *z, int n);

    /* e[i] = exp((z[i] - shift) * scale); returns the sum. shift is the largest logit. */
    double (*exp_sum)(float *e, const float *z, int n, float shift, float scale);

    /* The sum of e[i] * (shift - z[i]); terms with e[i] = 0 count 0 whatever z[i] is. */
    double (*spread)(const float *e, const float *z, int n, float shift);

    /* out[i] (= or +=) a * e[i] + b. */
    void (*combine)(float *out, const float *e, int n, float a, float b, int accumulate);
};

#endif
