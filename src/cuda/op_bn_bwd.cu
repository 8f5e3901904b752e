/* Backward of batch norm. With dz the gradient in front of the activation and d = x - mean, over P
 * pixels:
 *
 *   dbeta = sum dz,   dgamma = invstd * sum dz d,
 *   dx = gamma invstd (dz - sum dz / P - d invstd^2 sum dz d / P).
 *
 * The sums first, then dx. Without a residual the slope of the activation is found from x again,
 * rounded as the output was, which saves reading y. The residual's gradient is dz: the pass over
 * the sums writes it, and unless it was added to something, the second pass reads it instead of dy
 * and y.
 *
 * Geometry: bn.cuh. Few rows: one launch for everything. Else two, the last block of a group of
 * channels finishing the sums. With running statistics and no gradients for gamma and beta there
 * are no sums and one launch. In the scratch buffer: the coefficients of dx = a dz + b d + k,
 * (3, c), and the sums of the chunks, (chunks, 2, c).
 *
 * Bytes: dy and x twice (or dy, x and y once, then dz and x), dx and dz once. Roofline: memory; few
 * rows: the latency of one launch. dx and dresidual may be dy. */
#include "cuda/bn.cuh"

struct bwd_args {
    eex_op_bn_bwd op;
    float *coefficients, *partials;
    unsigned *counters;
    bool sums; /* whether there was a pass for them, which wrote dresidual */
};

/* What the slope of the activation is found from. */
enum slope { SLOPE_ONE, SLOPE_OF_Y, SLOPE_OF_X };

/* What one pass over the rows reads and writes. */
template <typename T> struct bwd_pass {
    const T *dy, *x, *y; /* x NULL: deviations do not matter */
    T *dx, *dz;          /* NULL: not wanted */
    eex_act act;
    bool dz_accumulate;
};

template <typename T> static __device__ bwd_pass<T> first_pass(const eex_op_bn_bwd &op)
{
    bwd_pass<T> p;
    p.dy = (const T *)op.dy;
    p.x = (const T *)op.x;
    p.y = (const T *)op.y;
    p.dx = NULL;
    p.dz = (T *)op.dresidual;
    p.act = op.act;
    p.dz_accumulate = op.dresidual_accumulate;
    return p;
}

static __device__ enum slope first_slope(const eex_op_bn_bwd &op)
{
    return op.act == EEX_ACT_NONE ? SLOPE_ONE : op.has_residual ? SLOPE_OF_Y : SLOPE_OF_X;
}

/* Whether the second pass finds the gradient in front of the activation where the first left it. */
static __device__ bool dz_is_there(const bwd_args &args)
{
    return args.sums && args.op.dresidual && !args.op.dresidual_accumulate;
}

static __device__ enum slope second_slope(const bwd_args &args)
{
    return dz_is_there(args) ? SLOPE_ONE : first_slope(args.op);
}

/* What is left for dx when the sums have been taken, or all when there are none. */
template <typename T> static __device__ bwd_pass<T> second_pass(const bwd_args &args)
{
    const eex_op_bn_bwd &op = args.op;
    bwd_pass<T> p = first_pass<T>(op);
    p.dx = (T *)op.dx;
    if (dz_is_there(args))
        p.dy = (const T *)op.dresidual;
    if (args.sums)
        p.dz = NULL;
    if (!op.batch_stats && second_slope(args) != SLOPE_OF_X)
        p.x = NULL;
    return p;
}

/* ---- rows ---- */

template <typename T, int V> struct bwd_raw {
    eex_raw<T, V> dy, x, y;
};

template <typename T, int V, enum slope S>
static __device__ void load_row(bwd_raw<T, V> *to, const bwd_pass<T> &p, size_t at)
{
    to->dy.load(p.dy + at);
    if (p.x)
        to->x.load(p.x + at);
    if (S == SLOPE_OF_Y)
        to->y.load(p.y + at);
}

/* The gradient in front of the activation and the deviation from the mean (0 without x). The output
 * that is found again is rounded as the stored one was. */
template <typename T, int V, enum slope S>
static __device__ void gradients_of_row(float (&dz)[V], float (&d)[V], const bwd_raw<T, V> &row,
                                        const bwd_pass<T> &p, const eex_bn_affine<V> &a)
{
#pragma unroll
    for (int j = 0; j < V; j++) {
        float x = p.x ? row.x.at(j) : a.mean[j], y = 1;
        if (S == SLOPE_OF_Y)
            y = row.y.at(j);
        if (S == SLOPE_OF_X)
            y = eex_float(eex_cast<T>(eex_bn_value<V>(a, x, j)));
        dz[j] = row.dy.at(j);
        if (S != SLOPE_ONE)
            dz[j] = eex_act_mask(p.act, y) > 0 ? dz[j] : 0.0f;
        d[j] = p.x ? x - a.mean[j] : 0.0f;
    }
}

