#include "cpu/kernels/bf16/bf16.h"

#include "cpu/kernels/vec.h"

/* EEX_BF16_AMX: 1 with the tile unit. */
#define LANES 16
#define INLINE static inline __attribute__((always_inline))

/* ---- products ---- */

#if EEX_BF16_AMX
#define NAME eex__bf16_amx
#define ISA "amx"

/* Four accumulators of 16 x 16 (0 to 3), two pieces of the left factor (4, 5), two of the right (6,
 * 7); all of 16 rows of 64 bytes. */
static void begin(void)
{
    static const struct {
        uint8_t palette, start, reserved[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } __attribute__((aligned(64))) config = {
        .palette = 1,
        .bytes = {64, 64, 64, 64, 64, 64, 64, 64},
        .rows = {16, 16, 16, 16, 16, 16, 16, 16},
    };
    _tile_loadconfig(&config);
}

static void end(void)
{
    _tile_release();
}

/* The tile number is part of the instruction, so heights and widths are written out. */
INLINE void multiply_tiles(const eex_bf16_product *p, const bool tall, const bool wide)
{
    const ptrdiff_t a_step = p->lda * 2, b_step = wide ? 128 : 64;
    const eex_bf16 *second = p->a + LANES * p->lda;
    _tile_zero(0);
    if (wide)
        _tile_zero(1);
    if (tall)
        _tile_zero(2);
    if (tall && wide)
        _tile_zero(3);
    for (int s = 0; s < p->segments; s++) {
        const eex_gemm_segment *g = &p->segment[s];
        const char *b = (const char *)p->b + (ptrdiff_t)g->b / 2 * b_step;
        for (ptrdiff_t k = g->a; k < g->a + g->k; k += EEX_BF16_CHUNK, b += LANES * b_step) {
            _tile_loadd(4, p->a + k, a_step);
            _tile_loadd(6, b, b_step);
            _tile_dpbf16ps(0, 4, 6);
            if (wide) {
                _tile_loadd(7, b + 64, b_step);
                _tile_dpbf16ps(1, 4, 7);
            }
            if (tall) {
                _tile_loadd(5, second + k, a_step);
                _tile_dpbf16ps(2, 5, 6);
            }
            if (tall && wide)
                _tile_dpbf16ps(3, 5, 7);
        }
    }
    _tile_stored(0, p->c, 128);
    if (wide)
        _tile_stored(1, p->c + LANES, 128);
    if (tall)
        _tile_stored(2, p->c + LANES * 32, 128);
    if (tall && wide)
        _tile_stored(3, p->c + LANES * 32 + LANES, 128);
}

static void multiply(const eex_bf16_product *p)
{
    if (p->rows > LANES && p->width > LANES)
        multiply_tiles(p, true, true);
    else if (p->rows > LANES)
        multiply_tiles(p, true, false);
    else if (p->width > LANES)
        multiply_tiles(p, false, true);
    else
        multiply_tiles(p, false, false);
}

#else
#define NAME eex__bf16_avx512
#define ISA "avx512_bf16"

static void begin(void)
{
}

static void end(void)
{
}

/* Rows at a time: as many accumulators as leave registers for two of the panel and a broadcast. */
enum { BAND = 12 };

INLINE __m512bh pair_of(const eex_bf16 *p)
{
    int pair;
    memcpy(&pair, p, sizeof pair);
    return (__m512bh)_mm512_set1_epi32(pair);
}

INLINE void multiply_band(const eex_bf16_product *p, int first, const int rows, const int vectors)
{
    __m512 acc[BAND][2];
    const eex_bf16 *a = p->a + first * p->lda;
    for (int i = 0; i < rows; i++)
        acc[i][0] = acc[i][1] = _mm512_setzero_ps();
    for (int s = 0; s < p->segments; s++) {
        const eex_gemm_segment *g = &p->segment[s];
        const eex_bf16 *b = p->b + (ptrdiff_t)g->b * vectors * LANES;
        for (ptrdiff_t k = g->a; k < g->a + g->k; k += 2, b += 2 * vectors * LANES) {
            __m512bh b0 = (__m512bh)_mm512_loadu_si512(b);
            __m512bh b1 = (__m512bh)_mm512_loadu_si512(b + (vectors - 1) * 2 * LANES);
#pragma GCC unroll 16
            for (int i = 0; i < rows; i++) {
                __m512bh x = pair_of(a + i * p->lda + k);
                acc[i][0] = _mm512_dpbf16_ps(acc[i][0], x, b0);
                if (vectors > 1)
                    acc[i][1] = _mm512_dpbf16_ps(acc[i][1], x, b1);
            }
        }
    }
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < vectors; j++)
            _mm512_store_ps(p->c + (first + i) * 32 + j * LANES, acc[i][j]);
}

