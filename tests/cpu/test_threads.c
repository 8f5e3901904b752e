/* No result of an op depends on how many threads there are: convolutions and their gradients, with
 * the sums that go with them, at sizes that are worth sharing out. threads_ops.c has the others. */
#include "cpu/devices.h"
#include "cpu/kernels/bf16/bf16.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

typedef struct shape {
    eex_window window;
    int batch;
} shape;

static const shape shapes[] = {
    {{24, 16, 16, 72, 16, 16, 1, 1, 0, 1}, 37},   {{160, 4, 4, 320, 4, 4, 1, 1, 0, 1}, 64},
    {{48, 8, 8, 64, 4, 4, 3, 2, 1, 1}, 50},       {{3, 32, 32, 32, 32, 32, 3, 1, 1, 1}, 19},
    {{256, 8, 8, 256, 8, 8, 3, 1, 1, 1}, 17},     {{200, 8, 8, 200, 8, 8, 3, 1, 1, 200}, 40},
    {{64, 17, 17, 64, 9, 9, 3, 2, 1, 64}, 33},    {{96, 24, 24, 96, 24, 24, 3, 1, 1, 96}, 3},
    {{1280, 1, 1, 1000, 1, 1, 1, 1, 0, 1}, 1200}, {{512, 2, 2, 70, 2, 2, 1, 1, 0, 1}, 1},
};

static const int counts[] = {1, 2, 3, 5};

/* Everything that one pass over a window reads and writes. */
typedef struct pass {
    size_t nx, ny, nw;
    float *x, *dy, *w;
    float *y, *dx, *dw, *dbias;
    double *stats;
} pass;

static float *floats(size_t n, uint32_t state)
{
    float *to = malloc(n * sizeof *to);
    cr_assert_not_null(to);
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        to[i] = (float)(state >> 8) / (float)(1 << 23) - 1;
    }
    return to;
}

static pass pass_new(const shape *s)
{
    const eex_window *v = &s->window;
    pass p = {.nx = (size_t)s->batch * (size_t)(v->hin * v->win * v->cin),
              .ny = (size_t)s->batch * (size_t)(v->hout * v->wout * v->cout),
              .nw = (size_t)(v->kernel * v->kernel * (v->cin / v->groups) * v->cout)};
    p.x = floats(p.nx, 1);
    p.dy = floats(p.ny, 2);
    p.w = floats(p.nw, 3);
    p.y = floats(p.ny, 4);
    p.dx = floats(p.nx, 5);
    p.dw = floats(p.nw, 6);
    p.dbias = floats((size_t)v->cout, 7);
    p.stats = calloc(2 * (size_t)v->cout, sizeof *p.stats);
    cr_assert_not_null(p.stats);
    return p;
}

static void pass_free(pass *p)
{
    float *all[] = {p->x, p->dy, p->w, p->y, p->dx, p->dw, p->dbias};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    free(p->stats);
}

static void run_op(eex_device *dev, const eex_op *op, int batch)
{
    void *state;
    eex_step step = {.batch = batch};
    cr_assert_eq(dev->vtable->prepare(dev, &state, op, batch), EEX_OK, "%s", eex_error());
    cr_assert_eq(dev->vtable->run(dev, op, state, &step), EEX_OK, "%s", eex_error());
    dev->vtable->finish(dev, op, state);
}

static void run_pass(pass *p, const shape *s, eex_precision precision, int threads)
{
    eex_device *dev = open_cpu("", threads);
    eex_op op = {.kind = EEX_OP_CONV, .precision = precision, .name = "conv"};
    op.u.conv =
        (eex_op_conv){.window = s->window, .x = p->x, .w = p->w, .y = p->y, .stats = p->stats};
    run_op(dev, &op, s->batch);
    op = (eex_op){.kind = EEX_OP_CONV_BWD_DATA, .precision = precision, .name = "conv"};
    op.u.conv_bwd_data = (eex_op_conv_bwd_data){s->window, p->dy, p->w, p->dx, false};
    run_op(dev, &op, s->batch);
    op = (eex_op){.kind = EEX_OP_CONV_BWD_WEIGHTS, .precision = precision, .name = "conv"};
    op.u.conv_bwd_weights =
        (eex_op_conv_bwd_weights){s->window, p->x, p->dy, p->dw, p->dbias, false};
    run_op(dev, &op, s->batch);
    eex_device_close(dev);
}

static void expect_same(const void *a, const void *b, size_t bytes, const char *what, int i,
                        int threads)
{
    cr_expect(memcmp(a, b, bytes) == 0, "shape %d on %d threads: %s differs from that on one", i,
              threads, what);
}

static void check_shapes(eex_precision precision)
{
    for (int i = 0; i < (int)(sizeof shapes / sizeof *shapes); i++) {
        const shape *s = &shapes[i];
        pass one = pass_new(s);
        run_pass(&one, s, precision, 1);
        for (int t = 1; t < 4; t++) {
            pass p = pass_new(s);
            const size_t c = (size_t)s->window.cout;
            run_pass(&p, s, precision, counts[t]);
            expect_same(p.y, one.y, p.ny * sizeof *p.y, "the result", i, counts[t]);
            expect_same(p.stats, one.stats, 2 * c * sizeof *p.stats, "its sums", i, counts[t]);
            expect_same(p.dx, one.dx, p.nx * sizeof *p.dx, "the data's gradient", i, counts[t]);
            expect_same(p.dw, one.dw, p.nw * sizeof *p.dw, "the weights' gradient", i, counts[t]);
            expect_same(p.dbias, one.dbias, c * sizeof *p.dbias, "the bias'", i, counts[t]);
            pass_free(&p);
        }
        pass_free(&one);
    }
}

Test(threads, convolutions_do_not_depend_on_their_number)
{
    check_shapes(EEX_F32);
}

Test(threads, bfloat16_products_do_not_depend_on_their_number)
{
    if (!eex__bf16_find(NULL))
        cr_skip_test("no unit of this processor multiplies in bfloat16");
    check_shapes(EEX_BF16_PRODUCTS);
}
