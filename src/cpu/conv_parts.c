#include "cpu/conv_parts.h"

#include "cpu/kernels/gemm.h"

#include <math.h>

#define ABOUT_THE_SAME 1.02

enum {
    /* Most floats of all partial sums together, and the fewest pixels of one: adding them up costs
     * one or two hundredths of the products then. */
    PARTS_FLOATS = 256 * 1024,
    PART_PIXELS = 2048,
    CUTS_EACH = 4 /* most parts for a thread where there is one part of the pixels */
};

int eex__parts_most(int size)
{
    return eex__cpu_sums(PARTS_FLOATS, size);
}

size_t eex__parts_floats(int size, int most)
{
    return most > 1 ? (size_t)most * size : 0;
}

double eex__parts_add_cost(int size, eex_parts_split split)
{
    return split.pixels > 1 ? (double)size / 16 * 6 : 0;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* Of cuts that cost about the same the finest: other threads may take over more. */
eex_parts_split eex__parts_split(eex_parts_cost *cost, const void *ctx, double pixels, int ways,
                                 int most, int tiles, int threads)
{
    const int sums = smaller(smaller(eex__cpu_sums(pixels, PART_PIXELS), most), ways);
    const int cuts = threads == 1 ? 1 : smaller(threads * CUTS_EACH, tiles);
    eex_parts_split best = {sums, 1};
    double least = INFINITY;
    for (int t = 1; t <= cuts && sums * t <= EEX_POOL_PARTS; t++) {
        const int turns = (sums * t + threads - 1) / threads;
        const double c = turns * cost(ctx, pixels, (eex_parts_split){sums, t});
        if (c > ABOUT_THE_SAME * least)
            continue;
        best.tiles = t;
        least = c < least ? c : least;
    }
    return best;
}

typedef struct sum_job {
    const eex_gemm_kernels *kernels;
    float *dw;
    const float *parts;
    int size, count;
    bool accumulate;
} sum_job;

static void sum_part(void *ctx, const eex_part *part)
{
    const sum_job *job = ctx;
    int begin, end;
    eex_pool_share(&begin, &end, job->size, 16, part->index, part->count);
    job->kernels->add_parts(job->dw + begin, job->parts + begin, job->size, job->count, end - begin,
                            job->accumulate);
}

void eex__parts_add(eex_cpu *cpu, float *dw, const float *parts, int size, int count,
                    bool accumulate)
{
    sum_job job = {cpu->kernels->gemm, dw, parts, size, count, accumulate};
    eex__cpu_parallel(cpu, (double)size * count / 4, sum_part, &job);
}
