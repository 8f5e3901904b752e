/* Cubic radial basis functions with a linear tail (Powell 1992). With P = [1 x] (n, q) and phi(r) =
 * r^3 between the samples:
 *
 *     phi a + P c = y,  P^T a = 0
 *
 * By P = Q R: in the space behind the first `rank` columns of Q, phi is positive definite, and a
 * lies there. Columns of P are pivoted, so a gene that never varies, or fewer samples than columns,
 * only leaves coefficients of the tail at 0. */
#include "search/matrix.h"
#include "search/surrogate_centres.h"

#include "base/status.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct rbf {
    eex__centres centres; /* their weights are a */
    double *tail;         /* (1 + columns): c */
} rbf;

typedef struct equations {
    size_t n, q, rank;
    double *phi;        /* (n, n), later Q^T phi Q */
    double *p;          /* (q, n): columns of P as rows, later of R */
    double *reflectors; /* (rank, n): Q is the product of 1 - v v^T, |v|^2 = 2 */
    double *y;          /* (n), later Q^T y */
    double *spare;      /* (n) */
    double *inner;      /* (n - rank, n - rank) */
    size_t *pivots;     /* (q): which column of P stands where */
} equations;

static void add(double *to, const double *from, double factor, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += factor * from[i];
}

static void reflect(double *x, const double *v, size_t n)
{
    add(x, v, -eex_dot(x, v, n), n);
}

/* The row of `p` with most left from entry `rank` on goes to place `rank`; returns its length. */
static double pivot(equations *s)
{
    size_t best = s->rank;
    double most = -1.0;
    for (size_t j = s->rank; j < s->q; j++) {
        const double *rest = s->p + j * s->n + s->rank;
        const double square = eex_dot(rest, rest, s->n - s->rank);
        if (square > most) {
            most = square;
            best = j;
        }
    }
    const size_t column = s->pivots[best];
    s->pivots[best] = s->pivots[s->rank];
    s->pivots[s->rank] = column;
    for (size_t i = 0; i < s->n && best != s->rank; i++) {
        const double value = s->p[best * s->n + i];
        s->p[best * s->n + i] = s->p[s->rank * s->n + i];
        s->p[s->rank * s->n + i] = value;
    }
    return sqrt(most);
}

static void factor(equations *s)
{
    double first = 0.0;
    for (; s->rank < s->q && s->rank < s->n; s->rank++) {
        const double length = pivot(s);
        first = s->rank == 0 ? length : first;
        if (length <= 1e-10 * first)
            return;
        double *v = s->reflectors + s->rank * s->n, *row = s->p + s->rank * s->n;
        memset(v, 0, s->rank * sizeof *v);
        memcpy(v + s->rank, row + s->rank, (s->n - s->rank) * sizeof *v);
        v[s->rank] += v[s->rank] < 0.0 ? -length : length;
        const double scale = M_SQRT2 / sqrt(eex_dot(v, v, s->n));
        for (size_t i = s->rank; i < s->n; i++)
            v[i] *= scale;
        for (size_t j = s->rank; j < s->q; j++)
            reflect(s->p + j * s->n, v, s->n);
    }
}

/* phi = Q^T phi Q and y = Q^T y, a reflector after the other. */
static void turn(equations *s)
{
    for (size_t k = 0; k < s->rank; k++) {
        const double *v = s->reflectors + k * s->n;
        double *w = s->spare;
        for (size_t i = 0; i < s->n; i++)
            w[i] = eex_dot(s->phi + i * s->n, v, s->n);
        add(w, v, -0.5 * eex_dot(w, v, s->n), s->n);
        for (size_t i = 0; i < s->n; i++) {
            add(s->phi + i * s->n, w, -v[i], s->n);
            add(s->phi + i * s->n, v, -w[i], s->n);
        }
        reflect(s->y, v, s->n);
    }
}

/* Factors what is behind `rank`; rounding may want a little more on the diagonal. */
static void factor_inner(equations *s)
{
    const size_t m = s->n - s->rank;
    double trace = 0.0;
    for (size_t i = s->rank; i < s->n; i++)
        trace += fabs(s->phi[i * s->n + i]) / (double)m;
    for (double more = 0.0; m > 0; more = more > 0.0 ? 100.0 * more : 1e-13 * trace + DBL_MIN) {
        for (size_t i = 0; i < m; i++) {
            memcpy(s->inner + i * m, s->phi + (s->rank + i) * s->n + s->rank, m * sizeof *s->inner);
            s->inner[i * m + i] += more;
        }
        if (eex_cholesky(s->inner, m))
            return;
    }
}

