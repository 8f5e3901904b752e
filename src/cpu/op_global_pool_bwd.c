/* Every pixel of an image gets an equal part of the mean's gradient. */
#include "cpu/cpu.h"
#include "cpu/kernels/window.h"

#include "base/status.h"

typedef struct global_pool_bwd_job {
    const eex_window_kernels *kernels;
    const eex_op_pool *op;
    int batch;
} global_pool_bwd_job;

static void global_pool_bwd_share(void *ctx, const eex_part *part)
{
    const global_pool_bwd_job *job = ctx;
    const eex_op_pool *op = job->op;
    const eex_window *w = &op->window;
    int hw = w->hin * w->win, begin, end;
    size_t c = (size_t)w->cin;
    eex_pool_share(&begin, &end, job->batch, 1, part->index, part->count);
    for (int i = begin; i < end; i++)
        job->kernels->mean_bwd(op->dx + (size_t)i * (size_t)hw * c, op->dy + (size_t)i * c, hw,
                               w->cin, op->accumulate);
}

static int global_pool_bwd_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    const eex_window *w = &op->u.pool.window;
    global_pool_bwd_job job = {cpu->kernels->window, &op->u.pool, step->batch};
    double work = 0.2 * step->batch * w->hin * w->win * w->cin;
    eex__cpu_parallel(cpu, work, global_pool_bwd_share, &job);
    return EEX_OK;
}

const eex_cpu_op_class eex__cpu_global_pool_bwd = {.run = global_pool_bwd_run};
