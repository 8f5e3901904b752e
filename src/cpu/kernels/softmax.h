/* What losses and scores do with one row of logits. A row's result depends on nothing else. */
#ifndef EEX_CPU_KERNELS_SOFTMAX_H
#define EEX_CPU_KERNELS_SOFTMAX_H

struct eex_softmax_kernels {
    /* e[i] = exp((z[i] - shift) * scale); returns the sum. shift is the largest logit. */
    double (*exp_sum)(float *e, const float *z, int n, float shift, float scale);

    /* out[i] (= or +=) a * e[i] + b. */
    void (*combine)(float *out, const float *e, int n, float a, float b, int accumulate);
};

#endif
