#include "cpu/conv_parts.h"

#include "cpu/kernels/gemm.h"

/* Most floats of all threads' partial sums together. */
enum { PARTS_FLOATS = 32 * 1024 * 1024 };

int eex__parts_most(int size, int threads)
{
    return PARTS_FLOATS / size < threads ? PARTS_FLOATS / size : threads;
}

size_t eex__parts_floats(int size, int most)
{
    return most > 1 ? (size_t)most * size : 0;
}

double eex__parts_add_cost(int size, eex_parts_split split)
{
    return split.pixels > 1 ? (double)size / 16 * 6 : 0;
}

eex_parts_split eex__parts_split(eex_parts_cost *cost, const void *ctx, double pixels, int ways,
                                 int most, int threads)
{
    eex_parts_split best = {1, threads};
    double least = cost(ctx, pixels, best);
    for (int tiles = 1; tiles < threads; tiles++) {
        eex_parts_split s = {threads / tiles < ways ? threads / tiles : ways, tiles};
        if (s.pixels > most)
            continue;
        double c = cost(ctx, pixels, s);
        if (c < least) {
            best = s;
            least = c;
        }
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

static void sum_thread(void *ctx, int thread, int threads)
{
    const sum_job *job = ctx;
    int begin, end;
    eex_pool_share(&begin, &end, job->size, 16, thread, threads);
    job->kernels->add_parts(job->dw + begin, job->parts + begin, job->size, job->count, end - begin,
                            job->accumulate);
}

void eex__parts_add(eex_cpu *cpu, float *dw, const float *parts, int size, int count,
                    bool accumulate)
{
    sum_job job = {cpu->kernels->gemm, dw, parts, size, count, accumulate};
    eex__cpu_parallel(cpu, (double)size * count / 4, sum_thread, &job);
}
