/* The CUDA device: memory, transfers, the table of ops. */
#include "cuda/ahead.h"
#include "cuda/chain.h"
#include "cuda/cuda_device.h"
#include "cuda/cuda_register.h"
#include "cuda/graph.h"
#include "cuda/host.h"
#include "cuda/inventory.h"
#include "cuda/probe.h"
#include "cuda/ranges.h"
#include "cuda/timing.h"
#include "device/backends.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const eex_cuda_op_class *const classes[EEX_OP_KINDS] = {
    [EEX_OP_AUGMENT] = &eex__cuda_augment,
    [EEX_OP_RESIZE] = &eex__cuda_resize,
    [EEX_OP_CONV] = &eex__cuda_conv,
    [EEX_OP_CONV_BWD_DATA] = &eex__cuda_conv_bwd_data,
    [EEX_OP_CONV_BWD_WEIGHTS] = &eex__cuda_conv_bwd_weights,
    [EEX_OP_BN_TRAIN] = &eex__cuda_bn_train,
    [EEX_OP_BN_EVAL] = &eex__cuda_bn_eval,
    [EEX_OP_BN_BWD] = &eex__cuda_bn_bwd,
    [EEX_OP_ACT] = &eex__cuda_act,
    [EEX_OP_ACT_BWD] = &eex__cuda_act_bwd,
    [EEX_OP_ADD] = &eex__cuda_add,
    [EEX_OP_SCALE] = &eex__cuda_scale,
    [EEX_OP_SCALE_BWD] = &eex__cuda_scale_bwd,
    [EEX_OP_COLUMNS] = &eex__cuda_columns,
    [EEX_OP_DEPTH_TO_SPACE] = &eex__cuda_depth_to_space,
    [EEX_OP_QUANTISE] = &eex__cuda_quantise,
    [EEX_OP_ACCUMULATE] = &eex__cuda_accumulate,
    [EEX_OP_MAX_POOL] = &eex__cuda_max_pool,
    [EEX_OP_MAX_POOL_BWD] = &eex__cuda_max_pool_bwd,
    [EEX_OP_GLOBAL_POOL] = &eex__cuda_global_pool,
    [EEX_OP_GLOBAL_POOL_BWD] = &eex__cuda_global_pool_bwd,
    [EEX_OP_DROPOUT] = &eex__cuda_dropout,
    [EEX_OP_LOSS] = &eex__cuda_loss,
    [EEX_OP_HEAD] = &eex__cuda_head,
    [EEX_OP_LEAVE] = &eex__cuda_leave,
    [EEX_OP_CLASS_STATS] = &eex__cuda_class_stats,
    [EEX_OP_CLAMP] = &eex__cuda_clamp,
    [EEX_OP_GRAD_NORM] = &eex__cuda_grad_norm,
    [EEX_OP_SGD] = &eex__cuda_sgd,
    [EEX_OP_ADAMW] = &eex__cuda_adamw,
    [EEX_OP_EMA] = &eex__cuda_ema,
    [EEX_OP_ZERO] = &eex__cuda_zero,
    [EEX_OP_CAST] = &eex__cuda_cast,
    [EEX_OP_COMPACT] = &eex__cuda_compact,
};
_Static_assert(EEX_OP_KINDS == 34, "a new kind of op needs its line in classes");

static eex_cuda *cuda_of(eex_device *dev)
{
    return (eex_cuda *)dev;
}

/* ---- errors ---- */

int eex__cuda_check(const eex_cuda *cuda, cudaError_t error, const char *what)
{
    if (error == cudaSuccess)
        return EEX_OK;
    (void)cudaGetLastError(); /* one that can be overcome must not be reported twice */
    int code = error == cudaErrorMemoryAllocation ? EEX_ENOMEM : EEX_EDEVICE;
    return eex_fail(code, "%s, %s: %s (%s)", cuda->base.name, what, cudaGetErrorString(error),
                    cudaGetErrorName(error));
}

int eex__cuda_launched(const eex_cuda *cuda, const eex_op *op)
{
    return eex__cuda_check(cuda, cudaGetLastError(), op->name ? op->name : "?");
}

/* ---- memory ---- */

static int cuda_allocate(eex_device *dev, void **out, size_t bytes)
{
    return eex__cuda_alloc(cuda_of(dev), out, bytes, "memory");
}

static void cuda_release(eex_device *dev, void *memory)
{
    eex__cuda_free(cuda_of(dev), memory);
}

