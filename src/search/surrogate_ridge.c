/* Ridge regression, in its dual form: w = X^T (X X^T + 1)^-1 y with centred columns. */
#include "search/matrix.h"
#include "search/surrogate_impl.h"

#include "base/status.h"

#include <stdlib.h>

typedef struct ridge {
    size_t columns;
    double constant, weights[]; /* (columns) */
} ridge;

static void centre(double *x, const double *means, size_t n, size_t columns)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < columns; j++)
            x[i * columns + j] -= means[j];
}

/* `weights` hold the columns' means before. */
static void solve(ridge *model, double *x, double *turned, double *products, double *a,
                  const eex__fit *fit)
{
    const size_t n = fit->n, columns = fit->columns;
    for (size_t i = 0; i < n * columns; i++)
        x[i] = fit->x[i];
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < columns; j++)
            model->weights[j] += x[i * columns + j] / (double)n;
    centre(x, model->weights, n, columns);
    eex_transpose(turned, x, n, columns);
    eex_multiply(products, x, turned, n, columns, n);
    for (size_t i = 0; i < n; i++) {
        products[i * n + i] += 1.0;
        a[i] = fit->y[i];
    }
    eex_cholesky(products, n); /* positive definite by the ridge */
    eex_cholesky_forward(products, a, n);
    eex_cholesky_backward(products, a, n);
    for (size_t j = 0; j < columns; j++) {
        const double mean = model->weights[j];
        model->weights[j] = 0.0;
        for (size_t i = 0; i < n; i++)
            model->weights[j] += turned[j * n + i] * a[i];
        model->constant -= mean * model->weights[j];
    }
}

static int fit_model(void **out, const eex__fit *fit)
{
    const size_t n = fit->n, columns = fit->columns;
    ridge *model = calloc(1, sizeof *model + columns * sizeof *model->weights);
    double *x = malloc((n * columns + 1) * sizeof *x);
    double *turned = malloc((n * columns + 1) * sizeof *turned);
    double *products = malloc(n * n * sizeof *products);
    double *a = malloc(n * sizeof *a);
    const bool ready = model && x && turned && products && a;
    if (ready) {
        model->columns = columns;
        solve(model, x, turned, products, a, fit);
        *out = model;
    } else {
        free(model);
    }
    free(x);
    free(turned);
    free(products);
    free(a);
    return ready ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory: no ridge of %zu values", n);
}

static int predict(double *y, const void *memory, const double *x, size_t rows)
{
    const ridge *model = memory;
    for (size_t i = 0; i < rows; i++) {
        y[i] = model->constant;
        for (size_t j = 0; j < model->columns; j++)
            y[i] += model->weights[j] * x[i * model->columns + j];
    }
    return EEX_OK;
}

const eex__surrogate_row eex__ridge = {"ridge", fit_model, predict, free};
