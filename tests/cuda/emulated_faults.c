/* A GPU that fails at every place in turn: whatever happens, the message says what and where,
 * nothing is leaked, and the next device works. */
#include "core/plan/plan.h"
#include "cuda/chips.h"
#include "cuda/cuda_register.h"
#include "cuda/fake_cuda.h"
#include "cuda/host.h"
#include "support/capture.h"
#include "support/devices.h"
#include "support/net.h"

#include <stdlib.h>

static int try_open(void)
{
    eex_device *dev;
    int code = eex_device_open(&dev, "cuda", &(eex_device_options){.deterministic = true});
    cr_expect((code == EEX_OK) == (dev != NULL));
    eex_device_close(dev);
    return code;
}

static void expect_opens(void)
{
    eex_fake_cuda_heal();
    cr_expect_eq(try_open(), EEX_OK, "%s", eex_error());
    cr_expect_eq(eex_fake_cuda_held(), 0);
}

Test(faults, opening_may_fail_anywhere)
{
    static const char *const functions[] = {
        "cudaSetDevice",
        "cudaGetDeviceProperties",
        "cudaStreamCreateWithFlags",
        "cudaHostAlloc",
        "cudaEventCreateWithFlags",
        "cudaMalloc",
        "cublasCreate",
        "cudnnCreate",
    };
    int failures = 0;
    eex_device_close(open_device(1));
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        for (int k = 0; k < 4; k++) { /* events: of staging, then of places for images ahead */
            const int nth = k < 3 ? k + 1 : EEX_CUDA_STAGES + 4;
            eex_fake_cuda_fail(functions[i], nth, cudaErrorMemoryAllocation);
            int code = try_open();
            if (code == EEX_OK)
                continue; /* it is not called that often */
            failures++;
            cr_expect(code == EEX_ENOMEM || code == EEX_EDEVICE, "%s: %d", functions[i], code);
            cr_expect_not_null(strstr(eex_error(), "cuda:0"), "%s: %s", functions[i], eex_error());
            cr_expect_eq(eex_fake_cuda_held(), 0, "%s %d leaks", functions[i], nth);
            expect_opens();
        }
    cr_expect_gt(failures, 8);
}

Test(faults, without_a_gpu_it_says_so)
{
    eex_device_close(open_device(1));
    eex_fake_cuda_capability(0, 0);
    cr_expect_eq(try_open(), EEX_ENOTFOUND);
    cr_expect_not_null(strstr(eex_error(), "no GPU"), "%s", eex_error());
    eex_fake_cuda_capability(6, 1);
    eex_device *dev = open_device(1);
    cr_expect_eq(dev->precisions, 1u << EEX_F32);
    eex_device_close(dev);
}

Test(faults, a_build_without_code_for_the_chip_says_so)
{
    eex_device_close(open_device(1));
    eex_fake_cuda_fail("cudaFuncGetAttributes", 1, cudaErrorNoKernelImageForDevice);
    cr_expect_eq(try_open(), EEX_EUNSUPPORTED);
    cr_expect_not_null(strstr(eex_error(), "this build has kernels for"), "%s", eex_error());
    cr_expect_not_null(strstr(eex_error(), "a chip of 8.0"), "%s", eex_error());
    expect_opens();
}