/* What was announced is on the device. Other memory of the caller's may change as soon as this
 * returns, so it goes through a ring of pinned pieces; each is used again when the copy out of it
 * has happened. */
static int cuda_upload(eex_device *dev, void *to, const void *from, size_t bytes)
{
    eex_cuda *cuda = cuda_of(dev);
    bool taken;
    EEX_TRY(eex__cuda_ahead_take(cuda, to, from, bytes, &taken));
    return taken ? EEX_OK : eex__cuda_stage(cuda, cuda->stream, to, from, bytes);
}

static int cuda_download(eex_device *dev, void *to, const void *from, size_t bytes)
{
    return eex__cuda_fetch(cuda_of(dev), to, from, bytes);
}

static int cuda_zero(eex_device *dev, void *memory, size_t bytes)
{
    eex_cuda *cuda = cuda_of(dev);
    return bytes ? eex__cuda_check(cuda, cudaMemsetAsync(memory, 0, bytes, cuda->stream), "zero")
                 : EEX_OK;
}

static int cuda_sync(eex_device *dev)
{
    eex_cuda *cuda = cuda_of(dev);
    return eex__cuda_check(cuda, cudaStreamSynchronize(cuda->stream), "waiting for the device");
}

/* ---- ops ---- */

static int refuse(const eex_op *op, const eex_device *dev, const char *why)
{
    return eex_fail(EEX_EUNSUPPORTED, "op \"%s\" (kind %d): %s %s", op->name ? op->name : "?",
                    (int)op->kind, dev->name, why);
}

static int cuda_prepare(eex_device *dev, void **state, const eex_op *op, int max_batch)
{
    *state = NULL;
    if ((unsigned)op->kind >= EEX_OP_KINDS || !classes[op->kind])
        return refuse(op, dev, "does not know this kind");
    if ((unsigned)op->precision >= EEX_PRECISIONS || !(dev->precisions & 1u << op->precision))
        return refuse(op, dev, "does not have this precision");
    if (max_batch < 1)
        return eex_fail(EEX_EINVAL, "op \"%s\": the largest batch is %d, at least 1 is needed",
                        op->name ? op->name : "?", max_batch);
    const eex_cuda_op_class *class = classes[op->kind];
    return class->prepare ? class->prepare(cuda_of(dev), state, op, max_batch) : EEX_OK;
}

int eex__cuda_run_op(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    return classes[op->kind]->run(cuda, op, state, batch);
}

static int cuda_run(eex_device *dev, const eex_op *op, void *state, const eex_step *step)
{
    eex_cuda *cuda = cuda_of(dev);
    EEX_TRY(eex__cuda_set_step(cuda, step));
    return eex__cuda_run_op(cuda, op, state, step->batch);
}

static void cuda_finish(eex_device *dev, const eex_op *op, void *state)
{
    if (state && classes[op->kind]->finish)
        classes[op->kind]->finish(cuda_of(dev), op, state);
}

static int cuda_usage(eex_device *dev, eex_device_usage *out)
{
    const struct eex_cuda_host *host = cuda_of(dev)->host;
    out->bytes = host->bytes;
    out->peak_bytes = host->peak_bytes;
    out->joules = eex__cuda_joules(cuda_of(dev));
    return EEX_OK;
}

/* ---- opening ---- */

static void cuda_close(eex_device *dev)
{
    eex_cuda *cuda = cuda_of(dev);
    eex__cuda_host_close(cuda);
    eex_device_destroy(dev);
    free(cuda);
}

/* The runtime keeps a current device for each thread. */
static int cuda_enter(eex_device *dev)
{
    eex_cuda *cuda = cuda_of(dev);
    return eex__cuda_check(cuda, cudaSetDevice(cuda->ordinal), "entering a thread");
}

static const eex_device_vtable vtable = {
    .kind = "cuda",
    .close = cuda_close,
    .enter = cuda_enter,
    .allocate = cuda_allocate,
    .release = cuda_release,
    .upload = cuda_upload,
    .download = cuda_download,
    .zero = cuda_zero,
    .ahead = eex__cuda_ahead,
    .withdraw = eex__cuda_withdraw,
    .host_allocate = eex__cuda_host_allocate,
    .host_release = eex__cuda_host_release,
    .prepare = cuda_prepare,
    .run = cuda_run,
    .finish = cuda_finish,
    .run_unit = eex__cuda_run_unit,
    .forget = eex__cuda_forget,
    .run_chain = eex__cuda_run_chain,
    .forget_chain = eex__cuda_forget_chain,
    .time_unit = eex__cuda_time_unit,
    .range_begin = eex__cuda_range_begin,
    .range_end = eex__cuda_range_end,
    .usage = cuda_usage,
    .sync = cuda_sync,
};

