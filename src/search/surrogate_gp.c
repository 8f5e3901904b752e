/* A Gaussian process with the kernel exp(-d^2 / (2 length^2)) + noise, times a variance that has a
 * closed form: with it the log marginal likelihood is, but for a constant,
 *
 *     -n/2 log(y^T K^-1 y) - 1/2 log |K|
 *
 * (Rasmussen and Williams 2006, eq. 5.8). Length and noise are looked for on a grid of some
 * samples, then by steps that get smaller on all. */
#include "search/matrix.h"
#include "search/surrogate_centres.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GRID_SAMPLES = 128, LENGTHS = 7, NOISES = 5 };

typedef struct gp {
    eex__centres centres; /* their weights are K^-1 y */
    double length, noise; /* as logarithms */
} gp;

/* What a likelihood is of. */
typedef struct evidence {
    size_t n;
    const double *distances; /* (n, n), squared */
    const double *y;
    double *kernel; /* (n, n), factored afterwards */
    double *a;      /* (n): U^-T y afterwards */
} evidence;

static void apply_kernel(double *squares, double length, size_t n)
{
    eex_exponentials(squares, -0.5 * exp(-2.0 * length), n);
}

/* -infinity where the kernel is too nearly singular. */
static double likelihood(const evidence *e, double length, double noise)
{
    double fit = 0.0, determinant = 0.0;
    memcpy(e->kernel, e->distances, e->n * e->n * sizeof *e->kernel);
    apply_kernel(e->kernel, length, e->n * e->n);
    for (size_t i = 0; i < e->n; i++)
        e->kernel[i * e->n + i] += exp(noise);
    if (!eex_cholesky(e->kernel, e->n))
        return -INFINITY;
    memcpy(e->a, e->y, e->n * sizeof *e->a);
    eex_cholesky_forward(e->kernel, e->a, e->n);
    for (size_t i = 0; i < e->n; i++) {
        fit += e->a[i] * e->a[i];
        determinant += log(e->kernel[i * e->n + i]);
    }
    return -0.5 * (double)e->n * log(fit > 0.0 ? fit : 1e-300) - determinant;
}

static double limited(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

/* `scale` is the logarithm of a typical distance. */
static void search_grid(gp *model, const evidence *e, double scale)
{
    double best = -INFINITY;
    model->length = scale;
    model->noise = log(0.1);
    for (int i = 0; i < LENGTHS * NOISES; i++) {
        const int row = i / LENGTHS, column = i % LENGTHS;
        const double length = scale + 0.7 * (column - 2), noise = log(1e-5) + 2.3 * row;
        const double value = likelihood(e, length, noise);
        if (value > best) {
            best = value;
            model->length = length;
            model->noise = noise;
        }
    }
}

/* One round of steps from where the model stands; whether one was better. */
static bool improve(gp *model, double *best, const evidence *e, double scale, double step)
{
    const double length = model->length, noise = model->noise;
    bool better = false;
    for (int direction = 0; direction < 4; direction++) {
        const double by = direction % 2 == 0 ? step : -step;
        const double l = limited(length + (direction < 2 ? by : 0.0), scale - 4.0, scale + 6.0);
        const double s = limited(noise + (direction < 2 ? 0.0 : 2.0 * by), log(1e-8), log(100.0));
        const double value = likelihood(e, l, s);
        if (value <= *best)
            continue;
        better = true;
        *best = value;
        model->length = l;
        model->noise = s;
    }
    return better;
}

static void search_steps(gp *model, const evidence *e, double scale)
{
    double best = likelihood(e, model->length, model->noise), step = 0.5;
    for (int round = 0; round < 40 && step > 0.03; round++)
        if (!improve(model, &best, e, scale, step))
            step *= 0.5;
}

/* Evenly chosen rows of `fit` as one of their own, in place of `e`'s. */
static void thin(evidence *few, double *distances, double *y, const evidence *all)
{
    const size_t n = few->n;
    for (size_t i = 0; i < n; i++) {
        const size_t row = i * all->n / n;
        y[i] = all->y[row];
        for (size_t j = 0; j < n; j++)
            distances[i * n + j] = all->distances[row * all->n + j * all->n / n];
    }
    few->distances = distances;
    few->y = y;
}

static double typical_distance(const evidence *e)
{
    double sum = 0.0;
    for (size_t i = 0; i < e->n * e->n; i++)
        sum += e->distances[i];
    const double mean = sum / (double)(e->n * e->n);
    return mean > 0.0 ? 0.5 * log(mean) : 0.0;
}

/* `distances` and `y` have room for what is thinned. */
static void find_parameters(gp *model, const evidence *all, double *distances, double *y)
{
    const double scale = typical_distance(all);
    evidence few = *all;
    few.n = all->n < GRID_SAMPLES ? all->n : GRID_SAMPLES;
    thin(&few, distances, y, all);
    search_grid(model, &few, scale);
    search_steps(model, all, scale);
}

static void free_model(void *memory)
{
    gp *model = memory;
    if (!model)
        return;
    eex__centres_free(&model->centres);
    free(model);
}

static gp *new_model(const eex__fit *fit)
{
    gp *model = calloc(1, sizeof *model);
    if (model && eex__centres_init(&model->centres, fit))
        return model;
    free(model);
    return NULL;
}

static void finish(gp *model, const evidence *e)
{
    while (!isfinite(likelihood(e, model->length, model->noise)))
        model->noise = model->noise + 1.0;
    memcpy(model->centres.weights, e->a, e->n * sizeof *e->a);
    eex_cholesky_backward(e->kernel, model->centres.weights, e->n);
}

static int fit_model(void **out, const eex__fit *fit)
{
    const size_t n = fit->n, few = n < GRID_SAMPLES ? n : GRID_SAMPLES;
    const gp *like = fit->like;
    gp *model = new_model(fit);
    double *distances = malloc(n * n * sizeof *distances), *kernel = malloc(n * n * sizeof *kernel);
    double *a = malloc(n * sizeof *a), *thinned = malloc((few + 1) * few * sizeof *thinned);
    const bool ready = model && distances && kernel && a && thinned;
    if (ready) {
        const evidence e = {n, distances, fit->y, kernel, a};
        eex__centres_distances(distances, &model->centres, fit->x, n);
        if (like) {
            model->length = like->length;
            model->noise = like->noise;
        } else {
            find_parameters(model, &e, thinned, thinned + few * few);
        }
        finish(model, &e);
        *out = model;
    } else {
        free_model(model);
    }
    free(distances);
    free(kernel);
    free(a);
    free(thinned);
    return ready ? EEX_OK
                 : eex_fail(EEX_ENOMEM, "out of memory: no gaussian process of %zu values", n);
}

static int predict(double *y, const void *memory, const double *x, size_t rows)
{
    const gp *model = memory;
    const size_t n = model->centres.n;
    double *kernel = malloc(rows * n * sizeof *kernel);
    if (!kernel)
        return eex_fail(EEX_ENOMEM, "out of memory: a gaussian process cannot predict");
    eex__centres_distances(kernel, &model->centres, x, rows);
    apply_kernel(kernel, model->length, rows * n);
    for (size_t i = 0; i < rows; i++)
        y[i] = eex_dot(kernel + i * n, model->centres.weights, n);
    free(kernel);
    return EEX_OK;
}

const eex__surrogate_row eex__gp = {"gp", fit_model, predict, free_model};
