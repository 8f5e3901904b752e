/* A perceptron. All samples are one batch, so a layer is one product of matrices a step. */
#include "search/matrix.h"
#include "search/surrogate_impl.h"

#include "base/rng.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS = 4, WIDTH = 300, STEPS = 2000 };

static const float dropped = 0.2F; /* of the last hidden layer's outputs */
static const double rate = 8e-4;

typedef struct mlp {
    size_t in[LAYERS], out[LAYERS];
    size_t at[LAYERS]; /* where a layer's weights (in, out) begin; its constants (out) follow */
    size_t count;
    float parameters[];
} mlp;

/* Rows are samples. `values[l]` goes into layer l, the last is what comes out. */
typedef struct trainer {
    mlp *model;
    const eex__fit *fit;
    float *memory;
    float *values[LAYERS + 1];
    float *slopes[LAYERS + 1];         /* of the loss by these */
    float *turned;                     /* transposed weights or values */
    float *gradients, *first, *second; /* (count): of this step, and Adam's moments */
} trainer;

static size_t layout(mlp *shape, size_t columns)
{
    size_t count = 0;
    for (int l = 0; l < LAYERS; l++) {
        shape->in[l] = l == 0 ? columns : WIDTH;
        shape->out[l] = l == LAYERS - 1 ? 1 : WIDTH;
        shape->at[l] = count;
        count += (shape->in[l] + 1) * shape->out[l];
    }
    return count;
}

/* Uniform within one over the root of what goes in. */
static void begin(mlp *model, uint64_t seed)
{
    for (int l = 0; l < LAYERS; l++) {
        const double bound = 1.0 / sqrt((double)(model->in[l] > 0 ? model->in[l] : 1));
        float *w = model->parameters + model->at[l];
        for (size_t i = 0; i < (model->in[l] + 1) * model->out[l]; i++)
            w[i] = (float)(bound * (2.0 * eex_rng_hash_uniform(seed, (uint64_t)l, i) - 1.0));
    }
}

/* One layer for n rows, with ReLU but for the last. */
static void apply(float *to, const mlp *model, int l, const float *from, size_t n)
{
    const size_t in = model->in[l], out = model->out[l];
    const float *w = model->parameters + model->at[l], *constants = w + in * out;
    eex_multiply_float(to, from, w, n, in, out);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < out; j++) {
            const float sum = to[i * out + j] + constants[j];
            to[i * out + j] = sum > 0.0F || l == LAYERS - 1 ? sum : 0.0F;
        }
}

static void drop(trainer *t, uint64_t step)
{
    float *values = t->values[LAYERS - 1];
    for (size_t i = 0; i < t->fit->n * WIDTH; i++)
        values[i] = eex_rng_hash_uniform(t->fit->seed, STEPS + step, i) < dropped
                        ? 0.0F
                        : values[i] / (1.0F - dropped);
}

/* Slopes of smooth L1, the mean over samples. */
static void compare(trainer *t)
{
    const size_t n = t->fit->n;
    for (size_t i = 0; i < n; i++) {
        const float away = t->values[LAYERS][i] - (float)t->fit->y[i];
        t->slopes[LAYERS][i] = fminf(1.0F, fmaxf(-1.0F, away)) / (float)n;
    }
}

static void go_back(trainer *t, int l)
{
    const size_t n = t->fit->n, in = t->model->in[l], out = t->model->out[l];
    const float *slopes = t->slopes[l + 1];
    float *gradients = t->gradients + t->model->at[l], *constants = gradients + in * out;
    eex_transpose_float(t->turned, t->values[l], n, in);
    eex_multiply_float(gradients, t->turned, slopes, in, n, out);
    memset(constants, 0, out * sizeof *constants);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < out; j++)
            constants[j] += slopes[i * out + j];
    if (l == 0)
        return;
    eex_transpose_float(t->turned, t->model->parameters + t->model->at[l], in, out);
    eex_multiply_float(t->slopes[l], slopes, t->turned, n, out, in);
    const float scale = l == LAYERS - 1 ? 1.0F / (1.0F - dropped) : 1.0F;
    for (size_t i = 0; i < n * in; i++) /* what ReLU or dropout has made 0 has no slope */
        t->slopes[l][i] = t->values[l][i] > 0.0F ? scale * t->slopes[l][i] : 0.0F;
}

