/* Cross entropy with label smoothing, L1 on the logits and distillation, and their gradient.
 *
 * With K classes, smoothing s and z the logits, lse = log sum exp z:
 *   cross entropy  (1 - s) (lse - z_label) + s (lse - mean z)
 *   L1             l1 * mean |z|
 *   distillation   d T^2 sum_j p_j (log p_j - log q_j), p the teacher's and q our softmax of z / T
 * and without the first where only a teacher is listened to. Where each logit is a question of its
 * own (binary), with y its bit of the label, the first is instead
 *   sum_j max(z_j, 0) - y_j z_j + log(1 + exp -|z_j|).
 * A label that is no class makes the row's loss and gradient NaN: a device cannot refuse, and
 * training stops at NaN.
 *
 * Geometry: a warp a row, blocks of 128 threads; sums in double, in the order of lanes. Rows leave
 * their losses in the scratch buffer, and the last block to finish adds them to the totals in the
 * order of the rows. Bytes: the logits (and the teacher's) once, the gradient once; second looks at
 * a row come from the cache. Roofline: latency at batches of hundreds, memory above. */
#include "cuda/columns.cuh"

enum { THREADS = 128, WARPS = THREADS / EEX_WARP };

struct loss_parts {
    double *losses; /* (batch) */
    uint8_t *correct;
    unsigned *counter;
};

/* The first largest of a row, in every lane; NaN is passed over. */
struct loss_peak {
    float z;
    int at;
};

template <typename T> static __device__ loss_peak peak_of(const T *z, int classes)
{
    int lane = (int)threadIdx.x % EEX_WARP;
    loss_peak p = {-INFINITY, INT32_MAX};
    for (int j = lane; j < classes; j += EEX_WARP) {
        float value = eex_float(z[j]);
        if (value > p.z || (value == p.z && p.at == INT32_MAX)) {
            p.z = value;
            p.at = j;
        }
    }
#pragma unroll
    for (int offset = EEX_WARP / 2; offset > 0; offset /= 2) {
        float other = __shfl_xor_sync(0xffffffffu, p.z, offset);
        int at = __shfl_xor_sync(0xffffffffu, p.at, offset);
        if (other > p.z || (other == p.z && at < p.at)) {
            p.z = other;
            p.at = at;
        }
    }
    p.at = p.at < classes ? p.at : 0; /* nothing but NaN */
    return p;
}

static __device__ inline float sign(float value)
{
    return (float)(value > 0) - (float)(value < 0);
}

/* What the gradient needs of a row: softmax is exp((z - first) * cold) * share. */
struct loss_softmax {
    float first, cold, share;
};

static __device__ inline float probability(const loss_softmax &s, float z)
{
    return expf((z - s.first) * s.cold) * s.share;
}

template <typename T>
static __device__ double exp_sum(const T *z, int classes, float first, float cold)
{
    double sum = 0;
    for (int j = (int)threadIdx.x % EEX_WARP; j < classes; j += EEX_WARP)
        sum += (double)expf((eex_float(z[j]) - first) * cold);
    return eex_warp_sum(sum);
}

/* The loss of one row, in every lane; fills s. */
template <typename T>
static __device__ double cross_entropy(const eex_op_loss &a, const T *z, int label,
                                       const loss_peak &peak, loss_softmax *s)
{
    double sum = exp_sum(z, a.classes, peak.z, 1.0f), smooth = a.smoothing, below = 0;
    for (int j = (int)threadIdx.x % EEX_WARP; j < a.classes && smooth > 0; j += EEX_WARP)
        below += (double)peak.z - (double)eex_float(z[j]);
    below = eex_warp_sum(below);
    s->first = peak.z;
    s->cold = 1.0f;
    s->share = (float)(1 / sum);
    double away = (double)peak.z - (double)eex_float(z[label]);
    return log(sum) + (1 - smooth) * away + (smooth > 0 ? smooth * below / a.classes : 0);
}

