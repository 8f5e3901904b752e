/* Cross entropy with label smoothing, L1 on the logits and distillation, and their gradient.
 *
 * With K classes, smoothing s and z the logits, lse = log sum exp z:
 *   cross entropy  (1 - s) (lse - z_label) + s (lse - mean z)
 *   L1             l1 * mean |z|
 *   distillation   d T^2 sum_j p_j (log p_j - log q_j), p the teacher's and q our softmax of z / T
 * and without the first where only a teacher is listened to. Where each logit is a question of its
 * own (binary), with y its bit of the label, the first is instead
 *   sum_j max(z_j, 0) - y_j z_j + log(1 + exp -|z_j|).
 * Rows are independent; their losses are added up in order afterwards. */
#include "cpu/cpu.h"
#include "cpu/kernels/softmax.h"

#include "base/status.h"

#include <math.h>
#include <string.h>

typedef struct loss_job {
    const eex_softmax_kernels *kernels;
    const eex_op_loss *op;
    int batch;
    double *losses;  /* (batch) */
    double *correct; /* (batch), 0 or 1 */
    float *rows;     /* (threads, 2, stride): exponentials of ours and of the teacher's */
    size_t stride;
} loss_job;

static size_t stride_of(int classes)
{
    return ((size_t)classes + 15) / 16 * 16;
}

static int largest(const float *z, int n)
{
    int best = 0;
    for (int j = 1; j < n; j++)
        if (z[j] > z[best])
            best = j;
    return best;
}

static float sign(float value)
{
    return (float)(value > 0) - (float)(value < 0);
}

/* Returns the loss; with d (the row of dlogits), adds `unit` times its gradient there. */
static double row_l1(const eex_op_loss *op, const float *z, float *d, double unit)
{
    double sum = 0, each = (double)op->l1 / op->classes;
    for (int j = 0; j < op->classes; j++)
        sum += fabs((double)z[j]);
    for (int j = 0; d && j < op->classes; j++)
        d[j] += (float)(unit * each) * sign(z[j]);
    return each * sum;
}

/* e, f: room for one row each. */
static double row_distillation(const loss_job *job, const float *z, const float *teacher, float *d,
                               double unit, float *e, float *f)
{
    const eex_op_loss *op = job->op;
    int classes = op->classes;
    double t = op->distill_t, sum = 0;
    double z_max = z[largest(z, classes)], teacher_max = teacher[largest(teacher, classes)];
    double ours = job->kernels->exp_sum(e, z, classes, (float)z_max, (float)(1 / t));
    double theirs = job->kernels->exp_sum(f, teacher, classes, (float)teacher_max, (float)(1 / t));
    double log_ratio = log(ours) - log(theirs);
    for (int j = 0; j < classes; j++)
        sum += f[j] * ((teacher[j] - teacher_max - z[j] + z_max) / t + log_ratio);
    double weight = unit * op->distill * t;
    if (d) {
        job->kernels->combine(d, e, classes, (float)(weight / ours), 0, 1);
        job->kernels->combine(d, f, classes, (float)(-weight / theirs), 0, 1);
    }
    return op->distill * t * t * sum / theirs;
}

static double row_cross_entropy(const loss_job *job, const float *z, int label, int top, float *d,
                                double unit, float *e)
{
    const eex_op_loss *op = job->op;
    int classes = op->classes;
    double s = op->smoothing, z_max = z[top], below = 0;
    double sum = job->kernels->exp_sum(e, z, classes, z[top], 1.0f);
    if (s > 0)
        for (int j = 0; j < classes; j++)
            below += z_max - z[j];
    if (d) {
        job->kernels->combine(d, e, classes, (float)(unit / sum), (float)(-unit * s / classes), 0);
        d[label] -= (float)(unit * (1 - s));
    }
    return log(sum) + (1 - s) * (z_max - z[label]) + (s > 0 ? s * below / classes : 0);
}