/* Adam (Kingma and Ba 2015). */
static void improve(trainer *t, int step)
{
    const double decayed = 0.5 * rate * (1.0 + cos(M_PI * step / STEPS));
    const double first = 1.0 - pow(0.9, step + 1), second = 1.0 - pow(0.999, step + 1);
    const float by = (float)(decayed / first), root = (float)sqrt(1.0 / second);
    for (size_t i = 0; i < t->model->count; i++) {
        const float g = t->gradients[i];
        t->first[i] = 0.9F * t->first[i] + 0.1F * g;
        t->second[i] = 0.999F * t->second[i] + 0.001F * g * g;
        t->model->parameters[i] -= by * t->first[i] / (sqrtf(t->second[i]) * root + 1e-8F);
    }
}

static void train(trainer *t)
{
    for (size_t i = 0; i < t->fit->n * t->fit->columns; i++)
        t->values[0][i] = (float)t->fit->x[i];
    for (int step = 0; step < STEPS; step++) {
        for (int l = 0; l < LAYERS; l++) {
            apply(t->values[l + 1], t->model, l, t->values[l], t->fit->n);
            if (l == LAYERS - 2)
                drop(t, (uint64_t)step);
        }
        compare(t);
        for (int l = LAYERS - 1; l >= 0; l--)
            go_back(t, l);
        improve(t, step);
    }
}

/* Cuts one piece of memory into what training needs. */
static bool open_trainer(trainer *t)
{
    const size_t n = t->fit->n, count = t->model->count;
    const size_t widest = t->fit->columns > WIDTH ? t->fit->columns : WIDTH;
    const size_t rows = n > widest ? n : widest;
    const size_t layer = n * widest;
    t->memory = calloc((2 * LAYERS + 2) * layer + rows * widest + 3 * count, sizeof *t->memory);
    if (!t->memory)
        return false;
    for (int l = 0; l <= LAYERS; l++) {
        t->values[l] = t->memory + (size_t)(2 * l) * layer;
        t->slopes[l] = t->values[l] + layer;
    }
    t->turned = t->memory + (2 * LAYERS + 2) * layer;
    t->gradients = t->turned + rows * widest;
    t->first = t->gradients + count;
    t->second = t->first + count;
    return true;
}

static int fit_model(void **out, const eex__fit *fit)
{
    mlp shape;
    const size_t count = layout(&shape, fit->columns);
    trainer t = {.fit = fit, .model = malloc(sizeof *t.model + count * sizeof(float))};
    if (t.model) {
        layout(t.model, fit->columns);
        t.model->count = count;
    }
    if (!t.model || !open_trainer(&t)) {
        free(t.model);
        return eex_fail(EEX_ENOMEM, "out of memory: no mlp of %zu values", fit->n);
    }
    begin(t.model, fit->seed);
    train(&t);
    free(t.memory);
    *out = t.model;
    return EEX_OK;
}

static int predict(double *y, const void *memory, const double *x, size_t rows)
{
    const mlp *model = memory;
    const size_t widest = model->in[0] > WIDTH ? model->in[0] : WIDTH;
    float *from = malloc(2 * rows * widest * sizeof *from);
    if (!from)
        return eex_fail(EEX_ENOMEM, "out of memory: an mlp cannot predict");
    float *values[2] = {from, from + rows * widest};
    for (size_t i = 0; i < rows * model->in[0]; i++)
        from[i] = (float)x[i];
    for (int l = 0; l < LAYERS; l++)
        apply(values[(l + 1) % 2], model, l, values[l % 2], rows);
    for (size_t i = 0; i < rows; i++)
        y[i] = values[LAYERS % 2][i];
    free(from);
    return EEX_OK;
}

const eex__surrogate_row eex__mlp = {"mlp", fit_model, predict, free};
