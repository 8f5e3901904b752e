#include "cpu/cpu_register.h"
#include "cpu/device_cpu.h"
#include "cpu/devices.h"
#include "device/backends.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>

Test(device, cpu_is_found_by_name_once_registered)
{
    eex_device *dev;
    cr_assert_eq(eex_device_open(&dev, "cpu", NULL), EEX_ENOTFOUND);
    cr_assert_str_eq(eex_error(), "no device \"cpu\": this build has none");
    cr_assert_eq(eex_cpu_register(), EEX_OK);
    cr_assert_eq(eex_cpu_register(), EEX_OK, "twice is harmless");
    cr_assert_str_eq(eex_device_kind(0), "cpu");
    cr_assert_null(eex_device_kind(1));
    cr_assert_eq(eex_device_open(&dev, "cpu", NULL), EEX_OK, "%s", eex_error());
    cr_assert_str_eq(dev->vtable->kind, "cpu");
    cr_assert_eq(strncmp(dev->name, "cpu (", 5), 0);
    cr_assert_geq(dev->threads, 1);
    cr_assert(dev->host_memory);
    eex_device_close(dev);
    eex_device_close(NULL);
}

Test(device, a_missing_kind_is_named_with_those_that_are_there)
{
    eex_device *dev;
    cr_assert_eq(eex_cpu_register(), EEX_OK);
    cr_assert_eq(eex_device_open(&dev, "cuda:1", NULL), EEX_ENOTFOUND);
    cr_assert_null(dev);
    cr_assert_str_eq(eex_error(), "no device \"cuda:1\": this build has cpu");
    cr_assert_eq(eex_device_open(&dev, "cp", NULL), EEX_ENOTFOUND);
    cr_assert_eq(eex_device_open(&dev, NULL, NULL), EEX_EINVAL);
    cr_assert_eq(eex_device_open(&dev, "cpu:0", NULL), EEX_EINVAL);
}

static int open_nothing(eex_device **out, const char *argument, const eex_device_options *options)
{
    *out = NULL;
    return eex_fail(EEX_EDEVICE, "argument %s, %d threads", argument ? argument : "none",
                    options->threads);
}

Test(device, a_backend_gets_what_follows_the_colon)
{
    static const char *const kinds[] = {"a", "b", "c", "d", "e", "f", "g"};
    eex_device *dev;
    cr_assert_eq(eex_device_register("other", open_nothing), EEX_OK);
    cr_assert_eq(eex_device_open(&dev, "other:3", NULL), EEX_EDEVICE);
    cr_assert_str_eq(eex_error(), "argument 3, 0 threads");
    cr_assert_eq(eex_device_open(&dev, "other", &(eex_device_options){.threads = 2}), EEX_EDEVICE);
    cr_assert_str_eq(eex_error(), "argument none, 2 threads");
    for (int i = 0; i < 7; i++)
        cr_assert_eq(eex_device_register(kinds[i], open_nothing), EEX_OK);
    cr_assert_eq(eex_device_register("ninth", open_nothing), EEX_EINVAL);
    cr_assert_eq(eex_device_register("", open_nothing), EEX_EINVAL);
}

Test(device, wrong_options_are_refused)
{
    eex_device *dev;
    cr_assert_eq(eex_cpu_open(&dev, &(eex_device_options){.threads = -1}), EEX_EINVAL);
    cr_assert_eq(eex_cpu_open(&dev, &(eex_device_options){.threads = 100000}), EEX_EINVAL);
    setenv("EEX_CPU_ISA", "mmx", 1);
    cr_assert_eq(eex_cpu_open(&dev, &(eex_device_options){.threads = 1}), EEX_EINVAL);
    cr_assert_not_null(strstr(eex_error(), "\"mmx\""));
    cr_assert_null(dev);
}

static void memory_on(eex_device *dev)
{
    static const size_t sizes[] = {0, 1, 100, 6 << 20};
    static char data[6 << 20], back[6 << 20];
    memset(data, 7, sizeof data);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *memory;
        cr_assert_eq(dev->vtable->allocate(dev, &memory, sizes[i]), EEX_OK);
        cr_assert_eq((uintptr_t)memory % 64, 0);
        cr_assert_eq(dev->vtable->upload(dev, memory, data, sizes[i]), EEX_OK);
        cr_assert_eq(dev->vtable->download(dev, back, memory, sizes[i]), EEX_OK);
        cr_assert_eq(memcmp(back, data, sizes[i]), 0);
        cr_assert_eq(dev->vtable->zero(dev, memory, sizes[i]), EEX_OK);
        cr_assert_eq(dev->vtable->download(dev, back, memory, sizes[i]), EEX_OK);
        for (size_t k = 0; k < sizes[i]; k++)
            cr_assert_eq(back[k], 0);
        dev->vtable->release(dev, memory);
    }
    dev->vtable->release(dev, NULL);
    cr_assert_eq(dev->vtable->sync(dev), EEX_OK);
}

