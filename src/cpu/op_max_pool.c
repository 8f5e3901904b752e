/* Maximum over windows; padding never wins. Divided by output rows of all samples. */
#include "cpu/cpu.h"
#include "cpu/kernels/window.h"

#include "base/status.h"

typedef struct max_pool_job {
    const eex_window_kernels *kernels;
    const eex_op_pool *op;
    int rows;
} max_pool_job;

static void max_pool_share(void *ctx, const eex_part *part)
{
    const max_pool_job *job = ctx;
    const eex_window *w = &job->op->window;
    size_t in = (size_t)w->hin * (size_t)w->win * (size_t)w->cin;
    size_t out = (size_t)w->hout * (size_t)w->wout * (size_t)w->cin;
    int begin, end;
    eex_pool_share(&begin, &end, job->rows, 1, part->index, part->count);
    while (begin < end) {
        int sample = begin / w->hout, row = begin % w->hout;
        int stop = end - begin < w->hout - row ? row + end - begin : w->hout;
        job->kernels->max(job->op->y + (size_t)sample * out, job->op->x + (size_t)sample * in, w,
                          row, stop);
        begin += stop - row;
    }
}

static int max_pool_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    const eex_window *w = &op->u.pool.window;
    max_pool_job job = {cpu->kernels->window, &op->u.pool, step->batch * w->hout};
    double work = 0.1 * job.rows * w->wout * w->cin * w->kernel * w->kernel;
    eex__cpu_parallel(cpu, work, max_pool_share, &job);
    return EEX_OK;
}

const eex_cpu_op_class eex__cpu_max_pool = {.run = max_pool_run};
