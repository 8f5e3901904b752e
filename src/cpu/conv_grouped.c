#include "cpu/conv_grouped.h"

#include "cpu/conv_weights.h"
#include "cpu/kernels/columns.h"
#include "cpu/range.h"

#include "base/status.h"

#include <stdlib.h>

struct eex_grouped {
    eex_window whole, part; /* of all channels; of one group's */
    eex_dense **dense;      /* (groups), or one for all where weights change */
    int packed;             /* how many */
    bool backward;          /* these are gradients for the data */
    eex_weights *weights;   /* of EEX_GROUPED_WEIGHTS */
    float *a, *y, *w;       /* of one group: operand, result and what is added to it, weights */
    double *stats;          /* (2, columns of a part) */
};

/* ---- moving channels ---- */

typedef struct move {
    const eex_columns_kernels *kernels;
    float *y;
    const float *x;
    size_t rows;
    int y_c, x_c, count;
    bool accumulate;
} move;

static void move_share(void *ctx, const eex_part *part)
{
    const move *m = ctx;
    size_t i, end;
    eex__cpu_range(&i, &end, m->rows, 1, part->index, part->count);
    m->kernels->move(m->y + i * (size_t)m->y_c, m->x + i * (size_t)m->x_c, end - i, m->y_c, m->x_c,
                     m->count, m->accumulate);
}

/* `count` channels of rows of x_c, from x on, into rows of y_c. */
static void move_channels(eex_cpu *cpu, float *y, int y_c, const float *x, int x_c, size_t rows,
                          int count)
{
    move m = {cpu->kernels->columns, y, x, rows, y_c, x_c, count, false};
    eex__cpu_parallel(cpu, 0.3 * (double)rows * count, move_share, &m);
}

/* The weights of a group, which are columns of all. */
static void gather_weights(eex_cpu *cpu, const eex_grouped *g, const float *w, int group)
{
    const eex_window *p = &g->part;
    move_channels(cpu, g->w, p->cout, w + (size_t)group * (size_t)p->cout, g->whole.cout,
                  (size_t)p->kernel * (size_t)p->kernel * (size_t)p->cin, p->cout);
}

/* ---- sizes ---- */

static size_t inputs(const eex_window *w)
{
    return (size_t)w->hin * (size_t)w->win;
}

static size_t outputs(const eex_window *w)
{
    return (size_t)w->hout * (size_t)w->wout;
}

/* ---- opening ---- */

static int pack(eex_cpu *cpu, eex_grouped *g, const float *w)
{
    for (int i = 0; i < g->packed; i++) {
        gather_weights(cpu, g, w, i);
        EEX_TRY(eex__dense_pack(cpu, g->dense[i], g->w));
    }
    return EEX_OK;
}

static int begin(eex_cpu *cpu, eex_grouped *g, eex_grouped_for what, const float *w)
{
    if (what == EEX_GROUPED_WEIGHTS)
        return eex__weights_new(&g->weights, cpu, &g->part);
    g->packed = w ? g->whole.groups : 1;
    g->backward = what == EEX_GROUPED_DATA;
    g->dense = calloc((size_t)g->packed, sizeof *g->dense);
    if (!g->dense)
        return eex_fail(EEX_ENOMEM, "convolution: no memory for %d groups", g->packed);
    for (int i = 0; i < g->packed; i++)
        EEX_TRY(eex__dense_new(&g->dense[i], cpu, &g->part, g->backward));
    return w ? pack(cpu, g, w) : EEX_OK;
}

static int allocate(eex_grouped *g, int max_batch)
{
    const eex_window *p = &g->part;
    const size_t batch = (size_t)max_batch,
                 weights = (size_t)p->kernel * (size_t)p->kernel * (size_t)p->cin * (size_t)p->cout;
    const size_t x = batch * inputs(p) * (size_t)p->cin, y = batch * outputs(p) * (size_t)p->cout;
    const size_t most = (x > y ? x : y) * sizeof(float);
    EEX_TRY(eex__cpu_alloc((void **)&g->a, most, "a group's operand"));
    EEX_TRY(eex__cpu_alloc((void **)&g->y, most, "a group's result"));
    EEX_TRY(eex__cpu_alloc((void **)&g->w, weights * sizeof(float), "a group's weights"));
    return eex__cpu_alloc((void **)&g->stats, 2 * (size_t)p->cout * sizeof(double),
                          "a group's statistics");
}

