/* Each kernel walks rows of one period, four at a time, so that a coefficient or an accumulator is
 * loaded once for four vectors of the tensor and memory is read in four forward streams. Sums run
 * in float over few rows and then go to double: the inner loop stays at full vector width and the
 * error at that of a short sum. */
#include "cpu/kernels/norm.h"

#include "cpu/kernels/act.h"
#include "cpu/kernels/kernels.h"
#include "cpu/kernels/vec.h"

#include <string.h>

enum {
    STREAMS = 4,
    BLOCK = 32,  /* rows of each stream that are summed in float */
    STRIP = 2048 /* columns whose float sums are kept at a time: in the first-level cache */
};

/* Elements of one stream: whole rows. What is left behind the last goes through one function for
 * all cases, which decides as it runs: it sees few elements. */
static size_t stream_length(size_t n, int period)
{
    return n / (size_t)period / STREAMS * (size_t)period;
}

/* Elements of the row that begins at `at`. */
static int columns_at(size_t at, size_t n, int period)
{
    return n - at < (size_t)period ? (int)(n - at) : period;
}

static __attribute__((noinline)) void flush(double *sums, float *part, int columns)
{
    for (int j = 0; j < columns; j++) {
        sums[j] += part[j];
        part[j] = 0;
    }
}

static void clear(float *s, float *q, int columns)
{
    memset(s, 0, (size_t)columns * sizeof *s);
    memset(q, 0, (size_t)columns * sizeof *q);
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* ---- sums ---- */

typedef struct moments {
    vec s, q;
} moments;

V_INLINE void moments_add(moments *to, vec x, vec shift)
{
    vec d = x - shift;
    to->s += d;
    to->q = v_fma(d, d, to->q);
}

V_INLINE moments moments_load(const float *s, const float *q)
{
    return (moments){v_load(s), v_load(q)};
}

V_INLINE void moments_store(float *s, float *q, moments from)
{
    v_store(s, from.s);
    v_store(q, from.q);
}

/* Adds `rows` rows of each stream, `columns` wide, to s and q. */
static void sums_block(float *s, float *q, const float *x, const float *shift, size_t rows,
                       int columns, size_t period, size_t stream)
{
    for (size_t r = 0; r < rows; r++, x += period)
        for (int j = 0; j < columns; j += V_WIDTH) {
            moments m = moments_load(s + j, q + j);
            vec k = v_load(shift + j);
            for (size_t i = 0; i < STREAMS; i++)
                moments_add(&m, v_load(x + i * stream + (size_t)j), k);
            moments_store(s + j, q + j, m);
        }
}

static void sums(double *sums, const float *x, const float *shift, size_t n, int period)
{
    size_t p = (size_t)period, stream = stream_length(n, period), rows = stream / p;
    float s[STRIP], q[STRIP];
    for (int j = 0; j < period; j += STRIP) {
        int columns = least(STRIP, period - j);
        clear(s, q, columns);
        for (size_t r = 0; r < rows; r += BLOCK) {
            size_t block = rows - r < BLOCK ? rows - r : BLOCK;
            sums_block(s, q, x + r * p + (size_t)j, shift + j, block, columns, p, stream);
            flush(sums + j, s, columns);
            flush(sums + period + j, q, columns);
        }
    }
    for (size_t i = STREAMS * stream; i < n; i++) {
        double d = x[i] - shift[i % p];
        sums[i % p] += d;
        sums[p + i % p] += d * d;
    }
}

/* ---- forward ---- */

typedef struct affine {
    float *y;
    const float *x, *residual, *scale, *offset;
} affine;

V_INLINE vec affine_at(vec x, vec scale, vec offset, vec residual, const bool add,
                       const eex_act act)
{
    vec z = v_fma(x, scale, offset);
    return v_act(add ? z + residual : z, act);
}

V_INLINE void affine_rows(const affine *t, size_t at, size_t stream, int period, const bool add,
                          const eex_act act)
{
    for (int j = 0; j < period; j += V_WIDTH) {
        vec scale = v_load(t->scale + j), offset = v_load(t->offset + j);
        vec y[STREAMS];
        for (size_t i = 0; i < STREAMS; i++) {
            size_t k = at + i * stream + (size_t)j;
            vec residual = add ? v_load(t->residual + k) : v_zero();
            y[i] = affine_at(v_load(t->x + k), scale, offset, residual, add, act);
        }
        for (size_t i = 0; i < STREAMS; i++)
            v_store(t->y + at + i * stream + (size_t)j, y[i]);
    }
}

static __attribute__((noinline)) void affine_row(const affine *t, size_t at, int columns, bool add,
                                                 eex_act act)
{
    for (int j = 0; j < columns; j += V_WIDTH) {
        int n = least(V_WIDTH, columns - j);
        size_t k = at + (size_t)j;
        vec residual = add ? v_load_n(t->residual + k, n) : v_zero();
        vec y = affine_at(v_load_n(t->x + k, n), v_load(t->scale + j), v_load(t->offset + j),
                          residual, add, act);
        v_store_n(t->y + k, y, n);
    }
}

V_INLINE void affine_all(const affine *t, size_t n, int period, const bool add, const eex_act act)
{
    size_t p = (size_t)period, stream = stream_length(n, period);
    for (size_t at = 0; at < stream; at += p)
        affine_rows(t, at, stream, period, add, act);
    for (size_t at = STREAMS * stream; at < n; at += p)
        affine_row(t, at, columns_at(at, n, period), add, act);
}

static void apply(float *y, const float *x, const float *residual, const float *scale,
                  const float *offset, size_t n, int period, eex_act act)
{
    affine t = {y, x, residual, scale, offset};
    switch (act) { /* those that fuse */
    case EEX_ACT_RELU:
        residual ? affine_all(&t, n, period, true, EEX_ACT_RELU)
                 : affine_all(&t, n, period, false, EEX_ACT_RELU);
        break;
    case EEX_ACT_RELU6:
        residual ? affine_all(&t, n, period, true, EEX_ACT_RELU6)
                 : affine_all(&t, n, period, false, EEX_ACT_RELU6);
        break;
    default:
        residual ? affine_all(&t, n, period, true, EEX_ACT_NONE)
                 : affine_all(&t, n, period, false, EEX_ACT_NONE);
        break;
    }
}

/* ---- backward ---- */

/* Where the slope of act is read from: nowhere, the forward output, or that output made again. */
typedef enum source { SLOPE_ONE, SLOPE_OF_Y, SLOPE_OF_X } source;
typedef enum sink { SINK_NONE, SINK_WRITE, SINK_ADD } sink;

/* The compile-time part of a backward loop. */
typedef struct variant {
    source from;
    eex_act act;
    sink to;
} variant;

typedef struct gradient {
    double *sums;
    float *out; /* dz for the sums, dx for the second pass */
    const float *dy, *x, *mean;
    const eex_norm_mask *mask;
    const float *a, *b, *c;
} gradient;

/* n is V_WIDTH but for the last vector of a tensor. */
V_INLINE vec slope(const gradient *t, vec dy, vec x, size_t k, int j, int n, const variant v)
{
    if (v.from == SLOPE_ONE)
        return dy;
    if (v.from == SLOPE_OF_Y)
        return v_act_slope(dy, v_load_n(t->mask->y + k, n), v.act);
    vec y = v_fma(x, v_load(t->mask->scale + j), v_load(t->mask->offset + j));
    return v_act_slope(dy, y, v.act);
}

/* Returns what goes to t->out. */
V_INLINE vec bwd_sums_vector(moments *m, const gradient *t, vec mean, size_t k, int j, int n,
                             const variant v)
{
    vec x = v_load_n(t->x + k, n);
    vec dz = slope(t, v_load_n(t->dy + k, n), x, k, j, n, v);
    m->s += dz;
    m->q = v_fma(dz, x - mean, m->q);
    return v.to == SINK_ADD ? dz + v_load_n(t->out + k, n) : dz;
}

V_INLINE void bwd_sums_rows(float *s, float *q, const gradient *t, size_t at, size_t stream, int j0,
                            int columns, const variant v)
{
    for (int j = 0; j < columns; j += V_WIDTH) {
        moments m = moments_load(s + j, q + j);
        vec mean = v_load(t->mean + j0 + j);
        vec out[STREAMS];
        for (size_t i = 0; i < STREAMS; i++)
            out[i] = bwd_sums_vector(&m, t, mean, at + i * stream + (size_t)j, j0 + j, V_WIDTH, v);
        for (size_t i = 0; v.to != SINK_NONE && i < STREAMS; i++)
            v_store(t->out + at + i * stream + (size_t)j, out[i]);
        moments_store(s + j, q + j, m);
    }
}

static __attribute__((noinline)) void bwd_sums_row(const gradient *t, size_t at, int columns,
                                                   int period, variant v)
{
    for (int j = 0; j < columns; j += V_WIDTH) {
        int n = least(V_WIDTH, columns - j);
        moments m = {v_zero(), v_zero()};
        vec out = bwd_sums_vector(&m, t, v_load(t->mean + j), at + (size_t)j, j, n, v);
        if (v.to != SINK_NONE)
            v_store_n(t->out + at + (size_t)j, out, n);
        for (int i = 0; i < n; i++) { /* lanes past n are those of dy, 0 */
            t->sums[j + i] += m.s[i];
            t->sums[period + j + i] += m.q[i];
        }
    }
}

V_INLINE void bwd_sums_all(const gradient *t, size_t n, int period, const variant v)
{
    size_t p = (size_t)period, stream = stream_length(n, period), rows = stream / p;
    float s[STRIP], q[STRIP];
    for (int j = 0; j < period; j += STRIP) {
        int columns = least(STRIP, period - j);
        clear(s, q, columns);
        for (size_t r = 0; r < rows;) {
            size_t end = rows - r < BLOCK ? rows : r + BLOCK;
            for (; r < end; r++)
                bwd_sums_rows(s, q, t, r * p + (size_t)j, stream, j, columns, v);
            flush(t->sums + j, s, columns);
            flush(t->sums + period + j, q, columns);
        }
    }
    for (size_t at = STREAMS * stream; at < n; at += p)
        bwd_sums_row(t, at, columns_at(at, n, period), period, v);
}

V_INLINE void bwd_apply_rows(const gradient *t, size_t at, size_t stream, int period,
                             const variant v)
{
    for (int j = 0; j < period; j += V_WIDTH) {
        vec mean = v_load(t->mean + j);
        vec a = v_load(t->a + j), b = v_load(t->b + j), c = v_load(t->c + j);
        vec dx[STREAMS];
        for (size_t i = 0; i < STREAMS; i++) {
            size_t k = at + i * stream + (size_t)j;
            vec x = v_load(t->x + k);
            vec dz = slope(t, v_load(t->dy + k), x, k, j, V_WIDTH, v);
            dx[i] = v_fma(a, dz, v_fma(b, x - mean, c));
        }
        for (size_t i = 0; i < STREAMS; i++)
            v_store(t->out + at + i * stream + (size_t)j, dx[i]);
    }
}

static __attribute__((noinline)) void bwd_apply_row(const gradient *t, size_t at, int columns,
                                                    variant v)
{
    for (int j = 0; j < columns; j += V_WIDTH) {
        int n = least(V_WIDTH, columns - j);
        size_t k = at + (size_t)j;
        vec x = v_load_n(t->x + k, n);
        vec dz = slope(t, v_load_n(t->dy + k, n), x, k, j, n, v);
        vec rest = v_fma(v_load(t->b + j), x - v_load(t->mean + j), v_load(t->c + j));
        v_store_n(t->out + k, v_fma(v_load(t->a + j), dz, rest), n);
    }
}

V_INLINE void bwd_apply_all(const gradient *t, size_t n, int period, const variant v)
{
    size_t p = (size_t)period, stream = stream_length(n, period);
    for (size_t at = 0; at < stream; at += p)
        bwd_apply_rows(t, at, stream, period, v);
    for (size_t at = STREAMS * stream; at < n; at += p)
        bwd_apply_row(t, at, columns_at(at, n, period), v);
}

/* Calls all(t, n, period, variant) with a constant variant for the mask at hand. */
#define WITH_VARIANT(all, sink)                                             \
    do {                                                                    \
        const eex_act act = t.mask->act;                                    \
        if (act == EEX_ACT_NONE)                                            \
            all(&t, n, period, (variant){SLOPE_ONE, EEX_ACT_NONE, sink});   \
        else if (act == EEX_ACT_RELU && t.mask->y)                          \
            all(&t, n, period, (variant){SLOPE_OF_Y, EEX_ACT_RELU, sink});  \
        else if (act == EEX_ACT_RELU)                                       \
            all(&t, n, period, (variant){SLOPE_OF_X, EEX_ACT_RELU, sink});  \
        else if (t.mask->y)                                                 \
            all(&t, n, period, (variant){SLOPE_OF_Y, EEX_ACT_RELU6, sink}); \
        else                                                                \
            all(&t, n, period, (variant){SLOPE_OF_X, EEX_ACT_RELU6, sink}); \
    } while (0)

static void bwd_sums(double *out_sums, float *dz_out, bool accumulate, const float *dy,
                     const float *x, const float *mean, const eex_norm_mask *mask, size_t n,
                     int period)
{
    gradient t = {.sums = out_sums, .out = dz_out, .dy = dy, .x = x, .mean = mean, .mask = mask};
    if (!dz_out)
        WITH_VARIANT(bwd_sums_all, SINK_NONE);
    else if (accumulate)
        WITH_VARIANT(bwd_sums_all, SINK_ADD);
    else
        WITH_VARIANT(bwd_sums_all, SINK_WRITE);
}

static void bwd_apply(float *dx, const float *dy, const float *x, const float *mean,
                      const eex_norm_mask *mask, const float *a, const float *b, const float *c,
                      size_t n, int period)
{
    gradient t = {.out = dx, .dy = dy, .x = x, .mean = mean, .mask = mask, .a = a, .b = b, .c = c};
    WITH_VARIANT(bwd_apply_all, SINK_WRITE);
}

extern const eex_norm_kernels EEX_KERNEL(eex__norm_kernels);
const eex_norm_kernels EEX_KERNEL(eex__norm_kernels) = {
    .sums = sums,
    .apply = apply,
    .bwd_sums = bwd_sums,
    .bwd_apply = bwd_apply,
};