/* The loss of one row of questions; writes unit times its gradient to d, unless NULL. */
static double row_binary(const eex_op_loss *op, const float *z, int32_t label, float *d,
                         double unit)
{
    double sum = 0;
    for (int j = 0; j < op->classes; j++) {
        const double v = z[j], y = label >> j & 1, away = exp(-fabs(v));
        const double probability = v >= 0 ? 1 / (1 + away) : away / (1 + away);
        sum += (v > 0 ? v : 0) - y * v + log1p(away);
        if (d)
            d[j] = (float)(unit * (probability - y));
    }
    return sum;
}

static bool answers(const eex_op_loss *op, const float *z, int32_t label)
{
    bool all = true;
    for (int j = 0; j < op->classes; j++)
        all = all && (z[j] >= 0) == (label >> j & 1);
    return all;
}

static void row_loss(const loss_job *job, int row, float *e, float *f)
{
    const eex_op_loss *op = job->op;
    size_t at = (size_t)row * (size_t)op->classes;
    const float *z = op->logits + at;
    float *d = op->dlogits ? op->dlogits + at : NULL;
    double unit = (double)op->weight / job->batch;
    int top = largest(z, op->classes), label = op->labels[row];
    double loss = 0;
    if (op->binary)
        loss = row_binary(op, z, label, d, unit);
    else if (!op->taught)
        loss = row_cross_entropy(job, z, label, top, d, unit, e);
    else if (d)
        memset(d, 0, (size_t)op->classes * sizeof *d);
    if (op->l1 != 0)
        loss += row_l1(op, z, d, unit);
    if (op->teacher && op->distill != 0)
        loss += row_distillation(job, z, op->teacher + at, d, unit, e, f);
    job->losses[row] = loss;
    job->correct[row] = op->binary ? answers(op, z, label) : top == label;
}

static void loss_share(void *ctx, const eex_part *part)
{
    const loss_job *job = ctx;
    float *e = job->rows + 2 * (size_t)part->thread * job->stride;
    int begin, end;
    eex_pool_share(&begin, &end, job->batch, 1, part->index, part->count);
    for (int row = begin; row < end; row++)
        row_loss(job, row, e, e + job->stride);
}

static int check_labels(const eex_op *op, int batch)
{
    const eex_op_loss *loss = &op->u.loss;
    const int64_t end = loss->binary ? (int64_t)1 << loss->classes : loss->classes;
    for (int i = 0; i < batch; i++)
        if (loss->labels[i] < 0 || loss->labels[i] >= end)
            return eex_fail(EEX_EINVAL,
                            "loss \"%s\": sample %d of the batch has label %d, "
                            "expected 0 to %lld",
                            op->name ? op->name : "?", i, (int)loss->labels[i],
                            (long long)(end - 1));
    return EEX_OK;
}

static int loss_prepare(eex_cpu *cpu, void **state, const eex_op *op, int max_batch)
{
    size_t rows = 2 * (size_t)cpu->base.threads * stride_of(op->u.loss.classes);
    return eex__cpu_reserve(cpu, (size_t)max_batch * 2 * sizeof(double) + rows * sizeof(float));
}

static int loss_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    const eex_op_loss *loss = &op->u.loss;
    int batch = step->batch;
    EEX_TRY(check_labels(op, batch));
    loss_job job = {.kernels = cpu->kernels->softmax, .op = loss, .batch = batch};
    job.losses = cpu->scratch;
    job.correct = job.losses + batch;
    job.rows = (float *)(job.correct + batch);
    job.stride = stride_of(loss->classes);
    eex__cpu_parallel(cpu, batch * (50.0 + 4.0 * loss->classes), loss_share, &job);
    double total = 0, correct = 0;
    for (int i = 0; i < batch; i++) {
        total += job.losses[i];
        correct += job.correct[i];
    }
    loss->totals[0] += total;
    loss->totals[1] += correct;
    return EEX_OK;
}

const eex_cpu_op_class eex__cpu_loss = {.prepare = loss_prepare, .run = loss_run};
