#include "cpu/kernels/gemm.h"

#include "cpu/kernels/vec.h"

/* Tiles of MR rows by two vectors of columns: as many accumulators as leave registers for the two
 * panel vectors and a broadcast. */
#if defined(__AVX512F__)
#define MR 14
#else
#define MR 6
#endif
#define NR (2 * V_WIDTH)

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

const eex_gemm_kernels EEX_KERNEL(eex__gemm_kernels);

INLINE vec tile_load(const float *p, int columns, int j)
{
    int left = columns - j * V_WIDTH;
    return left >= V_WIDTH ? v_load(p + j * V_WIDTH) : v_load_n(p + j * V_WIDTH, left);
}

INLINE void tile_store(float *p, vec v, int columns, int j)
{
    int left = columns - j * V_WIDTH;
    if (left >= V_WIDTH)
        v_store(p + j * V_WIDTH, v);
    else
        v_store_n(p + j * V_WIDTH, v, left);
}

typedef double vec_double __attribute__((vector_size(V_WIDTH * 8)));

INLINE void add_double(double *to, vec v, int n)
{
    vec_double wide = __builtin_convertvector(v, vec_double), old = {0};
    if (n == V_WIDTH) {
        memcpy(&old, to, sizeof old);
        old += wide;
        memcpy(to, &old, sizeof old);
    } else {
        for (int i = 0; i < n; i++)
            to[i] += v[i];
    }
}

/* Adds the columns' sums over this tile's rows, taken in float, to the totals in double. */
INLINE void tile_stats(const eex_gemm_tile *t, vec acc[MR][2], int rows, int vectors)
{
    UNROLL
    for (int j = 0; j < vectors; j++) {
        vec sum = v_zero(), sum2 = v_zero();
        UNROLL
        for (int i = 0; i < rows; i++) {
            sum += acc[i][j];
            sum2 = v_fma(acc[i][j], acc[i][j], sum2);
        }
        int left = t->columns - j * V_WIDTH;
        int n = left < V_WIDTH ? left : V_WIDTH;
        add_double(t->sum + j * V_WIDTH, sum, n);
        add_double(t->sum2 + j * V_WIDTH, sum2, n);
    }
}

INLINE void tile_finish(const eex_gemm_tile *t, vec acc[MR][2], int rows, int vectors)
{
    if (t->bias) {
        UNROLL
        for (int j = 0; j < vectors; j++) {
            vec bias = tile_load(t->bias, t->columns, j);
            UNROLL
            for (int i = 0; i < rows; i++)
                acc[i][j] += bias;
        }
    }
    if (t->residual) {
        UNROLL
        for (int i = 0; i < rows; i++) {
            UNROLL
            for (int j = 0; j < vectors; j++)
                acc[i][j] += tile_load(t->residual + t->out[i], t->columns, j);
        }
    }
    if (t->clamp) {
        vec low = v_set(t->low), high = v_set(t->high);
        UNROLL
        for (int i = 0; i < rows; i++) {
            UNROLL
            for (int j = 0; j < vectors; j++)
                acc[i][j] = v_min(v_max(acc[i][j], low), high);
        }
    }
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int j = 0; j < vectors; j++)
            tile_store(t->y + t->out[i], acc[i][j], t->columns, j);
    }
    if (t->sum)
        tile_stats(t, acc, rows, vectors);
}

/* Asks for the cache lines that the tile will write, so that they arrive while it computes. By
 * hand, because compilers take the builtin for a prefetch to read unless told of the instruction,
 * which every processor with AVX2 at least ignores gracefully. */
INLINE void prefetch_row(const eex_gemm_tile *t, int i, int vectors)
{
#if defined(__AVX2__)
    const float *y = t->y + t->out[i];
    UNROLL
    for (int c = 0; c < vectors * V_WIDTH; c += 16)
        __asm__ volatile("prefetchw %0" : : "m"(y[c]));
#endif
}

