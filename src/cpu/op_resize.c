/* Images to another size: each row of the target is mixed from rows of the source, then its pixels
 * from those of that mixture. What is mixed: device/resize.h. */
#include "cpu/cpu.h"
#include "cpu/kernels/image.h"
#include "device/resize.h"

#include "base/status.h"

#include <stdlib.h>

/* One axis of the target: the pixel i has the `most` weights at weight + i * most, of which the
 * first taps[i].last - taps[i].first + 1 count. */
typedef struct axis {
    eex_taps *taps;
    float *weight;
    int most;
} axis;

/* One allocation: this, both axes' weights, a row of the source for each thread, both axes' taps.
 */
typedef struct resizing {
    axis rows, columns;
    float *mixed; /* (threads, row) */
    size_t row;   /* floats */
} resizing;

typedef struct resize_job {
    const eex_image_kernels *kernels;
    const eex_op_resize *op;
    const resizing *how;
    int batch;
} resize_job;

static void resize_row(const resize_job *job, int row, float *mixed)
{
    const eex_op_resize *op = job->op;
    const axis *rows = &job->how->rows, *columns = &job->how->columns;
    const size_t stride = (size_t)op->win * (size_t)op->c;
    const size_t sample = (size_t)(row / op->hout);
    const int i = row % op->hout;
    const eex_taps *from = &rows->taps[i];
    const float *x = op->x + (sample * (size_t)op->hin + (size_t)from->first) * stride;
    float *y = op->y + (size_t)row * (size_t)op->wout * (size_t)op->c;
    job->kernels->mix_rows(mixed, x, rows->weight + (size_t)i * (size_t)rows->most,
                           from->last - from->first + 1, (int)stride);
    job->kernels->mix_columns(y, mixed, columns->taps, columns->weight, columns->most, op->wout,
                              op->c);
}

static void resize_share(void *ctx, const eex_part *part)
{
    const resize_job *job = ctx;
    int begin, end;
    eex_pool_share(&begin, &end, job->batch * job->op->hout, 1, part->index, part->count);
    for (int row = begin; row < end; row++)
        resize_row(job, row, job->how->mixed + (size_t)part->thread * job->how->row);
}

/* ---- the op ---- */

static int most_taps(int from, int to)
{
    return 2 * (from > to ? from : to) / to + 1;
}

static void fill_axis(axis *a, int from, int to)
{
    for (int i = 0; i < to; i++) {
        const eex_taps taps = a->taps[i] = eex_resize_taps(i, from, to);
        float *weight = a->weight + (size_t)i * (size_t)a->most;
        double sum = 0;
        for (int j = taps.first; j <= taps.last; j++)
            sum += eex_resize_weight(i, j, from, to);
        for (int j = taps.first; j <= taps.last; j++)
            weight[j - taps.first] = (float)(eex_resize_weight(i, j, from, to) / sum);
    }
}

static int allocate(resizing **out, const eex_op_resize *r, int threads)
{
    resizing how = {.rows.most = most_taps(r->hin, r->hout),
                    .columns.most = most_taps(r->win, r->wout),
                    .row = ((size_t)r->win * (size_t)r->c + 15) / 16 * 16};
    const size_t rows = (size_t)r->hout * (size_t)how.rows.most;
    const size_t columns = (size_t)r->wout * (size_t)how.columns.most;
    const size_t mixed = (size_t)threads * how.row, head = (sizeof how + 63) / 64 * 64;
    const size_t taps = sizeof(eex_taps) * (size_t)(r->hout + r->wout);
    void *memory = NULL;
    EEX_TRY(eex__cpu_alloc(&memory, head + sizeof(float) * (mixed + rows + columns) + taps,
                           "resizing"));
    how.mixed = (float *)((char *)memory + head);
    how.rows.weight = how.mixed + mixed;
    how.columns.weight = how.rows.weight + rows;
    how.rows.taps = (eex_taps *)(how.columns.weight + columns);
    how.columns.taps = how.rows.taps + r->hout;
    *out = memory;
    **out = how;
    return EEX_OK;
}

static int resize_prepare(eex_cpu *cpu, void **state, const eex_op *op, int max_batch)
{
    const eex_op_resize *r = &op->u.resize;
    resizing *how;
    EEX_TRY(eex_resize_check(op));
    EEX_TRY(allocate(&how, r, cpu->base.threads));
    fill_axis(&how->rows, r->hin, r->hout);
    fill_axis(&how->columns, r->win, r->wout);
    *state = how;
    return EEX_OK;
}

static int resize_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    const eex_op_resize *r = &op->u.resize;
    const resizing *how = state;
    resize_job job = {cpu->kernels->image, r, how, step->batch};
    const double each = 0.1 * how->rows.most * (double)how->row +
                        how->columns.most * (double)r->wout * r->c; /* nanoseconds of a row */
    eex__cpu_parallel(cpu, each * step->batch * r->hout, resize_share, &job);
    return EEX_OK;
}

static void resize_finish(eex_cpu *cpu, const eex_op *op, void *state)
{
    free(state);
}

const eex_cpu_op_class eex__cpu_resize = {
    .prepare = resize_prepare, .run = resize_run, .finish = resize_finish};