Test(faults, which_chips_a_build_has_code_for)
{
    static const struct {
        const char *list, *text;
        int major, minor;
        bool has;
    } rows[] = {
        {"75-real 80-real 90", "7.5, 8.0, 9.0 and newer", 6, 1, false},
        {"75-real 80-real 90", "7.5, 8.0, 9.0 and newer", 7, 5, true},
        {"75-real 80-real 90", "7.5, 8.0, 9.0 and newer", 7, 0, false},
        {"75-real 80-real 90", "7.5, 8.0, 9.0 and newer", 8, 9, true},
        {"75-real 80-real 90", "7.5, 8.0, 9.0 and newer", 12, 0, true},
        {"61-real", "6.1", 6, 1, true},
        {"61-real", "6.1", 7, 0, false},
        {"61-real", "6.1", 6, 0, false},
        {"60-virtual", "6.0 and newer", 9, 0, true},
        {"90a", "9.0", 9, 0, true},
        {"90a", "9.0", 10, 0, false},
        {"100-real 120", "10.0, 12.0 and newer", 9, 0, false},
        {"native", "unknown chips", 5, 0, true},
        {"", "unknown chips", 9, 0, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[64];
        eex_cuda_chips_text(rows[i].list, text, sizeof text);
        cr_expect_str_eq(text, rows[i].text, "%s: %s", rows[i].list, text);
        cr_expect_eq(eex_cuda_chips_have(rows[i].list, rows[i].major, rows[i].minor), rows[i].has,
                     "%s on %d.%d", rows[i].list, rows[i].major, rows[i].minor);
    }
}

/* Before CUDA is used for the first time; a value of the user's stays. */
Test(faults, kernels_are_loaded_as_they_are_needed)
{
    unsetenv("CUDA_MODULE_LOADING");
    cr_assert_eq(eex_cuda_register(), EEX_OK);
    cr_expect_str_eq(getenv("CUDA_MODULE_LOADING"), "LAZY");
    setenv("CUDA_MODULE_LOADING", "EAGER", 1);
    cr_assert_eq(eex_cuda_register(), EEX_OK);
    cr_expect_str_eq(getenv("CUDA_MODULE_LOADING"), "EAGER");
}

Test(faults, memory_that_runs_out_is_named)
{
    eex_device *dev = open_device(1);
    void *memory;
    eex_fake_cuda_memory(eex_fake_cuda_held() + (1 << 20));
    cr_expect_eq(dev->vtable->allocate(dev, &memory, 2 << 20), EEX_ENOMEM);
    cr_expect_null(memory);
    cr_expect_not_null(strstr(eex_error(), "2 MiB"), "%s", eex_error());
    cr_expect_eq(dev->vtable->allocate(dev, &memory, 1 << 19), EEX_OK, "%s", eex_error());
    dev->vtable->release(dev, memory);
    eex_device_close(dev);
    cr_expect_eq(eex_fake_cuda_held(), 0);
}

/* The most that was there at once, whatever has gone since. */
Test(faults, the_peak_is_what_was_there_at_once)
{
    enum { MIB = 1 << 20 };
    eex_device *dev = open_device(1);
    eex_device_usage before, after;
    void *memory[2];
    cr_assert_eq(dev->vtable->usage(dev, &before), EEX_OK);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(dev->vtable->allocate(dev, &memory[i], 5 * MIB), EEX_OK, "%s", eex_error());
    for (int i = 0; i < 2; i++)
        dev->vtable->release(dev, memory[i]);
    cr_assert_eq(dev->vtable->allocate(dev, &memory[0], 7 * MIB), EEX_OK, "%s", eex_error());
    dev->vtable->release(dev, memory[0]);
    cr_assert_eq(dev->vtable->usage(dev, &after), EEX_OK);
    cr_expect_eq(after.bytes, before.bytes);
    cr_expect_geq(after.peak_bytes - before.bytes, 10 * MIB);
    cr_expect_lt(after.peak_bytes - before.bytes, 11 * MIB);
    eex_device_close(dev);
}

/* A script's models may hold so much on whichever device. */
Test(faults, a_limit_holds_for_all_that_is_allocated)
{
    eex_device *dev;
    void *memory[3] = {NULL};
    const eex_device_options options = {.memory = 100 << 20};
    eex_device_close(open_device(1)); /* makes the device known */
    cr_assert_eq(eex_device_open(&dev, "cuda", &options), EEX_OK, "%s", eex_error());
    const size_t held = dev->held;
    cr_expect_geq(held, eex_fake_cuda_held());
    cr_expect_geq(held, (size_t)64 << 20); /* the workspace and what uploads go through */
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(dev->vtable->allocate(dev, &memory[i], 30 << 20), i ? EEX_ENOMEM : EEX_OK);
        cr_expect_eq(dev->full, i > 0);
    }
    cr_expect_not_null(strstr(eex_error(), "above its limit of 100 MiB"), "%s", eex_error());
    dev->vtable->release(dev, memory[0]);
    cr_expect_eq(dev->held, held);
    cr_expect_eq(dev->vtable->allocate(dev, &memory[1], 30 << 20), EEX_OK, "%s", eex_error());
    eex_fake_cuda_memory(eex_fake_cuda_held()); /* and what the GPU has not got is not held */
    dev->memory = 0;
    cr_expect_eq(dev->vtable->allocate(dev, &memory[2], 2 << 20), EEX_ENOMEM);
    cr_expect(!dev->full);
    dev->vtable->release(dev, memory[1]);
    cr_expect_eq(dev->held, held);
    eex_device_close(dev);
    cr_expect_eq(eex_fake_cuda_held(), 0);
}

/* ---- a training step ---- */

static const float weight[] = {0.3f, 0.3f, 0.4f};

/* Makes a plan and trains some steps, so that graphs are recorded and replayed. */
static int train(net *n)
{
    eex_plan_options options = net_training(4, weight, 3);
    eex_plan *plan = NULL;
    eex_totals totals;
    int code = eex_optimizer_state_new(&options.state, n->params, &options.optimizer);
    if (code == EEX_OK)
        code = eex_plan_new(&plan, &options, n->graph, n->params);
    for (uint64_t i = 1; i <= 4 && code == EEX_OK; i++) {
        code = eex_plan_upload(plan, n->images, n->labels, n->samples, 4);
        if (code == EEX_OK)
            code = eex_plan_step(plan, &(eex_step){.batch = 4, .seed = 9, .step = i});
        if (code == EEX_OK)
            code = eex_plan_totals(plan, 0, &totals);
    }
    eex_plan_free(plan);
    eex_optimizer_state_free(options.state);
    return code;
}