Test(device, memory_goes_there_and_back)
{
    on_each_device(memory_on);
}

Test(device, too_much_memory_is_an_error)
{
    eex_device *dev = open_device(1);
    void *memory;
    cr_assert_eq(dev->vtable->allocate(dev, &memory, SIZE_MAX), EEX_ENOMEM);
    cr_assert_null(memory);
    cr_assert_eq(dev->vtable->allocate(dev, &memory, SIZE_MAX - 4095), EEX_ENOMEM);
    eex_device_close(dev);
}

Test(device, an_op_of_no_kind_is_refused)
{
    eex_device *dev = open_device(1);
    eex_op op = {.kind = EEX_OP_KINDS, .name = "odd"}, pool = {.kind = EEX_OP_GLOBAL_POOL};
    void *state;
    cr_assert_eq(dev->vtable->prepare(dev, &state, &op, 1), EEX_EUNSUPPORTED);
    cr_assert_not_null(strstr(eex_error(), "\"odd\""));
    cr_assert_eq(dev->vtable->prepare(dev, &state, &pool, 0), EEX_EINVAL);
    dev->vtable->finish(dev, &pool, NULL);
    eex_device_close(dev);
}

Test(device, threads_are_those_that_the_process_may_use)
{
    cpu_set_t all, one;
    eex_device *dev;
    int first = 0;
    cr_assert_eq(sched_getaffinity(0, sizeof all, &all), 0);
    while (!CPU_ISSET(first, &all))
        first++;
    dev = open_cpu("", 0);
    cr_expect_eq(dev->threads, CPU_COUNT(&all));
    eex_device_close(dev);
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    cr_assert_eq(sched_setaffinity(0, sizeof one, &one), 0);
    dev = open_cpu("", 0);
    cr_expect_eq(dev->threads, 1);
    eex_device_close(dev);
}

/* A unit that is run again and again for one sample: however many threads are tried and chosen for
 * it, its results are those of one. */
Test(device, what_is_chosen_for_single_inputs_changes_no_result)
{
    enum { C = 256, PIXELS = 64, RUNS = 60 };
    static float x[PIXELS * C], w[C * C], y[2][PIXELS * C];
    for (int i = 0; i < C * C; i++)
        w[i] = (float)(i % 101) / 101 - 0.5f;
    for (int i = 0; i < PIXELS * C; i++)
        x[i] = (float)(i % 97) / 97 - 0.3f;
    const eex_window window = {.cin = C,
                               .hin = 8,
                               .win = 8,
                               .cout = C,
                               .hout = 8,
                               .wout = 8,
                               .kernel = 1,
                               .stride = 1,
                               .groups = 1};
    for (int several = 0; several < 2; several++) {
        eex_device *dev = open_cpu("", several ? 0 : 1);
        eex_op op = {.kind = EEX_OP_CONV, .name = "conv"};
        op.u.conv = (eex_op_conv){.window = window, .x = x, .w = w, .y = y[several]};
        const eex_step step = {.batch = 1};
        void *state, *recording = NULL;
        cr_assert_eq(dev->vtable->prepare(dev, &state, &op, 1), EEX_OK, "%s", eex_error());
        for (int i = 0; i < RUNS; i++) {
            memset(y[several], 0xff, sizeof y[several]);
            cr_assert_eq(dev->vtable->run_unit(dev, &recording, &op, &state, 1, &step), EEX_OK);
            cr_assert(several == 0 || i == 0 || memcmp(y[0], y[1], sizeof y[0]) == 0, "run %d", i);
        }
        cr_expect_eq(recording != NULL, several && dev->threads > 1);
        dev->vtable->forget(dev, recording);
        dev->vtable->finish(dev, &op, state);
        eex_device_close(dev);
    }
    cr_expect_eq(memcmp(y[0], y[1], sizeof y[0]), 0);
}