INLINE void multiply_bands(const eex_bf16_product *p, const int vectors)
{
    int i = 0;
    for (; i + BAND <= p->rows; i += BAND)
        multiply_band(p, i, BAND, vectors);
    for (; i + 4 <= p->rows; i += 4)
        multiply_band(p, i, 4, vectors);
    for (; i < p->rows; i++)
        multiply_band(p, i, 1, vectors);
}

static void multiply(const eex_bf16_product *p)
{
    if (p->width > LANES)
        multiply_bands(p, 2);
    else
        multiply_bands(p, 1);
}
#endif

/* ---- what becomes of products ---- */

INLINE __mmask16 first_lanes(int n)
{
    return n >= LANES ? (__mmask16)0xffff : n <= 0 ? 0 : (__mmask16)((1u << n) - 1);
}

INLINE void add_double(double *to, __m512 v, __mmask16 m)
{
    __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(v));
    __m512d high = _mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1));
    __mmask8 m0 = (__mmask8)m, m1 = (__mmask8)(m >> 8);
    _mm512_mask_storeu_pd(to, m0, _mm512_add_pd(low, _mm512_maskz_loadu_pd(m0, to)));
    _mm512_mask_storeu_pd(to + 8, m1, _mm512_add_pd(high, _mm512_maskz_loadu_pd(m1, to + 8)));
}

/* One vector of columns of a tile. */
INLINE void finish_strip(const eex_gemm_tile *t, const float *c, int column, const bool stats)
{
    const __mmask16 m = first_lanes(t->columns - column);
    const __m512 low = _mm512_set1_ps(t->low), high = _mm512_set1_ps(t->high);
    const __m512 bias = t->bias ? _mm512_maskz_loadu_ps(m, t->bias + column) : _mm512_setzero_ps();
    __m512 sum = _mm512_setzero_ps(), sum2 = sum;
    for (int i = 0; i < t->rows; i++) {
        __m512 v = _mm512_add_ps(_mm512_load_ps(c + i * 32 + column), bias);
        const ptrdiff_t at = t->out[i] + column;
        if (t->residual)
            v = _mm512_add_ps(v, _mm512_maskz_loadu_ps(m, t->residual + at));
        if (t->clamp) /* operands in the order that lets NaN through */
            v = _mm512_min_ps(high, _mm512_max_ps(low, v));
        _mm512_mask_storeu_ps(t->y + at, m, v);
        if (stats) {
            sum = _mm512_add_ps(sum, v);
            sum2 = _mm512_fmadd_ps(v, v, sum2);
        }
    }
    if (stats) {
        add_double(t->sum + column, sum, m);
        add_double(t->sum2 + column, sum2, m);
    }
}

static void finish(const eex_gemm_tile *t, const float *c)
{
    for (int column = 0; column < t->columns; column += LANES)
        if (t->sum)
            finish_strip(t, c, column, true);
        else
            finish_strip(t, c, column, false);
}

static void expect(const eex_gemm_tile *t)
{
    for (int i = 0; i < t->rows; i++) {
        const float *y = t->y + t->out[i];
        __asm__ volatile("prefetchw %0" : : "m"(y[0]));
        if (t->columns > LANES)
            __asm__ volatile("prefetchw %0" : : "m"(y[LANES]));
    }
}

static void add(float *w, ptrdiff_t stride, const float *c, int rows, int columns, bool add)
{
    for (int column = 0; column < columns; column += LANES) {
        const __mmask16 m = first_lanes(columns - column);
        for (int i = 0; i < rows; i++) {
            float *to = w + i * stride + column;
            __m512 v = _mm512_load_ps(c + i * 32 + column);
            if (add)
                v = _mm512_add_ps(v, _mm512_maskz_loadu_ps(m, to));
            _mm512_mask_storeu_ps(to, m, v);
        }
    }
}

/* ---- factors ---- */

