/* Count, mean and sum of squared deviations of a score, class by class.
 *
 * First pass: blocks walk over the samples, four a lane at once, and keep Welford's three numbers a
 * class in shared memory. With few classes each lane has its own (OWN): nobody waits and no
 * banks collide. With more the warp shares them, and lanes that meet in a class take turns in the
 * order of the lanes. Each block then merges its columns or warps into one triple a class. Second
 * pass: the blocks' triples, (blocks, classes), are merged, 32 classes side by side and 32 slices
 * of the blocks below each other. Merging is Chan's formula for many parts at once: n = sum n_k,
 * mean = sum n_k mean_k / n, M2 = sum M2_k + n_k (mean_k - mean)^2, in double and in a fixed order;
 * how samples are divided follows from their number and that of the classes alone, so the result is
 * the same in every run and on every chip.
 *
 * Geometry: blocks of up to 8 warps, as many as fit into 48 KB of shared memory, at most 640 blocks
 * and no more than leave a warp 256 samples (512 where lanes share); above 4096 classes, blockIdx.y
 * takes so many at a time. Bytes: 8 a sample, and 20 a block and class. Roofline: memory with up to
 * 128 classes; above, shared memory: three words read and written a sample, at random banks. */
#include "cuda/kernel.cuh"

enum {
    MOST_WARPS = 8,
    SHARED = 48 << 10,
    MOST_PRIVATE = 128, /* classes: 48 KB for one warp */
    MOST_SPAN = 4096,
    MOST_BLOCKS = 640,
    WARP_SAMPLES = 512,
    UNIT = 4 * EEX_WARP /* samples that a warp reads at once */
};

struct class_layout {
    int span, groups, warps; /* classes at a time, how many times, warps a block */
    unsigned blocks;
    bool own; /* each lane has its own numbers */
};

/* Of `columns` columns: one a lane, or one a warp. All (span, columns). */
struct class_table {
    float *count, *mean, *m2;
};

struct class_parts {
    float *count; /* (blocks, classes) and the next */
    double *mean, *m2;
};

static __device__ inline class_table table_at(float *shared, int entries)
{
    class_table t = {shared, shared + entries, shared + 2 * entries};
    return t;
}

/* One step of Welford's. */
static __device__ inline void add_score(const class_table &t, int at, float score)
{
    float n = t.count[at] + 1.0f, mean = t.mean[at], delta = score - mean;
    mean += __fdividef(delta, n);
    t.count[at] = n;
    t.mean[at] = mean;
    t.m2[at] = fmaf(delta, score - mean, t.m2[at]);
}

/* The lanes with the same key as this one; key < 2^bits. */
static __device__ inline unsigned peers_of(int key, bool there, int bits)
{
    unsigned peers = __ballot_sync(0xffffffffu, there);
    for (int b = 0; b < bits; b++) {
        bool set = key >> b & 1;
        unsigned with = __ballot_sync(0xffffffffu, set);
        peers &= set ? with : ~with;
    }
    return peers;
}

/* A sample a lane, where `there`, into the table of the warp. */
static __device__ inline void add_in_turns(const class_table &t, int key, bool there, float score,
                                           int bits)
{
    unsigned lane = threadIdx.x % EEX_WARP;
    int turn = __popc(peers_of(key, there, bits) & ((1u << lane) - 1u));
    for (int now = 0; __any_sync(0xffffffffu, there && turn >= now); now++) {
        if (there && turn == now)
            add_score(t, key, score);
        __syncwarp();
    }
}

struct four_samples {
    float score[4];
    int key[4];
};

/* Samples at..at + 3; those behind the end have a key that is no class. */
static __device__ inline four_samples read_four(const eex_op_class_stats &a, size_t at, size_t n,
                                                bool packed)
{
    four_samples s;
    if (packed && at + 4 <= n) {
        eex_load<float>(s.score, a.score + at);
        eex_bits16 keys = *reinterpret_cast<const eex_bits16 *>(a.key + at);
#pragma unroll
        for (int i = 0; i < 4; i++)
            s.key[i] = (int)keys.word[i];
        return s;
    }
#pragma unroll
    for (int i = 0; i < 4; i++) {
        s.score[i] = at + i < n ? a.score[at + i] : 0.0f;
        s.key[i] = at + i < n ? a.key[at + i] : -1;
    }
    return s;
}

/* Everything that one lane read: where `own`, without asking the others. */
template <bool OWN>
static __device__ inline void add_four(const class_table &t, const four_samples &s, int first,
                                       int span, int columns, int column, int bits)
{
#pragma unroll
    for (int i = 0; i < 4; i++) {
        int key = s.key[i] - first;
        bool there = key >= 0 && key < span;
        if (!OWN)
            add_in_turns(t, key, there, s.score[i], bits);
        else if (there)
            add_score(t, key * columns + column, s.score[i]);
    }
}

