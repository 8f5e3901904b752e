#include "search/surrogate_centres.h"

#include "search/matrix.h"

#include <stdlib.h>
#include <string.h>

bool eex__centres_init(eex__centres *out, const eex__fit *fit)
{
    *out = (eex__centres){.n = fit->n, .columns = fit->columns};
    out->turned = malloc((fit->n * fit->columns + 1) * sizeof *out->turned);
    out->lengths = malloc(fit->n * sizeof *out->lengths);
    out->weights = malloc(fit->n * sizeof *out->weights);
    if (!out->turned || !out->lengths || !out->weights) {
        eex__centres_free(out);
        return false;
    }
    eex_transpose(out->turned, fit->x, fit->n, fit->columns);
    eex_lengths(out->lengths, fit->x, fit->n, fit->columns);
    return true;
}

void eex__centres_free(eex__centres *c)
{
    free(c->turned);
    free(c->lengths);
    free(c->weights);
    memset(c, 0, sizeof *c);
}

void eex__centres_distances(double *out, const eex__centres *c, const double *x, size_t rows)
{
    eex_distances(out, x, c->turned, c->lengths, rows, c->columns, c->n);
}