template <typename T, int V>
static __device__ void put_dz(const bwd_pass<T> &p, const float (&dz)[V], size_t at)
{
    float out[V];
    eex_raw<T, V> before;
    if (p.dz_accumulate)
        before.load(p.dz + at);
#pragma unroll
    for (int j = 0; j < V; j++)
        out[j] = p.dz_accumulate ? before.at(j) + dz[j] : dz[j];
    eex_put<T, V>(p.dz + at, out);
}

template <int V>
static __device__ void load_affine(eex_bn_affine<V> *a, const eex_op_bn_bwd &op, int first)
{
    eex_bn_load<V>(a, op.gamma, op.beta, op.batch_stats ? op.save_mean : op.running_mean,
                   op.batch_stats ? op.save_invstd : NULL, op.running_var, op.eps, first);
}

/* ---- sums ---- */

/* sum: V sums of dz, then V of dz d. */
template <typename T, int V, enum slope S, int N>
static __device__ void add_rows(float (&sum)[2 * V], const bwd_pass<T> &p,
                                const eex_bn_affine<V> &a, size_t at, size_t stride)
{
    bwd_raw<T, V> row[N];
#pragma unroll
    for (int i = 0; i < N; i++)
        load_row<T, V, S>(&row[i], p, at + (size_t)i * stride);
#pragma unroll
    for (int i = 0; i < N; i++) {
        float dz[V], d[V];
        gradients_of_row<T, V, S>(dz, d, row[i], p, a);
#pragma unroll
        for (int j = 0; j < V; j++) {
            sum[j] += dz[j];
            sum[V + j] = fmaf(dz[j], d[j], sum[V + j]);
        }
        if (p.dz)
            put_dz<T, V>(p, dz, at + (size_t)i * stride);
    }
}

template <typename T, int V, enum slope S>
static __device__ void sums_of_thread(float (&sum)[2 * V], const eex_op_bn_bwd &op,
                                      const eex_columns &g, const eex_column &t)
{
    bwd_pass<T> p = first_pass<T>(op);
    eex_bn_affine<V> a;
    load_affine<V>(&a, op, t.first);
    eex_column_rows(g, t, [&](auto rows, size_t at, size_t stride) {
        add_rows<T, V, S, decltype(rows)::value>(sum, p, a, at, stride);
    });
}

template <typename T, int V>
static __device__ void take_sums(float (&sum)[2 * V], const eex_op_bn_bwd &op, const eex_columns &g,
                                 const eex_column &t)
{
    if (first_slope(op) == SLOPE_ONE)
        sums_of_thread<T, V, SLOPE_ONE>(sum, op, g, t);
    else if (first_slope(op) == SLOPE_OF_Y)
        sums_of_thread<T, V, SLOPE_OF_Y>(sum, op, g, t);
    else
        sums_of_thread<T, V, SLOPE_OF_X>(sum, op, g, t);
}

/* All chunks' sums, added in the last block: each thread takes every ty-th chunk, some of them on
 * their way at a time. */
template <int V>
static __device__ void sums_of_chunks(float (&sum)[2 * V], const float *partials,
                                      const eex_columns &g, const eex_column &t)
{
    enum { N = V == 8 ? 2 : 4 };
    unsigned ty = (unsigned)g.ty;
#pragma unroll
    for (int j = 0; j < 2 * V; j++)
        sum[j] = 0;
    for (unsigned i = (unsigned)t.y; i < g.chunks && t.inside; i += N * ty) {
        float part[N][2 * V];
#pragma unroll
        for (unsigned k = 0; k < N; k++) {
            bool there = i + k * ty < g.chunks;
            const float *from = partials + (size_t)(i + k * ty) * 2 * (size_t)g.c + t.first;
#pragma unroll
            for (int j = 0; j < V; j++) {
                part[k][j] = there ? eex_fresh(from + j) : 0.0f;
                part[k][V + j] = there ? eex_fresh(from + g.c + j) : 0.0f;
            }
        }
#pragma unroll
        for (unsigned k = 0; k < N; k++)
#pragma unroll
            for (int j = 0; j < 2 * V; j++)
                sum[j] += part[k][j];
    }
}

static __device__ float invstd_of(const eex_op_bn_bwd &op, int k)
{
    return op.batch_stats ? op.save_invstd[k] : eex_bn_invstd(op.running_var[k], op.eps);
}

