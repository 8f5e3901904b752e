#include "cpu/choice.h"
#include "cpu/cpu.h"
#include "cpu/cpu_register.h"
#include "cpu/device_cpu.h"
#include "device/backends.h"

#include "base/clock.h"
#include "base/processors.h"
#include "base/status.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { MAX_THREADS = 1024, ALIGNMENT = 64, HUGE_PAGE = 2 << 20 };

static const eex_cpu_op_class *const classes[EEX_OP_KINDS] = {
    [EEX_OP_AUGMENT] = &eex__cpu_augment,
    [EEX_OP_RESIZE] = &eex__cpu_resize,
    [EEX_OP_CONV] = &eex__cpu_conv,
    [EEX_OP_CONV_BWD_DATA] = &eex__cpu_conv_bwd_data,
    [EEX_OP_CONV_BWD_WEIGHTS] = &eex__cpu_conv_bwd_weights,
    [EEX_OP_BN_TRAIN] = &eex__cpu_bn_train,
    [EEX_OP_BN_EVAL] = &eex__cpu_bn_eval,
    [EEX_OP_BN_BWD] = &eex__cpu_bn_bwd,
    [EEX_OP_ACT] = &eex__cpu_act,
    [EEX_OP_ACT_BWD] = &eex__cpu_act_bwd,
    [EEX_OP_ADD] = &eex__cpu_add,
    [EEX_OP_SCALE] = &eex__cpu_scale,
    [EEX_OP_SCALE_BWD] = &eex__cpu_scale_bwd,
    [EEX_OP_COLUMNS] = &eex__cpu_columns,
    [EEX_OP_DEPTH_TO_SPACE] = &eex__cpu_depth_to_space,
    [EEX_OP_QUANTISE] = &eex__cpu_quantise,
    [EEX_OP_ACCUMULATE] = &eex__cpu_accumulate,
    [EEX_OP_MAX_POOL] = &eex__cpu_max_pool,
    [EEX_OP_MAX_POOL_BWD] = &eex__cpu_max_pool_bwd,
    [EEX_OP_GLOBAL_POOL] = &eex__cpu_global_pool,
    [EEX_OP_GLOBAL_POOL_BWD] = &eex__cpu_global_pool_bwd,
    [EEX_OP_DROPOUT] = &eex__cpu_dropout,
    [EEX_OP_LOSS] = &eex__cpu_loss,
    [EEX_OP_HEAD] = &eex__cpu_head,
    [EEX_OP_CLAMP] = &eex__cpu_clamp,
    [EEX_OP_GRAD_NORM] = &eex__cpu_grad_norm,
    [EEX_OP_SGD] = &eex__cpu_sgd,
    [EEX_OP_ADAMW] = &eex__cpu_adamw,
    [EEX_OP_EMA] = &eex__cpu_ema,
    [EEX_OP_LEAVE] = &eex__cpu_leave,
    [EEX_OP_CLASS_STATS] = &eex__cpu_class_stats,
    [EEX_OP_ZERO] = &eex__cpu_zero,
    [EEX_OP_CAST] = &eex__cpu_cast,
    [EEX_OP_COMPACT] = &eex__cpu_compact,
};
_Static_assert(EEX_OP_KINDS == 34, "a new kind of op needs its line in classes");

static eex_cpu *cpu_of(eex_device *dev)
{
    return (eex_cpu *)dev;
}

static void cpu_close(eex_device *dev)
{
    eex_cpu *cpu = cpu_of(dev);
    eex_pool_free(cpu->pool);
    eex__cpu_release_scratch(cpu);
    eex__slab_close(&cpu->weights);
    eex_device_destroy(dev);
    free(cpu);
}

/* Large blocks get huge pages where the system has them: arenas are swept through again and again,
 * and with small pages the address translation costs as much as the arithmetic. */