static void expect_training_fails(net *n, const char *function, int nth, cudaError_t error)
{
    size_t held = eex_fake_cuda_held();
    eex_fake_cuda_fail(function, nth, error);
    int code = train(n);
    cr_expect(code == EEX_ENOMEM || code == EEX_EDEVICE, "%s %d: %d", function, nth, code);
    cr_expect_not_null(strstr(eex_error(), "cuda:0"), "%s %d: %s", function, nth, eex_error());
    eex_fake_cuda_heal();
    if (error == cudaErrorMemoryAllocation)
        cr_expect_leq(eex_fake_cuda_held(), held, "%s %d leaks", function, nth);
}

Test(faults, a_step_that_fails_is_reported)
{
    net n = net_open(net_tiny, 4, 1);
    cr_assert_eq(train(&n), EEX_OK, "%s", eex_error());
    for (int nth = 1; nth < 80; nth += 23) /* the first step; later ones are recorded, see below */
        expect_training_fails(&n, "launch", nth, cudaErrorInvalidConfiguration);
    for (int nth = 1; nth < 150; nth += 23)
        expect_training_fails(&n, "kernel", nth, cudaErrorIllegalAddress);
    for (int nth = 1; nth <= 3; nth++)
        expect_training_fails(&n, "cudaMalloc", nth, cudaErrorMemoryAllocation);
    expect_training_fails(&n, "cublasGemmEx", 3, cudaErrorUnknown);
    expect_training_fails(&n, "cudaGraphLaunch", 2, cudaErrorUnknown);
    expect_training_fails(&n, "cudaMemcpyAsync", 2, cudaErrorUnknown);
    eex_fake_cuda_fail("cudnnConvolutionForward", 2, cudaErrorUnknown); /* there are patches */
    cr_expect_eq(train(&n), EEX_OK, "%s", eex_error());
    net_close(&n);
}

/* A graph that cannot be made costs speed, not the run. */
Test(faults, without_its_graph_a_step_is_the_same)
{
    static const char *const functions[] = {"cudaStreamBeginCapture", "cudaStreamEndCapture",
                                            "cudaGraphInstantiateWithFlags"};
    float *first = NULL;
    for (size_t i = 0; i <= sizeof functions / sizeof *functions; i++) {
        net n = net_open(net_tiny, 4, 1);
        if (i > 0)
            eex_fake_cuda_fail(functions[i - 1], 1, cudaErrorMemoryAllocation);
        cr_assert_eq(train(&n), EEX_OK, "%s", eex_error());
        eex_fake_cuda_heal();
        size_t count = n.params->count;
        float *w = fetch_floats(n.dev, n.params->w, count);
        if (first)
            cr_expect_eq(memcmp(w, first, count * sizeof *w), 0, "%s", functions[i - 1]);
        free(first);
        first = w;
        net_close(&n);
    }
    free(first);
}

/* Without memory to time a convolution the first algorithm that fits is taken, or patches. */
Test(faults, convolutions_are_chosen_without_memory_to_time_them)
{
    eex_device *dev;
    eex_device_close(open_device(1)); /* registers the backend */
    cr_assert_eq(eex_device_open(&dev, "cuda", &(eex_device_options){.deterministic = false}),
                 EEX_OK);
    eex_op op = {.kind = EEX_OP_CONV, .name = "conv"};
    void *state, *memory;
    op.u.conv.window = (eex_window){.cin = 16,
                                    .hin = 64,
                                    .win = 64,
                                    .cout = 16,
                                    .hout = 64,
                                    .wout = 64,
                                    .kernel = 3,
                                    .stride = 1,
                                    .pad = 1,
                                    .groups = 1};
    cr_assert_eq(dev->vtable->allocate(dev, &memory, 16 * 16 * 9 * sizeof(float)), EEX_OK);
    op.u.conv.w = memory;
    /* Patches take 18 MiB, a trial 4 more. */
    static const size_t mib[] = {4, 20, 64};
    static const int wanted[] = {EEX_ENOMEM, EEX_OK, EEX_OK};
    size_t held = eex_fake_cuda_held();
    for (int i = 0; i < 3; i++) {
        eex_fake_cuda_memory(held + (mib[i] << 20));
        cr_expect_eq(dev->vtable->prepare(dev, &state, &op, 8), wanted[i], "%zu MiB: %s", mib[i],
                     eex_error());
        if (wanted[i] == EEX_OK)
            dev->vtable->finish(dev, &op, state);
    }
    dev->vtable->release(dev, memory);
    eex_device_close(dev);
}

/* ---- orders ---- */

/* No result may depend on the order in which blocks and threads run. */
Test(faults, training_is_the_same_in_every_order)
{
    float *first = NULL;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        net n = net_open(net_tiny, 4, 1);
        eex_fake_cuda_seed(seed);
        cr_assert_eq(train(&n), EEX_OK, "%s", eex_error());
        size_t count = n.params->count;
        float *w = fetch_floats(n.dev, n.params->w, count);
        if (first)
            cr_expect_eq(memcmp(w, first, count * sizeof *w), 0, "seed %d", (int)seed);
        free(first);
        first = w;
        net_close(&n);
    }
    free(first);
}
