/* Mean over the pixels, fully connected layer, bias, and then what op_head.cu does: logits never
 * wait in memory for the scores, though they are written for whoever wants them.
 *
 * Geometry: a block of 256 threads takes a sample. First threads stand side by side along the
 * channels, in packs where they come so, and what is left of them shares out the pixels; sums of
 * pixels meet in shared memory. Then threads stand along the classes and share out the features.
 * Which thread adds what follows from the op alone, so a sample's bits do not depend on the batch.
 * Bytes: hw * features elements a sample; the weights come from the second level cache.
 * Roofline: memory for large images; for small batches of small images, the latency of three
 * dependent stages, about a quarter of four launches. */
#include "cuda/columns.cuh"
#include "cuda/head_classifier.cuh"

enum { THREADS = 256, LAYER = THREADS + 8 /* other banks for other elements of a vector */ };

struct classifier_args {
    const void *x, *w;
    const float *bias;
    void *logits;
    int hw, features, wide; /* wide: vectors side by side while pooling */
};

/* Shared memory: features pooled, a logit a class, and what the threads add up. */
static __host__ __device__ int parts_at(int features, int classes)
{
    return (features + classes + 3) / 4 * 4;
}

size_t eex__cuda_head_classifier_shared(const eex_op_head *head)
{
    const int widest = 8;
    return ((size_t)parts_at(head->features, head->classes) + LAYER * widest) * sizeof(float);
}

/* The sums over a group's pixels of one vector of channels. */
template <typename T, int V>
static __device__ void pool_pixels(float (&sum)[V], const T *x, int features, int begin, int end,
                                   int step)
{
#pragma unroll 4
    for (int i = begin; i < end; i += step) {
        float value[V];
        eex_get<T, V>(value, x + (size_t)i * (size_t)features);
#pragma unroll
        for (int j = 0; j < V; j++)
            sum[j] += value[j];
    }
}

/* pooled (features) = mean over the pixels. parts: LAYER * V floats. */
template <typename T, int V>
static __device__ void pool(float *pooled, float *parts, const T *x, int hw, int features, int wide)
{
    int width = features / V, groups = THREADS / wide;
    int place = (int)threadIdx.x % wide, group = (int)threadIdx.x / wide;
    float share = 1.0f / (float)hw;
    for (int first = 0; first < width; first += wide) {
        int vector = first + place;
        float sum[V] = {};
        if (group < groups && vector < width)
            pool_pixels<T, V>(sum, x + vector * V, features, group, hw, groups);
#pragma unroll
        for (int j = 0; j < V; j++)
            parts[j * LAYER + (int)threadIdx.x] = sum[j];
        __syncthreads();
        for (int i = (int)threadIdx.x; i < wide * V && first * V + i < features; i += THREADS) {
            float total = 0;
            for (int g = 0; g < groups; g++)
                total += parts[i % V * LAYER + g * wide + i / V];
            pooled[first * V + i] = total * share;
        }
        __syncthreads();
    }
}

/* z (classes) = pooled times w, plus bias, rounded as they go to memory. parts: THREADS floats. */
template <typename T>
static __device__ void classify(float *z, float *parts, const float *pooled,
                                const classifier_args &c, int classes, T *logits)
{
    int wide = classes < THREADS ? classes : THREADS, groups = THREADS / wide;
    int place = (int)threadIdx.x % wide, group = (int)threadIdx.x / wide;
    for (int first = 0; first < classes; first += wide) {
        int own = first + place;
        const T *w = (const T *)c.w + own;
        float sum = 0;
        if (group < groups && own < classes) {
#pragma unroll 8
            for (int f = group; f < c.features; f += groups)
                sum = fmaf(pooled[f], eex_float(w[(size_t)f * (size_t)classes]), sum);
        }
        parts[threadIdx.x] = sum;
        __syncthreads();
        if (group == 0 && own < classes) {
            for (int g = 1; g < groups; g++)
                sum += parts[g * wide + place];
            T rounded = eex_cast<T>(c.bias ? sum + c.bias[own] : sum);
            logits[own] = rounded;
            z[own] = eex_float(rounded);
        }
        __syncthreads();
    }
}

template <typename T, int LANES, int EACH>
static __device__ void score(const eex_head_args &a, size_t row, const float *z)
{
    if constexpr (LANES == 0) {
        eex_head_score_block<THREADS>(a, row, z);
    } else {
        if (threadIdx.x >= EEX_WARP)
            return;
        float own[EACH];
#pragma unroll
        for (int k = 0; k < EACH; k++) {
            int j = k * LANES + (int)threadIdx.x % LANES;
            own[k] = j < a.classes ? z[j] : -INFINITY;
        }
        eex_head_score<LANES, EACH>(a, row, threadIdx.x < LANES, own);
    }
}

template <typename T, int V, int LANES, int EACH>
static __global__ void __launch_bounds__(THREADS)
    head_classifier(eex_head_args a, classifier_args c)
{
    EEX_DYNAMIC_SHARED(float, pooled);
    float *z = pooled + c.features, *parts = pooled + parts_at(c.features, a.classes);
    size_t row = blockIdx.x;
    const T *x = (const T *)c.x + row * (size_t)c.hw * (size_t)c.features;
    pool<T, V>(pooled, parts, x, c.hw, c.features, c.wide);
    classify<T>(z, parts, pooled, c, a.classes, (T *)c.logits + row * (size_t)a.classes);
    score<T, LANES, EACH>(a, row, z);
}

/* How many vectors stand side by side so that the threads have the fewest pixels to go through one
 * after the other; changing places costs about as much as two. */
static int pool_width(int width, int hw)
{
    int best = width < THREADS ? width : (int)THREADS, least = INT32_MAX;
    for (int wide = best; wide >= 4; wide = (wide + 1) / 2) {
        int groups = THREADS / wide, rounds = (width + wide - 1) / wide;
        int cost = rounds * ((hw + groups - 1) / groups + 2);
        best = cost < least ? wide : best;
        least = cost < least ? cost : least;
    }
    return best;
}

template <typename T, int V, int LANES, int EACH>
static void launch_vectors(eex_cuda *cuda, const eex_head_args &a, classifier_args c, size_t shared,
                           int batch)
{
    c.wide = pool_width(c.features / V, c.hw);
    EEX_LAUNCH((head_classifier<T, V, LANES, EACH>), (unsigned)batch, THREADS, shared, cuda->stream,
               a, c);
}

template <typename T, int LANES, int EACH>
static void launch(eex_cuda *cuda, const eex_head_args &a, const classifier_args &c, size_t shared,
                   int batch)
{
    if (eex_vector_ok<T>(c.features, c.x))
        launch_vectors<T, eex_pack<T>::COUNT, LANES, EACH>(cuda, a, c, shared, batch);
    else
        launch_vectors<T, 1, LANES, EACH>(cuda, a, c, shared, batch);
}

template <typename T>
void eex__cuda_head_classifier(eex_cuda *cuda, const eex_op_head *head, const eex_head_args &a,
                               int batch)
{
    classifier_args c = {head->x, head->w, head->bias, head->logits, head->hw, head->features, 0};
    size_t shared = eex__cuda_head_classifier_shared(head);
    EEX_HEAD_BY_CLASSES(T, a.classes, launch, cuda, a, c, shared, batch);
}

template void eex__cuda_head_classifier<float>(eex_cuda *, const eex_op_head *,
                                               const eex_head_args &, int);
template void eex__cuda_head_classifier<eex_bf16>(eex_cuda *, const eex_op_head *,
                                                  const eex_head_args &, int);
