/* A pixel's channels to 2 x 2 pixels, or back. */
#include "cpu/cpu.h"
#include "cpu/range.h"

#include "base/status.h"

#include <string.h>

typedef struct blocks_job {
    const eex_op_depth_to_space *op;
    size_t rows; /* of the small images of all samples */
} blocks_job;

static void move(float *y, const float *x, size_t count, bool accumulate)
{
    if (!accumulate)
        memcpy(y, x, count * sizeof *y);
    for (size_t i = 0; accumulate && i < count; i++)
        y[i] += x[i];
}

/* A row of pixels is two rows of pairs; the two pixels of a pair lie behind each other in both. */
static void move_row(const eex_op_depth_to_space *op, size_t row)
{
    const size_t pair = 2 * (size_t)op->c, w = (size_t)op->w, begin = row * 2 * w * pair;
    for (size_t a = 0; a < 2; a++)
        for (size_t j = 0; j < w; j++) {
            const size_t small = begin + (2 * j + a) * pair, large = begin + (a * w + j) * pair;
            move(op->y + (op->back ? small : large), op->x + (op->back ? large : small), pair,
                 op->accumulate);
        }
}

static void blocks_share(void *ctx, const eex_part *part)
{
    const blocks_job *job = ctx;
    size_t i, end;
    eex__cpu_range(&i, &end, job->rows, 1, part->index, part->count);
    for (; i < end; i++)
        move_row(job->op, i);
}

static int blocks_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    const eex_op_depth_to_space *blocks = &op->u.depth_to_space;
    blocks_job job = {blocks, (size_t)step->batch * (size_t)blocks->h};
    eex__cpu_parallel(cpu, 1.2 * (double)job.rows * blocks->w * blocks->c, blocks_share, &job);
    return EEX_OK;
}

const eex_cpu_op_class eex__cpu_depth_to_space = {.run = blocks_run};
