/* The gradient goes to the first maximum of each window. Windows overlap, so a sample is the
 * smallest unit of work. */
#include "cpu/cpu.h"
#include "cpu/kernels/window.h"

#include "base/status.h"

#include <string.h>

typedef struct max_pool_bwd_job {
    const eex_window_kernels *kernels;
    const eex_op_pool *op;
    int batch;
} max_pool_bwd_job;

static void max_pool_bwd_share(void *ctx, const eex_part *part)
{
    const max_pool_bwd_job *job = ctx;
    const eex_op_pool *op = job->op;
    const eex_window *w = &op->window;
    size_t in = (size_t)w->hin * (size_t)w->win * (size_t)w->cin;
    size_t out = (size_t)w->hout * (size_t)w->wout * (size_t)w->cin;
    int begin, end;
    eex_pool_share(&begin, &end, job->batch, 1, part->index, part->count);
    for (int i = begin; i < end; i++) {
        float *dx = op->dx + (size_t)i * in;
        if (!op->accumulate)
            memset(dx, 0, in * sizeof *dx);
        job->kernels->max_bwd(dx, op->dy + (size_t)i * out, op->x + (size_t)i * in, w);
    }
}

static int max_pool_bwd_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    const eex_window *w = &op->u.pool.window;
    max_pool_bwd_job job = {cpu->kernels->window, &op->u.pool, step->batch};
    double work = 0.3 * step->batch * w->hout * w->wout * w->cin * w->kernel * w->kernel;
    eex__cpu_parallel(cpu, work, max_pool_bwd_share, &job);
    return EEX_OK;
}

const eex_cpu_op_class eex__cpu_max_pool_bwd = {.run = max_pool_bwd_run};