/* The gradients of a channel's gamma and beta, and what dx needs of its sums. */
static __device__ void keep_sums(const bwd_args &args, int k, float dz, float dzd, double pixels)
{
    const eex_op_bn_bwd &op = args.op;
    float invstd = invstd_of(op, k), dgamma = dzd * invstd, dbeta = dz;
    if (op.dgamma)
        op.dgamma[k] = op.accumulate ? op.dgamma[k] + dgamma : dgamma;
    if (op.dbeta)
        op.dbeta[k] = op.accumulate ? op.dbeta[k] + dbeta : dbeta;
    if (!op.batch_stats)
        return;
    double a = (double)op.gamma[k] * invstd;
    args.coefficients[k] = (float)a;
    args.coefficients[op.c + k] = (float)(-a * invstd * invstd * (double)dzd / pixels);
    args.coefficients[2 * op.c + k] = (float)(-a * (double)dz / pixels);
}

/* From a block's sums in shared memory (columns.cuh), a thread a channel. */
template <int V>
static __device__ void keep_all_sums(const bwd_args &args, const float *shared,
                                     const eex_columns &g)
{
    int threads = g.tx * g.ty;
    for (int i = (int)threadIdx.x; i < g.tx * V; i += threads) {
        int x = i / V, j = i % V, k = ((int)blockIdx.y * g.tx + x) * V + j;
        if (k < g.c)
            keep_sums(args, k, shared[j * threads + x], shared[(V + j) * threads + x],
                      (double)g.rows);
    }
}

/* ---- dx ---- */

/* dx = a dz + b d + k. */
template <int V> struct bwd_coefficients {
    float a[V], b[V], k[V];
};

template <int V>
static __device__ bwd_coefficients<V> coefficients_of(const bwd_args &args,
                                                      const eex_bn_affine<V> &affine, int first)
{
    bwd_coefficients<V> to;
    const float *from = args.coefficients + first;
    int c = args.op.c;
#pragma unroll
    for (int j = 0; j < V; j++) {
        to.a[j] = args.op.batch_stats ? from[j] : affine.scale[j];
        to.b[j] = args.op.batch_stats ? from[c + j] : 0.0f;
        to.k[j] = args.op.batch_stats ? from[2 * c + j] : 0.0f;
    }
    return to;
}

/* DZ: whether there may be a gradient for the residual to write, as there is not where the pass for
 * the sums has been; what cannot be takes no registers. */
template <typename T, int V, enum slope S, bool DZ, int N>
static __device__ void apply_rows(const bwd_pass<T> &p, const eex_bn_affine<V> &a,
                                  const bwd_coefficients<V> &f, size_t at, size_t stride)
{
    bwd_raw<T, V> row[N];
#pragma unroll
    for (int i = 0; i < N; i++)
        load_row<T, V, S>(&row[i], p, at + (size_t)i * stride);
#pragma unroll
    for (int i = 0; i < N; i++) {
        size_t k = at + (size_t)i * stride;
        float dz[V], d[V], dx[V];
        gradients_of_row<T, V, S>(dz, d, row[i], p, a);
        if (DZ && p.dz)
            put_dz<T, V>(p, dz, k);
#pragma unroll
        for (int j = 0; j < V; j++)
            dx[j] = fmaf(f.a[j], dz[j], fmaf(f.b[j], d[j], f.k[j]));
        if (p.dx)
            eex_put<T, V>(p.dx + k, dx);
    }
}

template <typename T, int V, enum slope S, bool DZ>
static __device__ void apply_of_thread(const bwd_args &args, const eex_columns &g,
                                       const eex_column &t)
{
    bwd_pass<T> p = second_pass<T>(args);
    eex_bn_affine<V> a;
    load_affine<V>(&a, args.op, t.first);
    bwd_coefficients<V> f = coefficients_of<V>(args, a, t.first);
    eex_column_rows(g, t, [&](auto rows, size_t at, size_t stride) {
        apply_rows<T, V, S, DZ, decltype(rows)::value>(p, a, f, at, stride);
    });
}

template <typename T, int V, bool DZ>
static __device__ void apply(const bwd_args &args, const eex_columns &g, const eex_column &t)
{
    if (second_slope(args) == SLOPE_ONE)
        apply_of_thread<T, V, SLOPE_ONE, DZ>(args, g, t);
    else if (second_slope(args) == SLOPE_OF_Y)
        apply_of_thread<T, V, SLOPE_OF_Y, DZ>(args, g, t);
    else
        apply_of_thread<T, V, SLOPE_OF_X, DZ>(args, g, t);
}

/* ---- kernels ---- */

