#include "support/reference_ops.h"

#include <math.h>

static double clamped(double z, double high)
{
    return isnan(z) ? z : fmin(fmax(z, 0), high);
}

double ref_act(double z, eex_act act)
{
    switch (act) {
    case EEX_ACT_NONE:
        return z;
    case EEX_ACT_RELU:
        return clamped(z, INFINITY);
    case EEX_ACT_RELU6:
        return clamped(z, 6);
    case EEX_ACT_H_SWISH:
        return z * clamped(z + 3, 6) / 6;
    case EEX_ACT_H_SIGMOID:
        return clamped(z + 3, 6) / 6;
    case EEX_ACT_SIGMOID:
        return 1 / (1 + exp(-z));
    case EEX_ACT_SILU:
        return z / (1 + exp(-z));
    }
    return NAN;
}

void ref_scale(double *y, const double *x, const double *s, int batch, int hw, int c)
{
    for (int i = 0; i < batch * hw * c; i++)
        y[i] = x[i] * s[i / (hw * c) * c + i % c];
}

void ref_columns(double *y, const double *x, size_t rows, int y_c, int x_c, int count)
{
    for (size_t i = 0; i < rows; i++)
        for (int j = 0; j < count; j++)
            y[i * (size_t)y_c + (size_t)j] = x[i * (size_t)x_c + (size_t)j];
}

void ref_moments(double *mean, double *var, const double *x, size_t pixels, int c)
{
    for (int j = 0; j < c; j++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < pixels; i++)
            sum += x[i * (size_t)c + (size_t)j];
        mean[j] = sum / (double)pixels;
        for (size_t i = 0; i < pixels; i++) {
            double d = x[i * (size_t)c + (size_t)j] - mean[j];
            squares += d * d;
        }
        var[j] = squares / (double)pixels;
    }
}

void ref_bn(double *y, const double *x, const double *residual, const double *gamma,
            const double *beta, const double *mean, const double *var, size_t pixels, int c,
            double eps, eex_act act)
{
    for (size_t i = 0; i < pixels; i++)
        for (int j = 0; j < c; j++) {
            size_t k = i * (size_t)c + (size_t)j;
            double z = gamma[j] * (x[k] - mean[j]) / sqrt(var[j] + eps) + beta[j];
            y[k] = ref_act(residual ? z + residual[k] : z, act);
        }
}

static double max_at(const double *image, const eex_window *w, int oy, int ox, int j)
{
    double best = -INFINITY;
    for (int ky = 0; ky < w->kernel; ky++)
        for (int kx = 0; kx < w->kernel; kx++) {
            int y = oy * w->stride - w->pad + ky, x = ox * w->stride - w->pad + kx;
            if (y >= 0 && y < w->hin && x >= 0 && x < w->win)
                best = fmax(best, image[(y * w->win + x) * w->cin + j]);
        }
    return best;
}

/* How much the source pixel j counts for the target i. */
static double under_triangle(int i, int j, int from, int to)
{
    const double scale = (double)from / to, side = fmax(scale, 1);
    return fmax(0, 1 - fabs((i + 0.5) * scale - (j + 0.5)) / side);
}

static double resized(const double *x, const eex_op_resize *r, int row, int column, int channel)
{
    double sum = 0, weights = 0;
    for (int i = 0; i < r->hin; i++)
        for (int j = 0; j < r->win; j++) {
            const double weight = under_triangle(row, i, r->hin, r->hout) *
                                  under_triangle(column, j, r->win, r->wout);
            sum += weight * x[(i * r->win + j) * r->c + channel];
            weights += weight;
        }
    return sum / weights;
}

void ref_resize(double *y, const double *x, const eex_op_resize *r)
{
    for (int i = 0; i < r->hout * r->wout; i++)
        for (int c = 0; c < r->c; c++)
            y[i * r->c + c] = resized(x, r, i / r->wout, i % r->wout, c);
}

