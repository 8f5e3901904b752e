#include "search/surrogate_impl.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>

EEX_NAMES(
    eex_surrogate_kind, eex_surrogate_kind,
    EEX_SURROGATES, [EEX_SURROGATE_RBF] = "rbf", [EEX_SURROGATE_GP] = "gp",
    [EEX_SURROGATE_CART] = "cart", [EEX_SURROGATE_MLP] = "mlp", [EEX_SURROGATE_RIDGE] = "ridge");

static const eex__surrogate_row *const rows[] = {
    [EEX_SURROGATE_RBF] = &eex__rbf,     [EEX_SURROGATE_GP] = &eex__gp,
    [EEX_SURROGATE_CART] = &eex__cart,   [EEX_SURROGATE_MLP] = &eex__mlp,
    [EEX_SURROGATE_RIDGE] = &eex__ridge,
};

_Static_assert(sizeof rows / sizeof *rows == EEX_SURROGATES,
               "a kind of surrogate without a row, or a row without its member");

struct eex_surrogate {
    const eex__surrogate_row *row;
    eex_coding coding;
    double mean, deviation; /* of the values that it was fitted to */
    void *model;
};

static int check(const eex_samples *samples)
{
    if (samples->n < 1)
        return eex_fail(EEX_EINVAL, "surrogate: there is nothing to fit it to");
    for (size_t i = 0; i < samples->n; i++)
        if (!isfinite(samples->values[i]))
            return eex_fail(EEX_EINVAL, "surrogate: value %zu is not finite", i);
    return EEX_OK;
}

/* Fills in y (n). */
static void standardise(eex_surrogate *s, double *y, const eex_samples *samples)
{
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < samples->n; i++)
        sum += samples->values[i];
    s->mean = sum / (double)samples->n;
    for (size_t i = 0; i < samples->n; i++)
        squares += (samples->values[i] - s->mean) * (samples->values[i] - s->mean);
    s->deviation = squares > 0.0 ? sqrt(squares / (double)samples->n) : 1.0;
    for (size_t i = 0; i < samples->n; i++)
        y[i] = (samples->values[i] - s->mean) / s->deviation;
}

static int fit_model(eex_surrogate *s, const eex_samples *samples, uint64_t seed,
                     const eex_surrogate *like)
{
    const size_t n = samples->n, columns = (size_t)s->coding.columns;
    double *x = malloc((n * columns + 1) * sizeof *x);
    double *y = malloc(n * sizeof *y);
    int code = EEX_OK;
    if (x && y) {
        eex_code(x, &s->coding, samples->genomes, n);
        standardise(s, y, samples);
        const eex__fit fit = {x, y, n, columns, seed, like ? like->model : NULL};
        code = s->row->fit(&s->model, &fit);
    } else {
        code = eex_fail(EEX_ENOMEM, "out of memory: cannot fit a surrogate to %zu values", n);
    }
    free(x);
    free(y);
    return code;
}

int eex_surrogate_fit(eex_surrogate **out, eex_surrogate_kind kind, const eex_coding *coding,
                      const eex_samples *samples, uint64_t seed, const eex_surrogate *like)
{
    *out = NULL;
    EEX_TRY(check(samples));
    eex_surrogate *s = calloc(1, sizeof *s);
    if (!s)
        return eex_fail(EEX_ENOMEM, "out of memory: cannot make a surrogate");
    s->row = rows[kind];
    s->coding = *coding;
    const int code = fit_model(s, samples, seed, like);
    if (code == EEX_OK)
        *out = s;
    else
        eex_surrogate_free(s);
    return code;
}

void eex_surrogate_free(eex_surrogate *s)
{
    if (!s)
        return;
    s->row->free(s->model);
    free(s);
}

int eex_surrogate_predict(double *values, const eex_surrogate *s, const int *genomes, size_t n)
{
    double *x = malloc(((size_t)EEX__BLOCK * (size_t)s->coding.columns + 1) * sizeof *x);
    int code = x ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory: cannot predict %zu values", n);
    for (size_t first = 0; first < n && code == EEX_OK; first += EEX__BLOCK) {
        const size_t block = n - first < EEX__BLOCK ? n - first : EEX__BLOCK;
        eex_code(x, &s->coding, genomes + first * (size_t)s->coding.genes, block);
        code = s->row->predict(values + first, s->model, x, block);
        for (size_t i = 0; i < block; i++)
            values[first + i] = s->mean + s->deviation * values[first + i];
    }
    free(x);
    return code;
}