/* WHOLE: a block has all rows of its channels. */
template <typename T, int V, bool WHOLE>
static __global__ void __launch_bounds__(WHOLE ? EEX_BN_THREADS : EEX_BN_WIDE)
    bn_bwd(bwd_args args, eex_columns g)
{
    EEX_DYNAMIC_SHARED(float, shared);
    eex_column t = eex_column_of<V>(g, blockIdx.x);
    float sum[2 * V] = {};
    take_sums<T, V>(sum, args.op, g, t);
    eex_columns_sum<2 * V>(sum, shared, g, t);
    if (!WHOLE) {
        float *part = args.partials + (size_t)blockIdx.x * 2 * (size_t)g.c + t.first;
        for (int j = 0; j < V && t.y == 0 && t.inside; j++) {
            part[j] = sum[j];
            part[g.c + j] = sum[V + j];
        }
        if (!eex_last_block(args.counters + blockIdx.y, g.chunks))
            return;
        sums_of_chunks<V>(sum, args.partials, g, t);
        eex_columns_sum<2 * V>(sum, shared, g, t);
    }
    keep_all_sums<V>(args, shared, g);
    if (!WHOLE || !args.op.dx)
        return;
    __syncthreads(); /* the coefficients are written */
    apply<T, V, false>(args, g, t);
}

/* Chunks from behind: after the first pass the caches hold the end. */
template <typename T, int V>
static __global__ void __launch_bounds__(EEX_BN_WIDE) bn_bwd_apply(bwd_args args, eex_columns g)
{
    apply<T, V, true>(args, g, eex_column_of<V>(g, gridDim.x - 1 - blockIdx.x));
}

/* ---- the op ---- */

static bool bn_bwd_packed(const eex_op *op)
{
    const eex_op_bn_bwd *bn = &op->u.bn_bwd;
    const void *all[] = {bn->dy, bn->x, bn->y, bn->dx, bn->dresidual};
    for (const void *p : all)
        if (!eex_packed(op->precision, bn->c, p))
            return false;
    return true;
}

/* The coefficients, in whole units of 256 bytes. */
static size_t coefficients_bytes(int c)
{
    return (3 * (size_t)c * sizeof(float) + 255) / 256 * 256;
}

static bwd_args args_of(const eex_cuda *cuda, const eex_op *op, void *state)
{
    bwd_args args;
    args.op = op->u.bn_bwd;
    args.coefficients = (float *)cuda->scratch;
    args.partials = (float *)((char *)cuda->scratch + coefficients_bytes(args.op.c));
    args.counters = (unsigned *)state;
    args.sums = args.op.batch_stats || args.op.dgamma || args.op.dbeta;
    return args;
}

template <typename T, int V, bool WHOLE>
static void launch_sums(eex_cuda *cuda, const bwd_args &args, const eex_columns &g)
{
    unsigned threads = eex_columns_threads(g);
    EEX_LAUNCH((bn_bwd<T, V, WHOLE>), eex_columns_grid(g), threads, threads * 2 * V * sizeof(float),
               cuda->stream, args, g);
}

template <typename T, int V>
static int bn_bwd_launch(eex_cuda *cuda, const eex_op *op, void *state, size_t rows)
{
    bwd_args args = args_of(cuda, op, state);
    eex_columns all = eex_bn_columns(cuda, rows, args.op.c, V);
    bool whole = eex_bn_whole(all);
    if (args.sums && whole)
        launch_sums<T, V, true>(cuda, args, all);
    else if (args.sums)
        launch_sums<T, V, false>(cuda, args, all);
    if (args.sums ? args.op.dx && !whole : args.op.dx || args.op.dresidual) {
        eex_columns g = eex_bn_elements(cuda, rows, args.op.c, V);
        EEX_LAUNCH((bn_bwd_apply<T, V>), eex_columns_grid(g), eex_columns_threads(g), 0,
                   cuda->stream, args, g);
    }
    return eex__cuda_launched(cuda, op);
}

static int bn_bwd_prepare(eex_cuda *cuda, void **state, const eex_op *op, int max_batch)
{
    (void)max_batch;
    int c = op->u.bn_bwd.c, v = eex_vector_length(op->precision, bn_bwd_packed(op));
    EEX_TRY(eex__cuda_reserve(cuda, coefficients_bytes(c) + eex_bn_partial_bytes(cuda, c, v)));
    return eex_bn_counters(cuda, state, c);
}

static int bn_bwd_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    size_t rows = (size_t)batch * (size_t)op->u.bn_bwd.hw;
    return EEX_BY_VECTOR(op->precision, bn_bwd_packed(op), bn_bwd_launch, cuda, op, state, rows);
}

extern "C" const eex_cuda_op_class eex__cuda_bn_bwd = {bn_bwd_prepare, bn_bwd_run, eex_bn_finish};