/* The units of 128 samples that belong to this warp, the next two always on their way. */
template <bool OWN>
static __device__ void add_samples(const class_table &t, const eex_op_class_stats &a, size_t n,
                                   bool packed, int first, int span, int columns, int column,
                                   int bits)
{
    size_t warp = (size_t)blockIdx.x * (blockDim.x / EEX_WARP) + threadIdx.x / EEX_WARP;
    size_t stride = (size_t)gridDim.x * (blockDim.x / EEX_WARP) * UNIT;
    size_t at = warp * UNIT, lane = threadIdx.x % EEX_WARP * 4;
    four_samples s[2] = {read_four(a, at + lane, n, packed),
                         read_four(a, at + stride + lane, n, packed)};
    while (at < n) {
        size_t next = at + 2 * stride;
        four_samples ahead[2] = {read_four(a, next + lane, n, packed),
                                 read_four(a, next + stride + lane, n, packed)};
        add_four<OWN>(t, s[0], first, span, columns, column, bits);
        add_four<OWN>(t, s[1], first, span, columns, column, bits);
        s[0] = ahead[0];
        s[1] = ahead[1];
        at = next;
    }
}

struct class_triple {
    double count, mean, m2;
};

/* Chan's formula over `parts` triples part(0), part(1), ... */
template <typename F> static __device__ inline class_triple merge(int parts, F part)
{
    class_triple all = {0, 0, 0};
    double sum = 0;
#pragma unroll 4
    for (int k = 0; k < parts; k++) {
        class_triple p = part(k);
        all.count += p.count;
        sum += p.count * p.mean;
    }
    all.mean = all.count > 0 ? sum / all.count : 0;
#pragma unroll 4
    for (int k = 0; k < parts; k++) {
        class_triple p = part(k);
        all.m2 += p.m2 + p.count * (p.mean - all.mean) * (p.mean - all.mean);
    }
    return all;
}

static __device__ inline class_triple table_get(const class_table &t, int at)
{
    class_triple p = {t.count[at], t.mean[at], t.m2[at]};
    return p;
}

/* Merges runs of `run` columns of each class into the first of the run. Threads that read the same
 * run of different classes begin at different columns, for the sake of the banks. run divides
 * columns. */
static __device__ void merge_runs(const class_table &t, int span, int columns, int run)
{
    int runs = columns / run;
    for (int i = (int)threadIdx.x; i < span * runs; i += (int)blockDim.x) {
        int c = i % span, first = c * columns + i / span * run;
        class_triple p = merge(run, [&](int k) { return table_get(t, first + (k + c) % run); });
        t.count[first] = (float)p.count;
        t.mean[first] = (float)p.mean;
        t.m2[first] = (float)p.m2;
    }
}

template <bool OWN>
static __global__ void __launch_bounds__(MOST_WARPS *EEX_WARP)
    stats_of_blocks(eex_op_class_stats a, class_parts parts, size_t n, bool packed, int most_span,
                    int bits)
{
    EEX_DYNAMIC_SHARED(float, shared);
    int threads = (int)blockDim.x, warps = threads / EEX_WARP;
    int first = (int)blockIdx.y * most_span;
    int span = a.classes - first < most_span ? a.classes - first : most_span;
    int columns = OWN ? threads : warps, entries = span * columns, run = 1;
    class_table t = table_at(shared, entries);
    for (int i = (int)threadIdx.x; i < 3 * entries; i += threads)
        shared[i] = 0;
    __syncthreads();
    class_table mine = OWN ? t : table_at(shared, entries);
    if (!OWN) {
        int skip = (int)threadIdx.x / EEX_WARP * span;
        mine.count += skip;
        mine.mean += skip;
        mine.m2 += skip;
    }
    add_samples<OWN>(mine, a, n, packed, first, span, columns, (int)threadIdx.x, bits);
    __syncthreads();
    if (OWN) { /* as many runs as there are threads for them */
        for (run = columns; run > 1 && span * (columns / run) * 2 <= threads;)
            run /= 2;
        merge_runs(t, span, columns, run);
        __syncthreads();
    }
    for (int c = (int)threadIdx.x; c < span; c += threads) {
        class_triple p = merge(OWN ? columns / run : columns, [&](int k) {
            return table_get(t, OWN ? c * columns + k * run : k * span + c);
        });
        size_t at = (size_t)blockIdx.x * (size_t)a.classes + (size_t)(first + c);
        parts.count[at] = (float)p.count;
        parts.mean[at] = p.mean;
        parts.m2[at] = p.m2;
    }
}

