/* The head of an exit: class, confidence, margin and entropy of each row of logits, and what the
 * thresholds decide about it (head.cuh), with the classifier in front when it is part of the op
 * (head_classifier.cu).
 *
 * Geometry: up to 1024 classes, groups of 4, 8 or 32 lanes take a row each and keep it in
 * registers, all of its loads under way at once; blocks of 256 threads, as many as there are rows.
 * A row of C floats is aligned to 16 bytes only when C is a multiple of 4, so loads are of single
 * elements, side by side. Above 1024 classes a block takes a row. Bytes: classes elements read and
 * 17 written a row, each once. Roofline: memory. Per logit about 18 instructions and one exp2, half
 * of what an H200 can issue while the bytes arrive. */
#include "cuda/head.cuh"
#include "cuda/head_classifier.cuh"

enum { THREADS = 256 };

template <typename T, int LANES, int EACH>
static __global__ void __launch_bounds__(THREADS)
    head_rows(eex_head_args a, const T *logits, int batch)
{
    int lane = (int)threadIdx.x % LANES;
    size_t row = (size_t)blockIdx.x * (THREADS / LANES) + threadIdx.x / LANES;
    bool inside = row < (size_t)batch;
    const T *from = logits + (inside ? row : 0) * (size_t)a.classes;
    float z[EACH];
#pragma unroll
    for (int k = 0; k < EACH; k++) {
        int j = k * LANES + lane;
        z[k] = j < a.classes ? eex_float(from[j]) : -INFINITY;
    }
    eex_head_score<LANES, EACH>(a, row, inside, z);
}

template <typename T>
static __global__ void __launch_bounds__(THREADS) head_long_rows(eex_head_args a, const T *logits)
{
    eex_head_score_block<THREADS>(a, blockIdx.x, logits + (size_t)blockIdx.x * (size_t)a.classes);
}

template <typename T, int LANES, int EACH>
static void launch_rows(eex_cuda *cuda, const eex_head_args &a, const T *logits, int batch)
{
    if constexpr (LANES == 0)
        EEX_LAUNCH(head_long_rows<T>, (unsigned)batch, THREADS, 0, cuda->stream, a, logits);
    else
        EEX_LAUNCH((head_rows<T, LANES, EACH>),
                   eex_blocks((size_t)batch, THREADS / LANES, UINT32_MAX), THREADS, 0, cuda->stream,
                   a, logits, batch);
}

template <typename T>
static void launch(eex_cuda *cuda, const eex_op_head *head, const eex_head_args &a, int batch)
{
    if (head->x)
        eex__cuda_head_classifier<T>(cuda, head, a, batch);
    else
        EEX_HEAD_BY_CLASSES(T, a.classes, launch_rows, cuda, a, (const T *)head->logits, batch);
}

static int refuse(const eex_op *op, const char *why)
{
    return eex_fail(EEX_EINVAL, "head \"%s\": %s", op->name ? op->name : "?", why);
}

static int head_prepare(eex_cuda *cuda, void **state, const eex_op *op, int max_batch)
{
    const eex_op_head *head = &op->u.head;
    (void)cuda, (void)state, (void)max_batch;
    if (!(head->temperature > 0))
        return eex_fail(EEX_EINVAL, "head \"%s\": temperature %g, expected more than 0",
                        op->name ? op->name : "?", (double)head->temperature);
    if (head->high && (!head->low || !head->decision))
        return refuse(op, "thresholds without the lower ones or without room for decisions");
    if (head->x && eex__cuda_head_classifier_shared(head) > EEX_HEAD_SHARED)
        return eex_fail(EEX_EUNSUPPORTED,
                        "head \"%s\": a classifier of %d features and %d classes is too large to "
                        "be part of it",
                        op->name ? op->name : "?", head->features, head->classes);
    return EEX_OK;
}

static eex_head_args args_of(const eex_op_head *head)
{
    eex_head_args a;
    a.classes = head->classes;
    a.scale = 1.0f / head->temperature;
    a.scale2 = (float)(1.4426950408889634 / (double)head->temperature);
    a.top = head->top;
    a.confidence = head->confidence;
    a.margin = head->margin;
    a.entropy = head->entropy;
    a.high = head->high;
    a.low = head->low;
    a.decision = head->decision;
    a.measure = head->measure;
    a.last = head->last;
    return a;
}

static int head_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    (void)state;
    eex_head_args a = args_of(&op->u.head);
    EEX_BY_PRECISION(op->precision, launch, cuda, &op->u.head, a, batch);
    return eex__cuda_launched(cuda, op);
}

extern "C" const eex_cuda_op_class eex__cuda_head = {head_prepare, head_run, nullptr};
