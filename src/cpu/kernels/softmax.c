#include "cpu/kernels/softmax.h"

#include "cpu/kernels/act.h"
#include "cpu/kernels/kernels.h"

#include <math.h>

static int lanes_at(int i, int n)
{
    return n - i < V_WIDTH ? n - i : V_WIDTH;
}

/* -1 in the first n lanes. */
V_INLINE vec_int first_lanes(int n)
{
    vec_int lane;
    for (int i = 0; i < V_WIDTH; i++)
        lane[i] = i;
    return lane < (vec_int){0} + n;
}

static double lanes_sum(const double *sum)
{
    double total = 0;
    for (int i = 0; i < V_WIDTH; i++)
        total += sum[i];
    return total;
}

/* One sum for each lane, in double. */
V_INLINE void lanes_add(double *sum, vec a)
{
    for (int i = 0; i < V_WIDTH; i++)
        sum[i] += (double)a[i];
}

static float largest(const float *z, int n)
{
    vec best = v_set(-INFINITY);
    for (int i = 0; i < n; i += V_WIDTH) {
        int lanes = lanes_at(i, n);
        vec value = v_pick(first_lanes(lanes), v_load_n(z + i, lanes), best);
        best = v_max(value, best);
    }
    float most = best[0];
    for (int i = 1; i < V_WIDTH; i++)
        most = best[i] > most ? best[i] : most;
    return most;
}

static double exp_sum(float *e, const float *z, int n, float shift, float scale)
{
    double sum[V_WIDTH] = {0};
    for (int i = 0; i < n; i += V_WIDTH) {
        int lanes = lanes_at(i, n);
        vec value = v_exp((v_load_n(z + i, lanes) - v_set(shift)) * v_set(scale));
        v_store_n(e + i, value, lanes);
        lanes_add(sum, v_and(value, first_lanes(lanes)));
    }
    return lanes_sum(sum);
}

static double spread(const float *e, const float *z, int n, float shift)
{
    double sum[V_WIDTH] = {0};
    for (int i = 0; i < n; i += V_WIDTH) {
        int lanes = lanes_at(i, n);
        vec value = v_load_n(e + i, lanes);
        vec term = value * (v_set(shift) - v_load_n(z + i, lanes));
        lanes_add(sum, v_pick(value == v_zero(), v_zero(), term));
    }
    return lanes_sum(sum);
}

static void combine(float *out, const float *e, int n, float a, float b, int accumulate)
{
    for (int i = 0; i < n; i += V_WIDTH) {
        int lanes = lanes_at(i, n);
        vec value = v_fma(v_set(a), v_load_n(e + i, lanes), v_set(b));
        v_store_n(out + i, accumulate ? v_load_n(out + i, lanes) + value : value, lanes);
    }
}

extern const eex_softmax_kernels EEX_KERNEL(eex__softmax_kernels);
const eex_softmax_kernels EEX_KERNEL(eex__softmax_kernels) = {
    .largest = largest,
    .exp_sum = exp_sum,
    .spread = spread,
    .combine = combine,
};