/* 32 numbers from `from`, zeros behind the first n. */
INLINE __m512i round32(const float *from, int n)
{
    __m512 low = _mm512_maskz_loadu_ps(first_lanes(n), from);
    __m512 high = _mm512_maskz_loadu_ps(first_lanes(n - LANES), from + LANES);
    return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

static void round_row(eex_bf16 *to, const float *from, int n, int padded)
{
    for (int i = 0; i < padded; i += 32)
        _mm512_storeu_si512(to + i, round32(from + i, n - i));
}

/* Lane i: a[i] below b[i]. */
INLINE __m512i interleave(__m512 a, __m512 b)
{
    const __m512i order =
        _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                         21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return _mm512_permutexvar_epi16(order, (__m512i)_mm512_cvtne2ps_pbh(b, a));
}

INLINE __m512 load_or_zero(const float *row, int column, __mmask16 m)
{
    return row ? _mm512_maskz_loadu_ps(m, row + column) : _mm512_setzero_ps();
}

/* Asks for the first 32 columns of the next chunk's rows: too many strides for the processor to see
 * them coming. */
INLINE void fetch_rows(const float *const *next, int first)
{
    for (int i = 0; next && i < EEX_BF16_CHUNK; i++)
        if (next[i]) {
            _mm_prefetch(next[i] + first, _MM_HINT_T0);
            _mm_prefetch(next[i] + first + LANES, _MM_HINT_T0);
        }
}

static void pack(eex_bf16 *to, const float *const *rows, const float *const *next, int first,
                 int columns, int width)
{
    fetch_rows(next, first);
    for (int k = 0; k < EEX_BF16_CHUNK; k += 2)
        for (int column = 0; column < width; column += LANES, to += 2 * LANES) {
            const __mmask16 m = first_lanes(columns - column);
            __m512 a = load_or_zero(rows[k], first + column, m);
            _mm512_storeu_si512(to, interleave(a, load_or_zero(rows[k + 1], first + column, m)));
        }
}

/* 16 x 16 numbers of 32 bits, in place: first within 4 x 4 blocks, then the blocks. */
INLINE void transpose16(__m512i v[16])
{
    __m512i t[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; i += 4) {
        __m512i a = _mm512_unpacklo_epi32(v[i], v[i + 1]),
                b = _mm512_unpackhi_epi32(v[i], v[i + 1]);
        __m512i c = _mm512_unpacklo_epi32(v[i + 2], v[i + 3]);
        __m512i d = _mm512_unpackhi_epi32(v[i + 2], v[i + 3]);
        t[i] = _mm512_unpacklo_epi64(a, c);
        t[i + 1] = _mm512_unpackhi_epi64(a, c);
        t[i + 2] = _mm512_unpacklo_epi64(b, d);
        t[i + 3] = _mm512_unpackhi_epi64(b, d);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        __m512i a = _mm512_shuffle_i32x4(t[i], t[i + 4], 0x88);
        __m512i b = _mm512_shuffle_i32x4(t[i], t[i + 4], 0xdd);
        __m512i c = _mm512_shuffle_i32x4(t[i + 8], t[i + 12], 0x88);
        __m512i d = _mm512_shuffle_i32x4(t[i + 8], t[i + 12], 0xdd);
        v[i] = _mm512_shuffle_i32x4(a, c, 0x88);
        v[i + 8] = _mm512_shuffle_i32x4(a, c, 0xdd);
        v[i + 4] = _mm512_shuffle_i32x4(b, d, 0x88);
        v[i + 12] = _mm512_shuffle_i32x4(b, d, 0xdd);
    }
}

static void pack_columns(eex_bf16 *to, const float *const *rows, int columns, int width, int depth)
{
    for (int column = 0; column < width; column += LANES) {
        __m512i v[16];
        for (int i = 0; i < LANES; i++)
            v[i] = column + i < columns ? round32(rows[column + i], depth) : _mm512_setzero_si512();
        transpose16(v);
        for (int i = 0; i < LANES; i++)
            _mm512_storeu_si512(to + ((ptrdiff_t)i * width + column) * 2, v[i]);
    }
}

static void transpose(eex_bf16 *to, ptrdiff_t lda, const float *const *rows,
                      const float *const *next, int first, int count)
{
    fetch_rows(next, first);
    for (int column = 0; column < EEX_BF16_ROWS; column += LANES) {
        const __mmask16 m = first_lanes(count - column);
        __m512i v[16];
        for (int i = 0; i < LANES; i++) {
            __m512 a = load_or_zero(rows[2 * i], first + column, m);
            v[i] = interleave(a, load_or_zero(rows[2 * i + 1], first + column, m));
        }
        transpose16(v);
        for (int i = 0; i < LANES; i++)
            _mm512_storeu_si512(to + (column + i) * lda, v[i]);
    }
}

extern const eex_bf16_kernels NAME;
const eex_bf16_kernels NAME = {
    .isa = ISA,
    .begin = begin,
    .end = end,
    .multiply = multiply,
    .finish = finish,
    .expect = expect,
    .add = add,
    .round = round_row,
    .pack = pack,
    .pack_columns = pack_columns,
    .transpose = transpose,
};