/* The sum over the slices, for every thread of a class. */
static __device__ double slices_sum(double (&shared)[EEX_WARP][EEX_WARP], double own)
{
    __syncthreads();
    shared[threadIdx.y][threadIdx.x] = own;
    __syncthreads();
    double sum = 0;
    for (int i = 0; i < EEX_WARP; i++)
        sum += shared[i][threadIdx.x];
    return sum;
}

static __global__ void __launch_bounds__(EEX_WARP *EEX_WARP)
    merge_blocks(eex_op_class_stats a, class_parts parts, int blocks)
{
    __shared__ double shared[EEX_WARP][EEX_WARP];
    int c = (int)(blockIdx.x * EEX_WARP + threadIdx.x), first = (int)threadIdx.y;
    int end = c < a.classes ? blocks : 0;
    double count = 0, sum = 0, m2 = 0;
#pragma unroll 4
    for (int b = first; b < end; b += EEX_WARP) {
        size_t at = (size_t)b * (size_t)a.classes + (size_t)c;
        count += parts.count[at];
        sum += parts.count[at] * parts.mean[at];
    }
    count = slices_sum(shared, count);
    sum = slices_sum(shared, sum);
    double mean = count > 0 ? sum / count : 0;
#pragma unroll 4
    for (int b = first; b < end; b += EEX_WARP) {
        size_t at = (size_t)b * (size_t)a.classes + (size_t)c;
        double away = parts.mean[at] - mean;
        m2 += parts.m2[at] + parts.count[at] * away * away;
    }
    m2 = slices_sum(shared, m2);
    if (first > 0 || c >= a.classes)
        return;
    a.count[c] = (int64_t)count;
    a.mean[c] = mean;
    a.m2[c] = m2;
}

static class_layout layout_of(int classes, int batch)
{
    class_layout l;
    l.own = classes <= MOST_PRIVATE;
    l.span = classes < MOST_SPAN ? classes : MOST_SPAN;
    l.groups = (classes + l.span - 1) / l.span;
    int warp_bytes = l.span * (l.own ? EEX_WARP : 1) * 3 * (int)sizeof(float);
    for (l.warps = MOST_WARPS; l.warps * warp_bytes > SHARED;) /* a power of 2: see merge_runs */
        l.warps /= 2;
    size_t each = l.own ? WARP_SAMPLES / 2 : WARP_SAMPLES;
    l.blocks = eex_blocks((size_t)batch, each * (size_t)l.warps, MOST_BLOCKS);
    return l;
}

static class_parts parts_at(void *scratch, unsigned blocks, int classes)
{
    size_t entries = (size_t)blocks * (size_t)classes;
    class_parts p;
    p.mean = (double *)scratch;
    p.m2 = p.mean + entries;
    p.count = (float *)(p.m2 + entries);
    return p;
}

static int bits_of(int span)
{
    int bits = 0;
    while (1 << bits < span)
        bits++;
    return bits;
}

static int class_stats_prepare(eex_cuda *cuda, void **state, const eex_op *op, int max_batch)
{
    int classes = op->u.class_stats.classes;
    (void)state;
    if (classes < 1)
        return eex_fail(EEX_EINVAL, "class statistics \"%s\": %d classes, expected at least 1",
                        op->name ? op->name : "?", classes);
    size_t entries = (size_t)layout_of(classes, max_batch).blocks * (size_t)classes;
    return eex__cuda_reserve(cuda, entries * (2 * sizeof(double) + sizeof(float)));
}

static int class_stats_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    const eex_op_class_stats *stats = &op->u.class_stats;
    class_layout l = layout_of(stats->classes, batch);
    class_parts parts = parts_at(cuda->scratch, l.blocks, stats->classes);
    bool packed = eex_vector_ok<float>(4, stats->score) && eex_vector_ok<float>(4, stats->key);
    dim3 grid(l.blocks, (unsigned)l.groups), block((unsigned)(l.warps * EEX_WARP));
    size_t shared = (size_t)(l.span * l.warps * (l.own ? EEX_WARP : 1)) * 3 * sizeof(float);
    int bits = bits_of(l.span);
    (void)state;
    if (l.own)
        EEX_LAUNCH(stats_of_blocks<true>, grid, block, shared, cuda->stream, *stats, parts,
                   (size_t)batch, packed, l.span, bits);
    else
        EEX_LAUNCH(stats_of_blocks<false>, grid, block, shared, cuda->stream, *stats, parts,
                   (size_t)batch, packed, l.span, bits);
    EEX_LAUNCH(merge_blocks, eex_blocks((size_t)stats->classes, EEX_WARP, INT32_MAX),
               dim3(EEX_WARP, EEX_WARP), 0, cuda->stream, *stats, parts, (int)l.blocks);
    return eex__cuda_launched(cuda, op);
}

extern "C" const eex_cuda_op_class eex__cuda_class_stats = {class_stats_prepare, class_stats_run,
                                                            nullptr};