static int cpu_allocate(eex_device *dev, void **out, size_t bytes)
{
    *out = NULL;
    size_t alignment = bytes >= 2 * (size_t)HUGE_PAGE ? HUGE_PAGE : ALIGNMENT;
    size_t padded = (bytes + 2 * alignment - 1) / alignment * alignment;
    if (padded < bytes)
        return eex_fail(EEX_ENOMEM, "out of memory: nobody has %zu bytes", bytes);
    EEX_TRY(eex_device_hold(dev, padded));
    *out = aligned_alloc(alignment, padded);
    dev->held -= padded; /* the allocator's word counts */
    if (!*out)
        return eex_fail(EEX_ENOMEM, "out of memory: %s refused %zu bytes", dev->name, bytes);
    dev->held += malloc_usable_size(*out);
    if (alignment == HUGE_PAGE)
        (void)madvise(*out, padded, MADV_HUGEPAGE); /* a wish: without it all is just slower */
    return EEX_OK;
}

static void cpu_release(eex_device *dev, void *memory)
{
    dev->held -= memory ? malloc_usable_size(memory) : 0;
    free(memory);
}

static int cpu_copy(eex_device *dev, void *to, const void *from, size_t bytes)
{
    if (bytes)
        memcpy(to, from, bytes);
    return EEX_OK;
}

static int cpu_zero(eex_device *dev, void *memory, size_t bytes)
{
    if (bytes)
        memset(memory, 0, bytes);
    return EEX_OK;
}

static int cpu_prepare(eex_device *dev, void **state, const eex_op *op, int max_batch)
{
    *state = NULL;
    if ((unsigned)op->kind >= EEX_OP_KINDS)
        return eex_fail(EEX_EUNSUPPORTED, "op \"%s\" is of kind %d, which %s does not know",
                        op->name ? op->name : "?", (int)op->kind, dev->name);
    if (max_batch < 1)
        return eex_fail(EEX_EINVAL, "op \"%s\": the largest batch is %d, at least 1 is needed",
                        op->name ? op->name : "?", max_batch);
    const eex_cpu_op_class *class = classes[op->kind];
    return class->prepare ? class->prepare(cpu_of(dev), state, op, max_batch) : EEX_OK;
}

static int cpu_run(eex_device *dev, const eex_op *op, void *state, const eex_step *step)
{
    return classes[op->kind]->run(cpu_of(dev), op, state, step);
}

static int run_ops(eex_device *dev, const eex_op *ops, void *const *states, int count,
                   const eex_step *step)
{
    for (int i = 0; i < count; i++)
        EEX_TRY(cpu_run(dev, &ops[i], states[i], step));
    return EEX_OK;
}

/* What a unit's choice is made of; NULL where none is made, or there is no memory for it. */
static eex_choice *choice_of(const eex_cpu *cpu, void **recording, const eex_step *step)
{
    if (!cpu->chooses || cpu->base.threads == 1 || step->batch != 1)
        return NULL;
    if (!*recording) {
        *recording = malloc(sizeof(eex_choice));
        if (*recording)
            eex__choice_init(*recording, cpu->base.threads);
    }
    return *recording;
}

/* The results are the same whatever is chosen. */
static int cpu_run_unit(eex_device *dev, void **recording, const eex_op *ops, void *const *states,
                        int count, const eex_step *step)
{
    eex_cpu *cpu = cpu_of(dev);
    eex_choice *choice = choice_of(cpu, recording, step);
    if (!choice)
        return run_ops(dev, ops, states, count, step);
    eex_pool_limit(cpu->pool, eex__choice_threads(choice));
    const double begin = eex_clock_seconds();
    const int code = run_ops(dev, ops, states, count, step);
    const double end = eex_clock_seconds();
    eex_pool_limit(cpu->pool, 0);
    eex__choice_tell(choice, end - begin, end);
    return code;
}

static void cpu_forget(eex_device *dev, void *recording)
{
    free(recording);
}

static void cpu_finish(eex_device *dev, const eex_op *op, void *state)
{
    if (state && classes[op->kind]->finish)
        classes[op->kind]->finish(cpu_of(dev), op, state);
}

static int cpu_sync(eex_device *dev)
{
    return EEX_OK; /* run returns when it is done */
}

static const eex_device_vtable cpu_vtable = {
    .kind = "cpu",
    .close = cpu_close,
    .allocate = cpu_allocate,
    .release = cpu_release,
    .upload = cpu_copy,
    .download = cpu_copy,
    .zero = cpu_zero,
    .prepare = cpu_prepare,
    .run = cpu_run,
    .finish = cpu_finish,
    .run_unit = cpu_run_unit,
    .forget = cpu_forget,
    .sync = cpu_sync,
};

