#include "core/plan/slice.h"

#include "core/plan/params_impl.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_PIXELS = 31 * 31 }; /* of the largest kernel that graphs have */

struct eex_slices {
    const eex_graph *elastic, *derived;
    eex_slice *of; /* (parameters of the derived graph) */
};

int eex_slices_new(eex_slices **out, const eex_graph *elastic, const eex_graph *derived)
{
    eex_slices *s = calloc(1, sizeof *s);
    *out = NULL;
    if (s)
        s->of = calloc((size_t)eex_graph_params(derived) + 1, sizeof *s->of);
    if (!s || !s->of) {
        eex_slices_free(s);
        return eex_fail(EEX_ENOMEM, "slices of \"%s\": out of memory", eex_graph_name(elastic));
    }
    s->elastic = elastic;
    s->derived = derived;
    for (int i = 0; i < eex_graph_params(derived); i++) {
        const int code = eex_graph_slice(&s->of[i], elastic, derived, i);
        if (code < 0) {
            eex_slices_free(s);
            return code;
        }
    }
    *out = s;
    return EEX_OK;
}

void eex_slices_free(eex_slices *s)
{
    if (!s)
        return;
    free(s->of);
    free(s);
}

/* ---- one parameter ---- */

/* A parameter and the one that it is a slice of, in the device's order: element (pixel, i, o) lies
 * at (pixel * in + i) * out + o. */
typedef struct pair {
    const eex_slice *slice;
    eex__weight_shape part, whole;
    const float *const *matrix; /* (steps) at the transforms, in that order too; NULL: none */
    float *const *dmatrix;      /* (steps) their gradients */
} pair;

static size_t pixels(const eex__weight_shape *s)
{
    return s->rows * s->columns;
}

/* The centre of a kernel, `small` pixels a side of `large`; and a kernel that is 0 around it. */
static void crop(float *centre, const float *kernel, int small, int large)
{
    const int edge = (large - small) / 2;
    for (int y = 0; y < small; y++)
        memcpy(centre + y * small, kernel + (y + edge) * large + edge,
               (size_t)small * sizeof *centre);
}

static void uncrop(float *kernel, const float *centre, int small, int large)
{
    const int edge = (large - small) / 2;
    memset(kernel, 0, (size_t)(large * large) * sizeof *kernel);
    for (int y = 0; y < small; y++)
        memcpy(kernel + (y + edge) * large + edge, centre + y * small,
               (size_t)small * sizeof *centre);
}

/* One kernel on its way down, or its gradient on the way up. */
typedef struct steps {
    float centre[EEX_SLICE_STEPS][MOST_PIXELS]; /* what a step's matrix multiplies */
    float value[MOST_PIXELS];
} steps;

/* y = M x, element (row, column) of M at column * n + row. */
static void multiply(float *y, const float *matrix, const float *x, int n)
{
    memset(y, 0, (size_t)n * sizeof *y);
    for (int column = 0; column < n; column++)
        for (int row = 0; row < n; row++)
            y[row] += matrix[column * n + row] * x[column];
}

static void step_down(steps *s, const pair *p)
{
    for (int k = 0; k < p->slice->steps; k++) {
        const int small = p->slice->kernel[k + 1], n = small * small;
        crop(s->centre[k], s->value, small, p->slice->kernel[k]);
        if (p->matrix[k])
            multiply(s->value, p->matrix[k], s->centre[k], n);
        else
            memcpy(s->value, s->centre[k], (size_t)n * sizeof *s->value);
    }
}

/* From the gradient in `value` of the smallest kernel to that of the largest. */
static void step_up(steps *s, const pair *p)
{
    float inner[MOST_PIXELS];
    for (int k = p->slice->steps - 1; k >= 0; k--) {
        const int small = p->slice->kernel[k + 1], n = small * small;
        for (int column = 0; column < n; column++) {
            float sum = p->matrix[k] ? 0 : s->value[column];
            for (int row = 0; p->matrix[k] && row < n; row++) {
                sum += p->matrix[k][column * n + row] * s->value[row];
                p->dmatrix[k][column * n + row] += s->value[row] * s->centre[k][column];
            }
            inner[column] = sum;
        }
        uncrop(s->value, inner, small, p->slice->kernel[k]);
    }
}