INLINE void tile_body(const eex_gemm_tile *t, const int rows, const int vectors)
{
    vec acc[MR][2];
    const float *a[MR];
    UNROLL
    for (int i = 0; i < rows; i++) {
        a[i] = t->a[i];
        acc[i][0] = acc[i][1] = v_zero();
        prefetch_row(t, i, vectors);
    }
    const float *ahead = t->ahead;
    for (int s = 0; s < t->segments; s++) {
        const float *b = t->b + (ptrdiff_t)t->segment[s].b * (vectors * V_WIDTH);
        ptrdiff_t p = t->segment[s].a, end = p + t->segment[s].k;
        for (; p < end; p++, b += vectors * V_WIDTH) {
            vec b0 = v_load(b), b1 = vectors > 1 ? v_load(b + V_WIDTH) : b0;
            __builtin_prefetch(ahead);
            ahead += t->ahead_step;
            UNROLL
            for (int i = 0; i < rows; i++) {
                vec x = v_set(a[i][p]);
                acc[i][0] = v_fma(x, b0, acc[i][0]);
                if (vectors > 1)
                    acc[i][1] = v_fma(x, b1, acc[i][1]);
            }
        }
    }
    tile_finish(t, acc, rows, vectors);
}

INLINE void outer_body(const eex_gemm_outer *o, const int rows, const int vectors)
{
    vec acc[MR][2];
    UNROLL
    for (int i = 0; i < rows; i++)
        acc[i][0] = acc[i][1] = v_zero();
    ptrdiff_t xs = o->x_stride[2], ys = o->dy_stride[2];
    const float *ahead = o->ahead;
    int full = o->columns == vectors * V_WIDTH;
    for (int n0 = 0; n0 < o->count[0]; n0++)
        for (int n1 = 0; n1 < o->count[1]; n1++) {
            const float *x = o->x + n0 * o->x_stride[0] + n1 * o->x_stride[1];
            const float *dy = o->dy + n0 * o->dy_stride[0] + n1 * o->dy_stride[1];
            for (int m = 0; m < o->count[2]; m++, x += xs, dy += ys) {
                vec b0 = full || vectors > 1 ? v_load(dy) : tile_load(dy, o->columns, 0);
                vec b1 = vectors < 2 ? b0
                         : full      ? v_load(dy + V_WIDTH)
                                     : tile_load(dy, o->columns, 1);
                __builtin_prefetch(ahead);
                __builtin_prefetch(ahead + o->ahead_step / 2);
                ahead += o->ahead_step;
                UNROLL
                for (int i = 0; i < rows; i++) {
                    vec a = v_set(x[i]);
                    acc[i][0] = v_fma(a, b0, acc[i][0]);
                    if (vectors > 1)
                        acc[i][1] = v_fma(a, b1, acc[i][1]);
                }
            }
        }
    UNROLL
    for (int i = 0; i < rows; i++) {
        float *w = o->w + i * o->w_stride;
        UNROLL
        for (int j = 0; j < vectors; j++) {
            vec old = o->add ? tile_load(w, o->columns, j) : v_zero();
            tile_store(w, old + acc[i][j], o->columns, j);
        }
    }
}

/* One function for each height and width of a tile, and tables to choose from. */
#define TILE(n)                                        \
    static void tile_##n##_1(const eex_gemm_tile *t)   \
    {                                                  \
        tile_body(t, n, 1);                            \
    }                                                  \
    static void tile_##n##_2(const eex_gemm_tile *t)   \
    {                                                  \
        tile_body(t, n, 2);                            \
    }                                                  \
    static void outer_##n##_1(const eex_gemm_outer *o) \
    {                                                  \
        outer_body(o, n, 1);                           \
    }                                                  \
    static void outer_##n##_2(const eex_gemm_outer *o) \
    {                                                  \
        outer_body(o, n, 2);                           \
    }