template <typename T> static __device__ double l1_of(const eex_op_loss &a, const T *z)
{
    double sum = 0;
    for (int j = (int)threadIdx.x % EEX_WARP; j < a.classes; j += EEX_WARP)
        sum += fabs((double)eex_float(z[j]));
    return (double)a.l1 / a.classes * eex_warp_sum(sum);
}

template <typename T>
static __device__ double distillation(const eex_op_loss &a, const T *z, const T *teacher,
                                      const loss_peak &peak, loss_softmax *ours,
                                      loss_softmax *theirs)
{
    double t = a.distill_t, sum = 0, first = peak.z, teacher_first = peak_of(teacher, a.classes).z;
    float cold = (float)(1 / t);
    double our_sum = exp_sum(z, a.classes, (float)first, cold);
    double their_sum = exp_sum(teacher, a.classes, (float)teacher_first, cold);
    double log_ratio = log(our_sum) - log(their_sum);
    for (int j = (int)threadIdx.x % EEX_WARP; j < a.classes; j += EEX_WARP) {
        double u = eex_float(teacher[j]) - teacher_first, v = eex_float(z[j]) - first;
        sum += (double)expf((float)u * cold) * ((u - v) / t + log_ratio);
    }
    *ours = {(float)first, cold, (float)(1 / our_sum)};
    *theirs = {(float)teacher_first, cold, (float)(1 / their_sum)};
    return a.distill * t * t * eex_warp_sum(sum) / their_sum;
}

/* One row of questions: its loss, and its gradient where one is wanted; *all: each answer is right.
 */
template <typename T>
static __device__ double row_binary(const eex_op_loss &a, size_t row, float unit, int *all)
{
    const size_t at = row * (size_t)a.classes;
    const T *z = (const T *)a.logits + at;
    const int label = a.labels[row];
    const bool known = label >= 0 && (long long)label < 1LL << a.classes;
    const float broken = known ? 0.0f : NAN, l1 = a.l1 / (float)a.classes;
    double sum = 0;
    int wrong = 0;
    for (int j = (int)threadIdx.x % EEX_WARP; j < a.classes; j += EEX_WARP) {
        const float value = eex_float(z[j]), wanted = (float)(label >> j & 1);
        const double v = value, away = exp(-fabs(v));
        const double probability = v >= 0 ? 1 / (1 + away) : away / (1 + away);
        sum += (v > 0 ? v : 0) - (double)wanted * v + log1p(away) + (double)broken;
        wrong += (value >= 0) != (wanted > 0);
        if (a.dlogits)
            ((T *)a.dlogits)[at + (size_t)j] = eex_cast<T>(
                unit * ((float)(probability - (double)wanted) + l1 * sign(value) + broken));
    }
    *all = eex_warp_sum((double)wrong) == 0;
    return eex_warp_sum(sum) + (a.l1 != 0 ? l1_of(a, z) : 0);
}

/* One row: its loss, and its gradient where one is wanted. `unit`: what a row counts. */
template <typename T>
static __device__ double row_loss(const eex_op_loss &a, size_t row, float unit, int *top)
{
    const size_t at = row * (size_t)a.classes;
    const T *z = (const T *)a.logits + at;
    const T *teacher = a.teacher ? (const T *)a.teacher + at : nullptr;
    const bool distill = a.teacher && a.distill != 0;
    const int label = a.labels[row], known = label >= 0 && label < a.classes ? label : 0;
    const float broken = known == label ? 0.0f : NAN;
    loss_softmax s = {0, 0, 0}, ours = {0, 0, 0}, theirs = {0, 0, 0};
    loss_peak peak = peak_of(z, a.classes);
    const bool labelled = !a.taught;
    double loss = (labelled ? cross_entropy(a, z, known, peak, &s) : 0) + (double)broken;
    *top = peak.at;
    if (a.l1 != 0)
        loss += l1_of(a, z);
    if (distill)
        loss += distillation(a, z, teacher, peak, &ours, &theirs);
    if (!a.dlogits)
        return loss;
    const float even = a.smoothing / (float)a.classes + broken, l1 = a.l1 / (float)a.classes;
    const float weight = a.distill * a.distill_t;
    for (int j = (int)threadIdx.x % EEX_WARP; j < a.classes; j += EEX_WARP) {
        float value = eex_float(z[j]), d = broken;
        if (labelled)
            d = probability(s, value) - even - (j == label ? 1.0f - a.smoothing : 0.0f);
        d += a.l1 != 0 ? l1 * sign(value) : 0.0f;
        if (distill)
            d += weight * (probability(ours, value) - probability(theirs, eex_float(teacher[j])));
        ((T *)a.dlogits)[at + (size_t)j] = eex_cast<T>(unit * d);
    }
    return loss;
}