static void load(float *vector, const float *from, const eex__weight_shape *s, size_t count,
                 size_t i, size_t o)
{
    for (size_t pixel = 0; pixel < count; pixel++)
        vector[pixel] = from[(pixel * s->in + i) * s->out + o];
}

static void gather_kernels(float *part, const float *whole, const pair *p)
{
    steps s;
    for (size_t i = 0; i < p->part.in; i++)
        for (size_t o = 0; o < p->part.out; o++) {
            load(s.value, whole, &p->whole, pixels(&p->whole), i, o);
            step_down(&s, p);
            for (size_t pixel = 0; pixel < pixels(&p->part); pixel++)
                part[(pixel * p->part.in + i) * p->part.out + o] = s.value[pixel];
        }
}

static void gather(float *part, const float *whole, const pair *p)
{
    if (p->slice->steps > 0) {
        gather_kernels(part, whole, p);
        return;
    }
    for (size_t pixel = 0; pixel < pixels(&p->part); pixel++)
        for (size_t i = 0; i < p->part.in; i++)
            memcpy(part + (pixel * p->part.in + i) * p->part.out,
                   whole + (pixel * p->whole.in + i) * p->whole.out, p->part.out * sizeof *part);
}

static void scatter_kernels(float *dwhole, const float *dpart, const float *whole, const pair *p)
{
    steps s;
    for (size_t i = 0; i < p->part.in; i++)
        for (size_t o = 0; o < p->part.out; o++) {
            load(s.value, whole, &p->whole, pixels(&p->whole), i, o);
            step_down(&s, p);
            load(s.value, dpart, &p->part, pixels(&p->part), i, o);
            step_up(&s, p);
            for (size_t pixel = 0; pixel < pixels(&p->whole); pixel++)
                dwhole[(pixel * p->whole.in + i) * p->whole.out + o] += s.value[pixel];
        }
}

static void scatter(float *dwhole, const float *dpart, const float *whole, const pair *p)
{
    if (p->slice->steps > 0) {
        scatter_kernels(dwhole, dpart, whole, p);
        return;
    }
    for (size_t pixel = 0; pixel < pixels(&p->part); pixel++)
        for (size_t i = 0; i < p->part.in; i++)
            for (size_t o = 0; o < p->part.out; o++)
                dwhole[(pixel * p->whole.in + i) * p->whole.out + o] +=
                    dpart[(pixel * p->part.in + i) * p->part.out + o];
}

/* ---- all of them ---- */

/* Flat buffers in the host's memory: the device's own where the host may read and write them. */
typedef struct copies {
    bool own;
    float *part, *part_state;   /* of the derived network */
    float *whole, *whole_state; /* of the elastic one */
    float *dwhole;              /* scattering: gradients */
} copies;

static void copies_free(copies *c)
{
    if (!c->own)
        return;
    free(c->part);
    free(c->part_state);
    free(c->whole);
    free(c->whole_state);
    free(c->dwhole);
}

/* Room for `count` floats that will be put there. */
static int room(float **out, const copies *c, const eex_params *p, float *there, size_t count)
{
    *out = c->own ? calloc(count + 1, sizeof **out) : there;
    if (!*out)
        return eex_fail(EEX_ENOMEM, "slices of \"%s\": out of memory for %zu parameters",
                        eex_graph_name(p->graph), count);
    return EEX_OK;
}

/* Those that are there. */
static int fetch(float **out, const copies *c, const eex_params *p, float *from, size_t count)
{
    EEX_TRY(room(out, c, p, from, count));
    return c->own && count
               ? p->device->vtable->download(p->device, *out, from, count * sizeof **out)
               : EEX_OK;
}

static int put(const eex_params *p, float *to, const float *from, size_t count)
{
    return to != from && count ? p->device->vtable->upload(p->device, to, from, count * sizeof *to)
                               : EEX_OK;
}