/* "AMD EPYC" and the like; "processor" where the system does not tell. */
static void read_model(char *out, size_t size)
{
    snprintf(out, size, "processor");
    FILE *file = fopen("/proc/cpuinfo", "r");
    if (!file)
        return;
    char line[256];
    while (fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon)
            continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(out, size, "%s", colon + 1 + strspn(colon + 1, " "));
        break;
    }
    fclose(file);
}

/* Twice the second-level caches of all threads, which is where streaming through a layer's input
 * and output begins to cost. */
static size_t cache_bytes(int threads)
{
    long kilobytes = 0;
    FILE *file = fopen("/sys/devices/system/cpu/cpu0/cache/index2/size", "r");
    if (file) {
        if (fscanf(file, "%ldK", &kilobytes) != 1)
            kilobytes = 0;
        fclose(file);
    }
    return (size_t)(kilobytes > 0 ? kilobytes : 1024) * 1024 * 2 * (size_t)threads;
}

/* EEX_CPU_BF16 chooses, for tests: "amx", "avx512_bf16", or "none". Beside slower instruction sets,
 * which are chosen for tests too, there is none. */
static const eex_bf16_kernels *find_bf16(const eex_kernels *kernels)
{
    return strcmp(kernels->isa, "avx512") == 0 ? eex__bf16_find(getenv("EEX_CPU_BF16")) : NULL;
}

static void name_device(eex_cpu *cpu)
{
    char model[80];
    read_model(model, sizeof model);
    int threads = cpu->base.threads;
    snprintf(cpu->base.name, sizeof cpu->base.name, "cpu (%s, %d thread%s, %s%s%s)", model, threads,
             threads == 1 ? "" : "s", cpu->kernels->isa, cpu->bf16 ? ", " : "",
             cpu->bf16 ? cpu->bf16->isa : "");
}

int eex_cpu_open(eex_device **out, const eex_device_options *options)
{
    *out = NULL;
    int threads = options->threads ? options->threads : eex_processors();
    if (threads < 1 || threads > MAX_THREADS)
        return eex_fail(EEX_EINVAL,
                        "device \"cpu\": %d threads asked for, expected 1 to %d, or 0 "
                        "for as many as there are processors",
                        threads, MAX_THREADS);
    const char *isa = getenv("EEX_CPU_ISA");
    const eex_kernels *kernels = eex__kernels_find(isa);
    if (!kernels)
        return eex_fail(EEX_EINVAL,
                        "EEX_CPU_ISA is \"%s\": this processor has none of that name; "
                        "the names are avx512, avx2 and generic",
                        isa ? isa : "");
    eex_cpu *cpu = calloc(1, sizeof *cpu);
    if (!cpu)
        return eex_fail(EEX_ENOMEM, "out of memory opening device \"cpu\"");
    int code = eex_device_init(&cpu->base, &cpu_vtable);
    if (code < 0) {
        free(cpu);
        return code;
    }
    code = eex_pool_new(&cpu->pool, threads);
    if (code < 0) {
        eex_device_destroy(&cpu->base);
        free(cpu);
        return code;
    }
    cpu->base.threads = threads;
    cpu->base.memory = options->memory;
    cpu->chooses = options->threads == 0;
    cpu->base.host_memory = true;
    cpu->base.cache_bytes = cache_bytes(threads);
    cpu->base.conv_stats = true;
    cpu->kernels = kernels;
    cpu->bf16 = find_bf16(kernels);
    cpu->base.precisions = 1u << EEX_F32 | (cpu->bf16 ? 1u << EEX_BF16_PRODUCTS : 0);
    name_device(cpu);
    *out = &cpu->base;
    return EEX_OK;
}

static int open_cpu(eex_device **out, const char *argument, const eex_device_options *options)
{
    if (argument)
        return eex_fail(EEX_EINVAL, "device \"cpu:%s\": there is one cpu device, named \"cpu\"",
                        argument);
    return eex_cpu_open(out, options);
}

int eex_cpu_register(void)
{
    return eex_device_register("cpu", open_cpu);
}
