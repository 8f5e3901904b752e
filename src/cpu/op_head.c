/* What an exit says about each sample: class, top-1 probability, margin and entropy of the softmax
 * of logits / temperature, and with thresholds what is decided about it. With e_j = exp((z_j - max
 * z) / T) and S their sum, the probabilities are e_j / S and the entropy is log S - sum e_j (z_j -
 * max z) / (T S). Each row is computed alone and in the same way whatever the batch, so that a
 * decision never depends on its neighbours. */
#include "cpu/cpu.h"
#include "cpu/kernels/softmax.h"

#include "base/status.h"

#include <math.h>

typedef struct head_job {
    const eex_softmax_kernels *kernels;
    const eex_op_head *op;
    int batch;
    float *rows; /* (threads, stride) */
    size_t stride;
} head_job;

static size_t stride_of(int classes)
{
    return ((size_t)classes + 15) / 16 * 16;
}

static int index_of(float value, const float *z, int n)
{
    for (int j = 0; j < n; j++)
        if (z[j] == value)
            return j;
    return 0; /* there is a NaN */
}

static void row_decide(const eex_op_head *op, int row)
{
    int top = op->top[row];
    float score =
        eex_measure_of(op->measure, op->confidence[row], op->margin[row], op->entropy[row]);
    op->decision[row] = (uint8_t)eex_decide(score, op->high[top], op->low[top], op->last);
}

static void row_head(const head_job *job, int row, float *e)
{
    const eex_op_head *op = job->op;
    const eex_softmax_kernels *k = job->kernels;
    const float *z = op->logits + (size_t)row * (size_t)op->classes;
    float z_max = k->largest(z, op->classes), scale = 1.0f / op->temperature;
    int top = index_of(z_max, z, op->classes);
    double sum = k->exp_sum(e, z, op->classes, z_max, scale);
    double energy = k->spread(e, z, op->classes, z_max) * scale;
    float second = fmaxf(k->largest(e, top), k->largest(e + top + 1, op->classes - top - 1));
    op->top[row] = top;
    op->confidence[row] = (float)(e[top] / sum);
    op->margin[row] = (float)((e[top] - (op->classes > 1 ? (double)second : 0.0)) / sum);
    op->entropy[row] = (float)(log(sum) + energy / sum);
    if (op->high)
        row_decide(op, row);
}

static void head_share(void *ctx, const eex_part *part)
{
    const head_job *job = ctx;
    int begin, end;
    eex_pool_share(&begin, &end, job->batch, 1, part->index, part->count);
    for (int row = begin; row < end; row++)
        row_head(job, row, job->rows + (size_t)part->thread * job->stride);
}

static int head_prepare(eex_cpu *cpu, void **state, const eex_op *op, int max_batch)
{
    const eex_op_head *head = &op->u.head;
    if (!(head->temperature > 0))
        return eex_fail(EEX_EINVAL, "head \"%s\": temperature %g, expected more than 0",
                        op->name ? op->name : "?", (double)head->temperature);
    if (head->x)
        return eex_fail(EEX_EUNSUPPORTED, "head \"%s\": %s has no classifier in its heads",
                        op->name ? op->name : "?", cpu->base.name);
    if (head->high && (!head->low || !head->decision))
        return eex_fail(EEX_EINVAL,
                        "head \"%s\": thresholds without the lower ones or without "
                        "room for decisions",
                        op->name ? op->name : "?");
    size_t rows = (size_t)cpu->base.threads * stride_of(head->classes);
    return eex__cpu_reserve(cpu, rows * sizeof(float));
}

static int head_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    const eex_op_head *head = &op->u.head;
    head_job job = {cpu->kernels->softmax, head, step->batch, cpu->scratch,
                    stride_of(head->classes)};
    eex__cpu_parallel(cpu, step->batch * (50.0 + 3.0 * head->classes), head_share, &job);
    return EEX_OK;
}

const eex_cpu_op_class eex__cpu_head = {.prepare = head_prepare, .run = head_run};
