/* Resizing against a reference that goes through every pixel of the source. */
#include "support/devices.h"
#include "support/reference_ops.h"
#include "support/tensor.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <string.h>

static eex_op op_of(eex_op_resize r, tensor x, tensor y)
{
    eex_op op = {.kind = EEX_OP_RESIZE, .name = "input", .u.resize = r};
    op.u.resize.x = x.dev;
    op.u.resize.y = y.dev;
    return op;
}

static size_t before(eex_op_resize r)
{
    return (size_t)r.hin * (size_t)r.win * (size_t)r.c;
}

static size_t after(eex_op_resize r)
{
    return (size_t)r.hout * (size_t)r.wout * (size_t)r.c;
}

static void check(eex_device *dev, int batch, eex_op_resize r)
{
    bench b;
    bench_init(&b, dev);
    const size_t in = before(r), out = after(r);
    tensor x = tensor_random(&b, (size_t)batch * in, 1, -2, 2);
    tensor y = tensor_poison(&b, (size_t)batch * out);
    double *xs = tensor_doubles(&b, x), *want = bench_doubles(&b, out);
    eex_op op = op_of(r, x, y);
    eex_step step = bench_step(batch);
    bench_run(&b, &op, batch, &step);
    tensor_download(&b, y);
    for (int i = 0; i < batch; i++) {
        ref_resize(want, xs + (size_t)i * in, &r);
        expect_close("y", y.host + (size_t)i * out, want, out, 2e-6);
    }
    bench_free(&b);
}

static void reference_on(eex_device *dev)
{
    static const eex_op_resize all[] = {
        {.c = 3, .hin = 8, .win = 8, .hout = 12, .wout = 12},
        {.c = 3, .hin = 16, .win = 16, .hout = 20, .wout = 20},
        {.c = 3, .hin = 20, .win = 20, .hout = 16, .wout = 16},
        {.c = 1, .hin = 28, .win = 28, .hout = 9, .wout = 9},
        {.c = 2, .hin = 5, .win = 7, .hout = 10, .wout = 14},
        {.c = 3, .hin = 13, .win = 3, .hout = 2, .wout = 17},
        {.c = 3, .hin = 1, .win = 1, .hout = 5, .wout = 3},
        {.c = 3, .hin = 9, .win = 6, .hout = 1, .wout = 1},
        {.c = 1, .hin = 7, .win = 7, .hout = 7, .wout = 7},
    };
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        check(dev, 1, all[k]);
        check(dev, 3, all[k]);
    }
}

Test(resize, matches_the_reference)
{
    on_each_device(reference_on);
}

/* The same size is the same image; one value stays that value at the edges too; the left of the
 * target comes from the left of the source. */
static void known_on(eex_device *dev)
{
    bench b;
    bench_init(&b, dev);
    const eex_op_resize same = {.c = 3, .hin = 6, .win = 5, .hout = 6, .wout = 5};
    tensor x = tensor_random(&b, before(same), 1, -2, 2), y = tensor_poison(&b, before(same));
    eex_step step = bench_step(1);
    eex_op op = op_of(same, x, y);
    bench_run(&b, &op, 1, &step);
    tensor_download(&b, y);
    for (size_t i = 0; i < x.n; i++)
        cr_expect_float_eq(y.host[i], x.host[i], 1e-6);
    const eex_op_resize sides[] = {{.c = 1, .hin = 4, .win = 6, .hout = 9, .wout = 11},
                                   {.c = 1, .hin = 9, .win = 11, .hout = 4, .wout = 6}};
    for (int k = 0; k < 2; k++) {
        tensor flat = tensor_filled(&b, before(sides[k]), 0.7f);
        tensor z = tensor_poison(&b, after(sides[k]));
        op = op_of(sides[k], flat, z);
        bench_run(&b, &op, 1, &step);
        tensor_download(&b, z);
        for (size_t i = 0; i < z.n; i++)
            cr_expect_float_eq(z.host[i], 0.7f, 1e-6);
        for (int i = 0; i < sides[k].hin * sides[k].win; i++) /* rises by rows and by columns */
            flat.host[i] = (float)i + (float)(i % sides[k].win);
        tensor_upload(&b, flat);
        bench_run(&b, &op, 1, &step);
        tensor_download(&b, z);
        const int w = sides[k].wout;
        for (int i = 0; i < sides[k].hout * w; i++) {
            cr_expect(i % w == 0 || z.host[i] >= z.host[i - 1]);
            cr_expect(i < w || z.host[i] > z.host[i - w]);
        }
    }
    bench_free(&b);
}

Test(resize, what_is_known_of_it)
{
    on_each_device(known_on);
}

/* An image is the same whatever is beside it, and whoever works on it. */
Test(resize, bits_depend_on_the_image_alone)
{
    enum { BATCH = 67 };
    const eex_op_resize r = {.c = 3, .hin = 32, .win = 32, .hout = 56, .wout = 56};
    eex_device *dev = open_device(3), *single = open_device(1);
    bench b, one;
    bench_init(&b, dev);
    bench_init(&one, single);
    tensor x = tensor_random(&b, BATCH * before(r), 1, -2, 2);
    tensor y = tensor_poison(&b, BATCH * after(r));
    eex_op op = op_of(r, x, y);
    eex_step step = bench_step(BATCH);
    bench_run(&b, &op, BATCH, &step);
    tensor_download(&b, y);
    for (size_t i = 0; i < BATCH; i += 22) {
        tensor image = tensor_from(&one, x.host + i * before(r), before(r));
        tensor out = tensor_poison(&one, after(r));
        op = op_of(r, image, out);
        step = bench_step(1);
        bench_run(&one, &op, 1, &step);
        tensor_download(&one, out);
        expect_equal_bits("y", out.host, y.host + i * after(r), after(r));
    }
    bench_free(&b);
    bench_free(&one);
    eex_device_close(dev);
    eex_device_close(single);
}

Test(resize, impossible_images_are_refused)
{
    static const eex_op_resize all[] = {
        {.c = 4, .hin = 8, .win = 8, .hout = 9, .wout = 9},
        {.c = 0, .hin = 8, .win = 8, .hout = 9, .wout = 9},
        {.c = 3, .hin = 0, .win = 8, .hout = 9, .wout = 9},
        {.c = 3, .hin = 8, .win = 8, .hout = 9, .wout = -1},
        {.c = 3, .hin = 8, .win = 20000, .hout = 9, .wout = 9},
    };
    eex_device *dev = open_device(1);
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        void *state = NULL;
        const eex_op op = {.kind = EEX_OP_RESIZE, .name = "input", .u.resize = all[k]};
        cr_assert_eq(dev->vtable->prepare(dev, &state, &op, 1), EEX_EUNSUPPORTED, "case %zu", k);
        cr_assert_not_null(strstr(eex_error(), "\"input\""), "%s", eex_error());
    }
    eex_device_close(dev);
}