/* Adds all rows to the totals. One block. */
static __device__ void add_rows(const eex_op_loss &a, const loss_parts &parts, int batch)
{
    __shared__ double sums[2][WARPS];
    double loss = 0, correct = 0;
    for (int i = (int)threadIdx.x; i < batch; i += THREADS) {
        loss += *(const volatile double *)(parts.losses + i);
        correct += *(const volatile uint8_t *)(parts.correct + i);
    }
    loss = eex_warp_sum(loss);
    correct = eex_warp_sum(correct);
    if (threadIdx.x % EEX_WARP == 0) {
        sums[0][threadIdx.x / EEX_WARP] = loss;
        sums[1][threadIdx.x / EEX_WARP] = correct;
    }
    __syncthreads();
    if (threadIdx.x > 0)
        return;
    for (int i = 1; i < WARPS; i++) {
        loss += sums[0][i];
        correct += sums[1][i];
    }
    a.totals[0] += loss;
    a.totals[1] += correct;
}

template <typename T>
static __global__ void __launch_bounds__(THREADS)
    loss_rows(eex_op_loss a, loss_parts parts, int batch)
{
    size_t row = (size_t)blockIdx.x * WARPS + threadIdx.x / EEX_WARP;
    if (row < (size_t)batch) { /* the same for a whole warp */
        int top, all = 0;
        const float unit = a.weight / (float)batch;
        double loss =
            a.binary ? row_binary<T>(a, row, unit, &all) : row_loss<T>(a, row, unit, &top);
        if (threadIdx.x % EEX_WARP == 0) {
            parts.losses[row] = loss;
            parts.correct[row] = a.binary ? all : top == a.labels[row];
        }
    }
    if (eex_last_block(parts.counter, gridDim.x))
        add_rows(a, parts, batch);
}

static int loss_prepare(eex_cuda *cuda, void **state, const eex_op *op, int max_batch)
{
    (void)op;
    EEX_TRY(eex__cuda_reserve(cuda, (size_t)max_batch * (sizeof(double) + 1)));
    EEX_TRY(eex__cuda_alloc(cuda, state, sizeof(unsigned), "loss"));
    return eex__cuda_check(cuda, cudaMemsetAsync(*state, 0, sizeof(unsigned), cuda->stream),
                           "loss");
}

template <typename T>
static void launch(eex_cuda *cuda, const eex_op_loss &loss, const loss_parts &parts, int batch)
{
    EEX_LAUNCH(loss_rows<T>, eex_blocks((size_t)batch, WARPS, INT32_MAX), THREADS, 0, cuda->stream,
               loss, parts, batch);
}

static int loss_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    loss_parts parts = {(double *)cuda->scratch, (uint8_t *)((double *)cuda->scratch + batch),
                        (unsigned *)state};
    EEX_BY_PRECISION(op->precision, launch, cuda, op->u.loss, parts, batch);
    return eex__cuda_launched(cuda, op);
}

static void loss_finish(eex_cuda *cuda, const eex_op *op, void *state)
{
    (void)op;
    eex__cuda_free(cuda, state);
}

extern "C" const eex_cuda_op_class eex__cuda_loss = {loss_prepare, loss_run, loss_finish};
