/* What tensor cores do (kernel.cuh, emulate_matrix.cpp): which element is where, and what their
 * sums lose. */
#include "cuda/kernel.cuh"

#include "cuda/fake_cuda.h"

#include <criterion/criterion.h>
#include <signal.h>

enum { ROWS = 16, COLUMNS = 8, DEPTH = 16, PACK = 8, KINDS = 61 };

/* A sum of `times` products, with one a after the other; the accumulators go into sums whenever
 * `part` instructions are done. Factors lie with their depth downwards. */
struct product {
    uint16_t a[KINDS][DEPTH][ROWS], b[DEPTH][2 * COLUMNS];
    float c[ROWS][COLUMNS];
    int times, part, shift; /* shift: bytes by which an address is wrong */
};

static __device__ const eex_bits16 *row_of(const eex_bits16 (&slab)[DEPTH][2], int shift)
{
    const int lane = (int)threadIdx.x;
    const eex_bits16 *row = &slab[lane % 8 + lane / 16 * 8][lane / 8 % 2];
    return (const eex_bits16 *)((const char *)row + shift);
}

static __global__ void multiply(product *p)
{
    __shared__ eex_bits16 a[DEPTH][2], b[DEPTH][2];
    const int lane = (int)threadIdx.x;
    uint32_t left[4], right[4];
    float sums[4] = {}, part[4] = {};
    memcpy(&b[lane / 2][lane % 2], &p->b[lane / 2][lane % 2 * PACK], 16);
    __syncthreads();
    eex_load_transposed(right, row_of(b, p->shift));
    for (int i = 1; i <= p->times; i++) {
        memcpy(&a[lane / 2][lane % 2], &p->a[i % KINDS][lane / 2][lane % 2 * PACK], 16);
        __syncthreads();
        eex_load_transposed(left, row_of(a, p->shift));
        eex_multiply_add(part, left, right[0], right[2]);
        for (int k = 0; k < 4 && i % p->part == 0; k++) {
            sums[k] += part[k];
            part[k] = 0;
        }
    }
    for (int k = 0; k < 4; k++)
        p->c[lane / 4 + k / 2 * 8][lane % 4 * 2 + k % 2] = sums[k];
}

static uint16_t half(float value)
{
    return eex_to_bf16(value).bits;
}

static void run(product *p)
{
    cudaStream_t stream;
    product *device;
    cudaStreamCreate(&stream);
    cudaMalloc((void **)&device, sizeof *device);
    cudaMemcpyAsync(device, p, sizeof *p, cudaMemcpyHostToDevice, stream);
    EEX_LAUNCH(multiply, 1, 32, 0, stream, device);
    cudaMemcpyAsync(p, device, sizeof *p, cudaMemcpyDeviceToHost, stream);
    cr_assert_eq(cudaStreamSynchronize(stream), cudaSuccess);
    cudaFree(device);
    cudaStreamDestroy(stream);
}

/* Whole numbers up to 127, whose sums are exact. */
Test(matrix, every_element_is_in_its_place)
{
    product p = {};
    p.times = p.part = 1;
    for (int k = 0; k < DEPTH; k++) {
        for (int i = 0; i < ROWS; i++)
            p.a[1][k][i] = half((float)((17 * k + 31 * i) % 127 - 60));
        for (int j = 0; j < COLUMNS; j++)
            p.b[k][j] = half((float)((23 * k + 7 * j) % 113 - 50));
    }
    run(&p);
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLUMNS; j++) {
            int want = 0;
            for (int k = 0; k < DEPTH; k++)
                want += ((17 * k + 31 * i) % 127 - 60) * ((23 * k + 7 * j) % 113 - 50);
            cr_expect_eq(p.c[i][j], (float)want, "(%d, %d): %g, not %d", i, j, (double)p.c[i][j],
                         want);
        }
}

Test(matrix, a_row_that_does_not_lie_at_16_bytes_ends_the_program, .signal = SIGABRT)
{
    product p = {};
    p.times = p.part = 1;
    p.shift = 2;
    run(&p);
}

/* By how much a sum of 2^15 products of one sign is wrong, by accumulators of `part` instructions.
 */
static double loss_of(int part)
{
    product p = {};
    double want = 0;
    p.times = (1 << 15) / DEPTH;
    p.part = part;
    for (int i = 1; i <= p.times; i++)
        for (int k = 0; k < DEPTH; k++) {
            const float a = eex_float(eex_to_bf16(1.0f + (float)(i % KINDS * 37 % 61) / 61.0f));
            const float b = eex_float(eex_to_bf16(1.9f - 0.06f * (float)k));
            p.a[i % KINDS][k][3] = half(a);
            p.b[k][5] = half(b);
            want += (double)a * (double)b;
        }
    run(&p);
    return (want - (double)p.c[3][5]) / want;
}

/* Why conv_own_weights.cu takes them out after two. */
Test(matrix, long_sums_come_out_too_small)
{
    const double two = loss_of(2), all = loss_of((1 << 15) / DEPTH);
    cr_expect_lt(fabs(two), 1e-6, "%g", two);
    cr_expect_gt(all, 1e-4, "%g: what is cut off does not show", all);
}

/* NaN and infinity pass. */
Test(matrix, what_is_no_number_stays_none)
{
    product p = {};
    p.times = p.part = 1;
    p.a[1][2][1] = half(NAN);
    p.a[1][2][4] = half(INFINITY);
    p.b[2][0] = half(1.0f);
    run(&p);
    cr_expect(isnan(p.c[1][0]) && isnan(p.c[1][7]), "%g %g", (double)p.c[1][0], (double)p.c[1][7]);
    cr_expect(isinf(p.c[4][0]) && isnan(p.c[4][7]), "%g %g", (double)p.c[4][0], (double)p.c[4][7]);
    cr_expect_eq(p.c[0][0], 0);
}