/* "1" of "cuda:1"; without it the first one. */
static int parse_ordinal(int *out, const char *argument, int count)
{
    char *end = NULL;
    long value = argument ? strtol(argument, &end, 10) : 0;
    if (argument && (end == argument || *end != '\0' || value < 0 || value >= count))
        return eex_fail(EEX_ENOTFOUND,
                        "device \"cuda:%s\": expected cuda:0%s%.0d, for there %s %d GPU%s (\"eex "
                        "devices\" lists them)",
                        argument, count > 1 ? " to cuda:" : "", count > 1 ? count - 1 : 0,
                        count == 1 ? "is" : "are", count, count == 1 ? "" : "s");
    *out = (int)value;
    return EEX_OK;
}

static void describe(eex_cuda *cuda, const struct cudaDeviceProp *properties)
{
    cuda->major = properties->major;
    cuda->minor = properties->minor;
    cuda->processors = properties->multiProcessorCount;
    cuda->base.threads = 1;
    cuda->base.precisions = 1u << EEX_F32;
    if (cuda->major >= 8)
        cuda->base.precisions |= 1u << EEX_TF32 | 1u << EEX_BF16;
    cuda->base.fused_head = EEX_CUDA_FUSED_HEAD;
    cuda->base.chains = eex__cuda_has_chain();
    snprintf(cuda->base.name, sizeof cuda->base.name, "cuda:%d (%.80s, %d.%d, %zu GiB)",
             cuda->ordinal, properties->name, cuda->major, cuda->minor,
             (properties->totalGlobalMem + (1u << 29)) >> 30);
}

int eex_cuda_open(eex_device **out, int ordinal, const eex_device_options *options)
{
    *out = NULL;
    eex_cuda *cuda = calloc(1, sizeof *cuda);
    if (!cuda)
        return eex_fail(EEX_ENOMEM, "out of memory opening device \"cuda\"");
    int code = eex_device_init(&cuda->base, &vtable);
    if (code < 0) {
        free(cuda);
        return code;
    }
    cuda->ordinal = ordinal;
    cuda->deterministic = options->deterministic;
    cuda->sum_rows = EEX_CUDA_SUM_ROWS;
    cuda->tensor_elements = EEX_CUDA_TENSOR_ELEMENTS;
    cuda->first_bytes = EEX_CUDA_FIRST_BYTES;
    snprintf(cuda->base.name, sizeof cuda->base.name, "cuda:%d", ordinal);
    struct cudaDeviceProp properties;
    code = eex__cuda_check(cuda, cudaSetDevice(ordinal), "opening");
    if (code == EEX_OK)
        code = eex__cuda_check(cuda, cudaGetDeviceProperties(&properties, ordinal), "opening");
    if (code == EEX_OK) {
        describe(cuda, &properties);
        code = eex__cuda_probe(cuda);
    }
    if (code == EEX_OK)
        code = eex__cuda_host_open(cuda);
    cuda->base.memory = options->memory; /* what all devices hold from the start is counted */
    if (code < 0) {
        cuda_close(&cuda->base);
        return code;
    }
    *out = &cuda->base;
    return EEX_OK;
}

static int open_cuda(eex_device **out, const char *argument, const eex_device_options *options)
{
    int ordinal = 0;
    char why[512];
    int count = eex_cuda_count(why, sizeof why);
    *out = NULL;
    if (count == 0)
        return eex_fail(EEX_ENOTFOUND, "device \"cuda\": %s; \"--device cpu\" works everywhere",
                        why);
    EEX_TRY(parse_ordinal(&ordinal, argument, count));
    return eex_cuda_open(out, ordinal, options);
}

/* Of the runtime, from 11.7 on: without it versions before 12.2 load every kernel at start, which
 * takes seconds and some hundred MiB on the GPU. It is read when CUDA is first used; a value of the
 * user's stays. */
static void ask_for_lazy_loading(void)
{
    (void)setenv("CUDA_MODULE_LOADING", "LAZY", 0);
}

int eex_cuda_register(void)
{
    ask_for_lazy_loading();
    return eex_device_register("cuda", open_cuda);
}
