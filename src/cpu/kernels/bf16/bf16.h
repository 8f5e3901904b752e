/* Matrix products of factors that are rounded to bfloat16, with float32 sums.
 *
 * Compiled twice: for AMX, whose tile unit multiplies 16 x 32 by 32 x 16 numbers in 16 cycles, and
 * for AVX-512's dot products of bfloat16 pairs. Everything but `multiply` is the same code. Both
 * take the right factor as panels in which two rows that follow each other lie interleaved.
 *
 * All work comes in tiles of 32 rows by 32 columns and chunks of 32 in depth, padded with zeros:
 * (ROWS, depth) on the left, (depth / 2, width, 2) on the right, width 16 or 32. An element of a
 * result is one chain of sums in the order of the chunks; it does not depend on the other rows. */
#ifndef EEX_CPU_KERNELS_BF16_BF16_H
#define EEX_CPU_KERNELS_BF16_BF16_H

#include "cpu/kernels/gemm.h"

#include <stdint.h>

typedef uint16_t eex_bf16;

enum { EEX_BF16_ROWS = 32, EEX_BF16_COLUMNS = 32, EEX_BF16_CHUNK = 32 };

/* c (ROWS, 32) = sum over segments of a[i][segment.a ...] * b[segment.b ...][c], lengths multiples
 * of the chunk. Rows beyond `rows` may hold anything, and give anything. */
typedef struct eex_bf16_product {
    int rows;  /* 1..ROWS; memory for 16 or ROWS of them is there */
    int width; /* 16 or 32: columns of b */
    int segments;
    const eex_gemm_segment *segment;
    const eex_bf16 *a;
    ptrdiff_t lda; /* elements from row to row */
    const eex_bf16 *b;
    float *c; /* 64-byte aligned, (ROWS, 32) whatever the width */
} eex_bf16_product;

typedef struct eex_bf16_kernels {
    const char *isa; /* "amx", "avx512_bf16" */

    /* Around any number of calls of `multiply` on one thread. */
    void (*begin)(void);
    void (*end)(void);
    void (*multiply)(const eex_bf16_product *p);

    /* y, statistics and so on of a tile (gemm.h) from its products c; a, b and segments of it are
     * not read. */
    void (*finish)(const eex_gemm_tile *tile, const float *c);
    /* Asks for the memory that `finish` will write for a tile, so that it arrives meanwhile. */
    void (*expect)(const eex_gemm_tile *tile);
    /* w[i * stride + j] (+)= c[i][j]. */
    void (*add)(float *w, ptrdiff_t stride, const float *c, int rows, int columns, bool add);

    /* to[0..padded) = from[0..n), the rest 0; padded is a multiple of the chunk. */
    void (*round)(eex_bf16 *to, const float *from, int n, int padded);
    /* A chunk of a panel, (16, width, 2): its 32 rows are rows[k][first ...), `columns` of them and
     * then zeros; NULL is a row of zeros. next: the 32 rows that will be read next, or NULL. */
    void (*pack)(eex_bf16 *to, const float *const *rows, const float *const *next, int first,
                 int columns, int width);
    /* The same from the columns: rows[c][0..depth), c < columns, depth at most 32. */
    void (*pack_columns)(eex_bf16 *to, const float *const *rows, int columns, int width, int depth);
    /* A chunk of a left factor from its columns: to[i * lda + k] = rows[k][first + i], k < 32, for
     * all i < 32, 0 where i >= count; NULL is zeros. */
    void (*transpose)(eex_bf16 *to, ptrdiff_t lda, const float *const *rows,
                      const float *const *next, int first, int count);
} eex_bf16_kernels;

/* The best that this processor, its system and the build have, or the one called `isa` when that is
 * neither NULL nor ""; NULL when there is none. */
const eex_bf16_kernels *eex__bf16_find(const char *isa);

#endif