static void solve(rbf *model, equations *s)
{
    const size_t n = s->n, rank = s->rank, m = n - rank;
    double *weights = model->centres.weights, *z = weights + rank, *c = s->spare;
    memset(weights, 0, n * sizeof *weights);
    memcpy(z, s->y + rank, m * sizeof *z);
    factor_inner(s);
    eex_cholesky_forward(s->inner, z, m);
    eex_cholesky_backward(s->inner, z, m);
    for (size_t i = rank; i-- > 0;) {
        c[i] = s->y[i] - eex_dot(s->phi + i * n + rank, z, m);
        for (size_t j = i + 1; j < rank; j++)
            c[i] -= s->p[j * n + i] * c[j];
        c[i] /= s->p[i * n + i];
        model->tail[s->pivots[i]] = c[i];
    }
    for (size_t k = rank; k-- > 0;)
        reflect(weights, s->reflectors + k * n, n);
}

static void fill(equations *s, const rbf *model, const eex__fit *fit)
{
    for (size_t i = 0; i < s->n; i++)
        s->p[i] = 1.0;
    memcpy(s->p + s->n, model->centres.turned, s->n * fit->columns * sizeof *s->p);
    for (size_t j = 0; j < s->q; j++)
        s->pivots[j] = j;
    eex__centres_distances(s->phi, &model->centres, fit->x, s->n);
    eex_cubes_of_roots(s->phi, s->n * s->n);
    memcpy(s->y, fit->y, s->n * sizeof *s->y);
}

static void free_model(void *memory)
{
    rbf *model = memory;
    if (!model)
        return;
    eex__centres_free(&model->centres);
    free(model->tail);
    free(model);
}

static rbf *new_model(const eex__fit *fit)
{
    rbf *model = calloc(1, sizeof *model);
    if (!model)
        return NULL;
    model->tail = calloc(fit->columns + 1, sizeof(double));
    if (model->tail && eex__centres_init(&model->centres, fit))
        return model;
    free_model(model);
    return NULL;
}

static int fit_model(void **out, const eex__fit *fit)
{
    const size_t n = fit->n, q = fit->columns + 1;
    equations s = {.n = n, .q = q};
    rbf *model = new_model(fit);
    s.phi = malloc(n * n * sizeof *s.phi);
    s.inner = malloc(n * n * sizeof *s.inner);
    s.p = malloc(q * n * sizeof *s.p);
    s.reflectors = malloc((q < n ? q : n) * n * sizeof *s.reflectors);
    s.y = malloc(n * sizeof *s.y);
    s.spare = malloc(n * sizeof *s.spare);
    s.pivots = malloc(q * sizeof *s.pivots);
    const bool ready =
        model && s.phi && s.inner && s.p && s.reflectors && s.y && s.spare && s.pivots;
    if (ready) {
        fill(&s, model, fit);
        factor(&s);
        turn(&s);
        solve(model, &s);
        *out = model;
    } else {
        free_model(model);
    }
    free(s.phi);
    free(s.inner);
    free(s.p);
    free(s.reflectors);
    free(s.y);
    free(s.spare);
    free(s.pivots);
    return ready ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory: no rbf of %zu values", n);
}

static int predict(double *y, const void *memory, const double *x, size_t rows)
{
    const rbf *model = memory;
    const eex__centres *c = &model->centres;
    double *phi = malloc(rows * c->n * sizeof *phi);
    if (!phi)
        return eex_fail(EEX_ENOMEM, "out of memory: an rbf cannot predict");
    eex__centres_distances(phi, c, x, rows);
    eex_cubes_of_roots(phi, rows * c->n);
    for (size_t i = 0; i < rows; i++)
        y[i] = eex_dot(phi + i * c->n, c->weights, c->n) + model->tail[0] +
               eex_dot(x + i * c->columns, model->tail + 1, c->columns);
    free(phi);
    return EEX_OK;
}

const eex__surrogate_row eex__rbf = {"rbf", fit_model, predict, free_model};