void ref_max_pool(double *y, const double *x, int batch, const eex_window *w)
{
    size_t in = (size_t)(w->hin * w->win * w->cin);
    for (int n = 0; n < batch; n++)
        for (int oy = 0; oy < w->hout; oy++)
            for (int ox = 0; ox < w->wout; ox++)
                for (int j = 0; j < w->cin; j++)
                    *y++ = max_at(x + (size_t)n * in, w, oy, ox, j);
}

void ref_global_pool(double *y, const double *x, int batch, int hw, int c)
{
    for (int n = 0; n < batch; n++)
        for (int j = 0; j < c; j++) {
            double sum = 0;
            for (int i = 0; i < hw; i++)
                sum += x[((size_t)n * (size_t)hw + (size_t)i) * (size_t)c + (size_t)j];
            y[n * c + j] = sum / hw;
        }
}

/* log sum exp(z / t): log softmax(z / t)[j] is z[j] / t less this. */
static double log_sum_exp(const double *z, int classes, double t)
{
    double largest = z[0], sum = 0;
    for (int i = 1; i < classes; i++)
        largest = fmax(largest, z[i]);
    for (int i = 0; i < classes; i++)
        sum += exp((z[i] - largest) / t);
    return largest / t + log(sum);
}

static double row_questions(const double *z, int32_t label, const eex_op_loss *op)
{
    double loss = 0;
    for (int j = 0; j < op->classes; j++) {
        const double s = 1 / (1 + exp(-z[j]));
        loss -= label >> j & 1 ? log(s) : log(1 - s);
        loss += op->l1 * fabs(z[j]) / op->classes;
    }
    return loss;
}

static double row_loss(const double *z, const double *teacher, int label, const eex_op_loss *op)
{
    if (op->binary)
        return row_questions(z, label, op);
    int classes = op->classes;
    double loss = 0, size = 0, divergence = 0, t = op->distill_t;
    double lse = log_sum_exp(z, classes, 1), lse_t = log_sum_exp(z, classes, t);
    double teacher_lse = teacher ? log_sum_exp(teacher, classes, t) : 0;
    for (int j = 0; j < classes; j++) {
        double target = (double)op->smoothing / classes;
        target += j == label ? 1 - (double)op->smoothing : 0;
        loss -= op->taught ? 0 : target * (z[j] - lse);
        size += fabs(z[j]) / classes;
        if (teacher) {
            double log_p = teacher[j] / t - teacher_lse;
            divergence += exp(log_p) * (log_p - (z[j] / t - lse_t));
        }
    }
    return loss + op->l1 * size + (teacher ? op->distill * t * t * divergence : 0);
}

double ref_loss(double *per_sample, const double *logits, const double *teacher,
                const int32_t *labels, int batch, const eex_op_loss *op)
{
    double sum = 0;
    for (int n = 0; n < batch; n++) {
        size_t at = (size_t)n * (size_t)op->classes;
        double loss = row_loss(logits + at, teacher ? teacher + at : NULL, labels[n], op);
        if (per_sample)
            per_sample[n] = loss;
        sum += loss;
    }
    return op->weight * sum / batch;
}

int ref_head(double out[3], const double *logits, int classes, double temperature)
{
    int top = 0;
    for (int j = 1; j < classes; j++)
        if (logits[j] > logits[top])
            top = j;
    double next = 0, entropy = 0, lse = log_sum_exp(logits, classes, temperature);
    for (int j = 0; j < classes; j++) {
        double log_p = logits[j] / temperature - lse;
        if (j != top)
            next = fmax(next, exp(log_p));
        entropy -= exp(log_p) * log_p;
    }
    out[0] = exp(logits[top] / temperature - lse);
    out[1] = out[0] - next;
    out[2] = entropy;
    return top;
}

double ref_slope(double (*f)(const double *x, void *ctx), void *ctx, double *x, size_t i)
{
    const double h = 1e-5, kept = x[i];
    x[i] = kept + h;
    double above = f(x, ctx);
    x[i] = kept - h;
    double below = f(x, ctx);
    x[i] = kept;
    return (above - below) / (2 * h);
}
