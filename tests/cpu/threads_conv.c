/* Convolutions and their gradients on four threads, under the thread sanitizer: no thread writes
 * what another one reads, and the results are those of one thread. */
#include "cpu/device_cpu.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 21, LARGEST = 1 << 17 };

#define CHECK(condition)                                                                     \
    do {                                                                                     \
        if (!(condition)) {                                                                  \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, eex_error()); \
            exit(1);                                                                         \
        }                                                                                    \
    } while (0)

static const eex_window windows[] = {
    {24, 8, 8, 40, 8, 8, 3, 1, 1, 1},  {64, 4, 4, 144, 4, 4, 1, 1, 0, 1},
    {128, 6, 6, 96, 3, 3, 1, 2, 0, 1}, {320, 1, 1, 200, 1, 1, 1, 1, 0, 1},
    {48, 9, 9, 48, 5, 5, 3, 2, 1, 48}, {200, 2, 2, 200, 2, 2, 3, 1, 1, 200},
};

/* Everything that one pass over a window writes. */
typedef struct results {
    float y[LARGEST], dx[LARGEST], dw[LARGEST], dbias[512];
    double stats[1024];
} results;

static float x[LARGEST], dy[LARGEST], w[LARGEST];

static void run(eex_device *dev, const eex_op *op)
{
    void *state;
    eex_step step = {.batch = BATCH};
    CHECK(dev->vtable->prepare(dev, &state, op, BATCH) == EEX_OK);
    for (int i = 0; i < 3; i++)
        CHECK(dev->vtable->run(dev, op, state, &step) == EEX_OK);
    dev->vtable->finish(dev, op, state);
}

static void run_all(results *r, const eex_window *window, int threads)
{
    eex_device *dev;
    CHECK(eex_cpu_open(&dev, &(eex_device_options){.threads = threads}) == EEX_OK);
    eex_op op = {.kind = EEX_OP_CONV, .name = "conv"};
    op.u.conv = (eex_op_conv){.window = *window, .x = x, .w = w, .y = r->y, .stats = r->stats};
    run(dev, &op);
    op = (eex_op){.kind = EEX_OP_CONV_BWD_DATA, .name = "conv"};
    op.u.conv_bwd_data = (eex_op_conv_bwd_data){*window, dy, w, r->dx, false};
    run(dev, &op);
    op = (eex_op){.kind = EEX_OP_CONV_BWD_WEIGHTS, .name = "conv"};
    op.u.conv_bwd_weights = (eex_op_conv_bwd_weights){*window, x, dy, r->dw, r->dbias, false};
    run(dev, &op);
    eex_device_close(dev);
}

static void check_same(const float *a, const float *b, int n)
{
    for (int i = 0; i < n; i++)
        CHECK(a[i] == b[i]);
}

int main(void)
{
    static results one, four;
    for (int i = 0; i < LARGEST; i++) {
        x[i] = (float)(i * 37 % 101) / 101 - 0.4f;
        dy[i] = (float)(i * 53 % 97) / 97 - 0.5f;
        w[i] = (float)(i * 29 % 89) / 89 - 0.5f;
    }
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        const eex_window *v = &windows[i];
        run_all(&one, v, 1);
        run_all(&four, v, 4);
        check_same(four.y, one.y, BATCH * v->hout * v->wout * v->cout);
        check_same(four.dx, one.dx, BATCH * v->hin * v->win * v->cin);
        check_same(four.dw, one.dw, v->kernel * v->kernel * v->cin / v->groups * v->cout);
        check_same(four.dbias, one.dbias, v->cout);
        for (int c = 0; c < 2 * v->cout; c++)
            CHECK(four.stats[c] == one.stats[c]);
    }
    return 0;
}