/* Parameter i of the derived network; dmatrix may be NULL. */
static void open_pair(pair *p, const eex_slices *s, int i, const eex_params *elastic,
                      const copies *c, const float **matrix, float **dmatrix)
{
    *p = (pair){.slice = &s->of[i],
                .part = eex__param_weight_shape(s->derived, i),
                .whole = eex__param_weight_shape(s->elastic, s->of[i].param),
                .matrix = matrix,
                .dmatrix = dmatrix};
    for (int k = 0; k < p->slice->steps; k++) {
        const int number = p->slice->transform[k];
        matrix[k] = number < 0 ? NULL : c->whole + elastic->offset[number];
        dmatrix[k] = number < 0 || !c->dwhole ? NULL : c->dwhole + elastic->offset[number];
    }
}

static int gather_all(const eex_slices *s, copies *c, eex_params *derived,
                      const eex_params *elastic)
{
    EEX_TRY(fetch(&c->whole, c, elastic, elastic->w, elastic->count));
    EEX_TRY(fetch(&c->whole_state, c, elastic, elastic->state, elastic->state_count));
    EEX_TRY(room(&c->part, c, derived, derived->w, derived->count));
    EEX_TRY(room(&c->part_state, c, derived, derived->state, derived->state_count));
    for (int i = 0; i < eex_graph_params(s->derived); i++) {
        const float *matrix[EEX_SLICE_STEPS];
        float *dmatrix[EEX_SLICE_STEPS];
        const bool trainable = eex_graph_param(s->derived, i)->trainable;
        pair p;
        open_pair(&p, s, i, elastic, c, matrix, dmatrix);
        gather((trainable ? c->part : c->part_state) + derived->offset[i],
               (trainable ? c->whole : c->whole_state) + elastic->offset[p.slice->param], &p);
    }
    EEX_TRY(put(derived, derived->w, c->part, derived->count));
    return put(derived, derived->state, c->part_state, derived->state_count);
}

static int check(const eex_slices *s, const eex_params *derived, const eex_params *elastic)
{
    if (derived->graph == s->derived && elastic->graph == s->elastic)
        return EEX_OK;
    return eex_fail(EEX_EINVAL, "slices of \"%s\" are for parameters of two other graphs",
                    eex_graph_name(s->elastic));
}

static copies copies_for(const eex_params *a, const eex_params *b)
{
    return (copies){.own = !a->device->host_memory || !b->device->host_memory};
}

int eex_slices_gather(const eex_slices *s, eex_params *derived, const eex_params *elastic)
{
    copies c = copies_for(derived, elastic);
    EEX_TRY(check(s, derived, elastic));
    EEX_TRY(elastic->device->vtable->sync(elastic->device));
    const int code = gather_all(s, &c, derived, elastic);
    copies_free(&c);
    return code;
}

static int scatter_all(const eex_slices *s, copies *c, eex_optimizer_state *to,
                       const eex_optimizer_state *from)
{
    const eex_params *elastic = to->params, *derived = from->params;
    EEX_TRY(fetch(&c->whole, c, elastic, elastic->w, elastic->count));
    EEX_TRY(fetch(&c->dwhole, c, elastic, to->g, elastic->count));
    EEX_TRY(fetch(&c->part, c, derived, from->g, derived->count));
    for (int i = 0; i < eex_graph_params(s->derived); i++) {
        const float *matrix[EEX_SLICE_STEPS];
        float *dmatrix[EEX_SLICE_STEPS];
        pair p;
        if (!eex_graph_param(s->derived, i)->trainable)
            continue;
        open_pair(&p, s, i, elastic, c, matrix, dmatrix);
        const size_t at = elastic->offset[p.slice->param];
        scatter(c->dwhole + at, c->part + derived->offset[i], c->whole + at, &p);
    }
    return put(elastic, to->g, c->dwhole, elastic->count);
}

int eex_slices_scatter(const eex_slices *s, eex_optimizer_state *elastic,
                       const eex_optimizer_state *derived)
{
    copies c = copies_for(derived->params, elastic->params);
    EEX_TRY(check(s, derived->params, elastic->params));
    EEX_TRY(derived->params->device->vtable->sync(derived->params->device));
    EEX_TRY(elastic->params->device->vtable->sync(elastic->params->device));
    const int code = scatter_all(s, &c, elastic, derived);
    copies_free(&c);
    return code;
}