/* clang-format off */
TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6)
#if MR > 6
TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12) TILE(13) TILE(14)
#define ROW(f, v)                                                                                  \
    { f##_1_##v, f##_2_##v, f##_3_##v, f##_4_##v, f##_5_##v, f##_6_##v, f##_7_##v,                 \
      f##_8_##v, f##_9_##v, f##_10_##v, f##_11_##v, f##_12_##v, f##_13_##v, f##_14_##v }
#else
#define ROW(f, v) { f##_1_##v, f##_2_##v, f##_3_##v, f##_4_##v, f##_5_##v, f##_6_##v }
#endif
    /* clang-format on */

    static void tile(const eex_gemm_tile *t)
{
    static void (*const body[2][MR])(const eex_gemm_tile *) = {ROW(tile, 1), ROW(tile, 2)};
    body[t->columns > V_WIDTH][t->rows - 1](t);
}

static void outer(const eex_gemm_outer *o)
{
    static void (*const body[2][MR])(const eex_gemm_outer *) = {ROW(outer, 1), ROW(outer, 2)};
    body[o->columns > V_WIDTH][o->rows - 1](o);
}

static void pack(float *to, const float *from, ptrdiff_t stride, int k, int columns)
{
    int vectors = columns > V_WIDTH ? 2 : 1;
    for (int i = 0; i < k; i++, from += stride, to += vectors * V_WIDTH)
        for (int j = 0; j < vectors; j++)
            v_store(to + j * V_WIDTH, tile_load(from, columns, j));
}

typedef float quad __attribute__((vector_size(16)));

INLINE quad quad_load(const float *p)
{
    quad q;
    memcpy(&q, p, sizeof q);
    return q;
}

INLINE void quad_store(float *p, float a, float b, float c, float d)
{
    quad q = {a, b, c, d};
    memcpy(p, &q, sizeof q);
}

/* to[0..3][0..3] = from[0..3][0..3] transposed. */
INLINE void transpose4(float *to, ptrdiff_t to_stride, const float *from, ptrdiff_t stride)
{
    quad q0 = quad_load(from), q1 = quad_load(from + stride), q2 = quad_load(from + 2 * stride),
         q3 = quad_load(from + 3 * stride);
    for (int i = 0; i < 4; i++)
        quad_store(to + i * to_stride, q0[i], q1[i], q2[i], q3[i]);
}

static void pack_transposed(float *to, const float *from, ptrdiff_t stride, int k, int columns)
{
    int nr = columns > V_WIDTH ? NR : V_WIDTH;
    int whole_k = k & ~3, whole_columns = columns & ~3;
    for (int c = 0; c < whole_columns; c += 4)
        for (int i = 0; i < whole_k; i += 4)
            transpose4(to + (ptrdiff_t)i * nr + c, nr, from + c * stride + i, stride);
    for (int i = 0; i < k; i++)
        for (int c = i < whole_k ? whole_columns : 0; c < nr; c++)
            to[(ptrdiff_t)i * nr + c] = c < columns ? from[c * stride + i] : 0;
}

static void column_sums(float *to, const float *from, ptrdiff_t stride, int rows, int columns,
                        bool add)
{
    for (int c = 0; c < columns; c += V_WIDTH) {
        int n = columns - c < V_WIDTH ? columns - c : V_WIDTH;
        vec sum = add ? v_load_n(to + c, n) : v_zero();
        for (int i = 0; i < rows; i++)
            sum += v_load_n(from + i * stride + c, n);
        v_store_n(to + c, sum, n);
    }
}

static void add_parts(float *to, const float *from, ptrdiff_t stride, int parts, int count,
                      bool add)
{
    for (int i = 0; i < count; i += V_WIDTH) {
        int n = count - i < V_WIDTH ? count - i : V_WIDTH;
        vec sum = add ? v_load_n(to + i, n) : v_zero();
        for (int p = 0; p < parts; p++)
            sum += v_load_n(from + p * stride + i, n);
        v_store_n(to + i, sum, n);
    }
}

const eex_gemm_kernels EEX_KERNEL(eex__gemm_kernels) = {
    .mr = MR,
    .nr = NR,
    .tile = tile,
    .outer = outer,
    .pack = pack,
    .pack_transposed = pack_transposed,
    .column_sums = column_sums,
    .add_parts = add_parts,
};