int eex__grouped_new(eex_grouped **out, eex_cpu *cpu, const eex_window *window,
                     eex_grouped_for what, const float *w, int max_batch)
{
    eex_grouped *g = calloc(1, sizeof *g);
    *out = NULL;
    if (!g)
        return eex_fail(EEX_ENOMEM, "convolution: out of memory");
    g->whole = g->part = *window;
    g->part.cin /= window->groups;
    g->part.cout /= window->groups;
    g->part.groups = 1;
    int code = allocate(g, max_batch);
    if (code == EEX_OK)
        code = begin(cpu, g, what, w);
    if (code < 0) {
        eex__grouped_free(g);
        return code;
    }
    *out = g;
    return EEX_OK;
}

void eex__grouped_free(eex_grouped *g)
{
    if (!g)
        return;
    for (int i = 0; i < g->packed && g->dense; i++)
        eex__dense_free(g->dense[i]);
    eex__weights_free(g->weights);
    free(g->dense);
    free(g->a);
    free(g->y);
    free(g->w);
    free(g->stats);
    free(g);
}

/* ---- running ---- */

/* Operand and result of one group, forward or backward. */
typedef struct sides {
    int a_c, y_c;              /* channels of all groups */
    int a_part, y_part;        /* of one */
    size_t a_pixels, y_pixels; /* of the batch */
} sides;

static sides sides_of(const eex_grouped *g, bool backward, int batch)
{
    const size_t in = (size_t)batch * inputs(&g->whole), out = (size_t)batch * outputs(&g->whole);
    return backward ? (sides){g->whole.cout, g->whole.cin, g->part.cout, g->part.cin, out, in}
                    : (sides){g->whole.cin, g->whole.cout, g->part.cin, g->part.cout, in, out};
}

static int run_group(eex_cpu *cpu, eex_grouped *g, const eex_dense_args *args, const sides *s,
                     int i)
{
    const bool packed = g->packed > 1;
    const size_t first = (size_t)i * (size_t)s->y_part;
    eex_dense_args own = *args;
    own.a = g->a;
    own.y = g->y;
    own.w = g->w;
    own.bias = args->bias ? args->bias + first : NULL;
    own.residual = args->residual ? g->y : NULL;
    own.stats = args->stats ? g->stats : NULL;
    move_channels(cpu, g->a, s->a_part, args->a + (size_t)i * (size_t)s->a_part, s->a_c,
                  s->a_pixels, s->a_part);
    if (args->residual)
        move_channels(cpu, g->y, s->y_part, args->residual + first, s->y_c, s->y_pixels, s->y_part);
    if (!packed)
        gather_weights(cpu, g, args->w, i);
    EEX_TRY(eex__dense_run(cpu, g->dense[packed ? i : 0], &own));
    move_channels(cpu, args->y + first, s->y_c, g->y, s->y_part, s->y_pixels, s->y_part);
    for (int c = 0; args->stats && c < 2 * s->y_part; c++)
        args->stats[(size_t)(c / s->y_part) * (size_t)s->y_c + first + (size_t)(c % s->y_part)] =
            g->stats[c];
    return EEX_OK;
}

int eex__grouped_run(eex_cpu *cpu, eex_grouped *g, const eex_dense_args *args)
{
    const sides s = sides_of(g, g->backward, args->batch);
    for (int i = 0; i < g->whole.groups; i++)
        EEX_TRY(run_group(cpu, g, args, &s, i));
    return EEX_OK;
}

int eex__grouped_weights(eex_cpu *cpu, eex_grouped *g, const eex_op_conv_bwd_weights *op, int batch)
{
    const sides s = sides_of(g, false, batch);
    const eex_window *p = &g->part;
    const size_t rows = (size_t)p->kernel * (size_t)p->kernel * (size_t)p->cin;
    for (int i = 0; i < g->whole.groups; i++) {
        float *dw = op->dw + (size_t)i * (size_t)p->cout;
        eex_op_conv_bwd_weights own = *op;
        own.window = g->part;
        own.x = g->a;
        own.dy = g->y;
        own.dw = g->w;
        own.dbias = NULL;
        move_channels(cpu, g->a, p->cin, op->x + (size_t)i * (size_t)p->cin, s.a_c, s.a_pixels,
                      p->cin);
        move_channels(cpu, g->y, p->cout, op->dy + (size_t)i * (size_t)p->cout, s.y_c, s.y_pixels,
                      p->cout);
        if (op->accumulate)
            move_channels(cpu, g->w, p->cout, dw, s.y_c, rows, p->cout);
        EEX_TRY(eex__weights_run(cpu, g->weights, &own, batch));
        move_channels(cpu, dw, s.y_c, g->w, p->cout, rows, p->cout);
    }
    return EEX_OK;
}
