#include "support/devices.h"
#include "support/tensor.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void zero_on(eex_device *dev)
{
    static const size_t counts[] = {0, 1, 16, 1000, 100003};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        bench b;
        bench_init(&b, dev);
        tensor t = tensor_filled(&b, counts[i] + 1, 7);
        eex_op op = {.kind = EEX_OP_ZERO, .name = "zero"};
        op.u.fill = (eex_op_fill){.count = counts[i], .to = t.dev};
        eex_step step = bench_step(1);
        bench_run(&b, &op, 1, &step);
        tensor_download(&b, t);
        for (size_t k = 0; k < counts[i]; k++)
            cr_assert_eq(t.host[k], 0);
        cr_assert_eq(t.host[counts[i]], 7);
        bench_free(&b);
    }
}

Test(fill, zeros)
{
    on_each_device(zero_on);
}

/* The nearest of the 16-bit neighbours, the even one when there are two. */
static uint16_t rounded(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t low = bits & 0xffff, high = bits >> 16;
    return (uint16_t)(low > 0x8000 || (low == 0x8000 && high % 2) ? high + 1 : high);
}

static void check_cast(eex_device *dev, size_t count, size_t skip)
{
    bench b;
    bench_init(&b, dev);
    tensor t = tensor_random(&b, count + skip, 1, -100, 100);
    static const float corners[] = {0.0f, -0.0f, 1.0f, 1.00390625f, 1.01171875f, 3.4e38f};
    for (size_t i = 0; i < count + skip && i < sizeof corners / sizeof *corners; i++)
        t.host[i] = corners[i];
    tensor_upload(&b, t);
    size_t bytes = (count + 8) * sizeof(uint16_t);
    uint16_t *host = (uint16_t *)bench_doubles(&b, count + 8);
    memset(host, 0x55, bytes);
    uint16_t *to = bench_bytes(&b, host, bytes);
    eex_op op = {.kind = EEX_OP_CAST, .name = "cast"};
    op.u.fill = (eex_op_fill){.count = count, .from = t.dev + skip, .to = to};
    eex_step step = bench_step(1);
    bench_run(&b, &op, 1, &step);
    cr_assert_eq(dev->vtable->download(dev, host, to, bytes), EEX_OK);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(host[i], rounded(t.host[i + skip]), "%g became %04x", (double)t.host[i + skip],
                     host[i]);
    for (size_t i = 0; i < 8; i++)
        cr_assert_eq(host[count + i], 0x5555, "written past the end");
    bench_free(&b);
}

static void cast_on(eex_device *dev)
{
    if (on_cpu()) {
        void *state = NULL;
        eex_op op = {.kind = EEX_OP_CAST, .name = "cast"};
        cr_assert_eq(dev->vtable->prepare(dev, &state, &op, 1), EEX_EUNSUPPORTED);
        return;
    }
    static const size_t counts[] = {0, 1, 16, 1000, 100003};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        check_cast(dev, counts[i], 0);
        check_cast(dev, counts[i], 1);
    }
}

Test(fill, casts_round_to_nearest_even)
{
    on_each_device(cast_on);
}
