/* What a dense convolution tells of a tile of its result, in whichever precision it multiplies. */
#ifndef EEX_CPU_CONV_TILE_H
#define EEX_CPU_CONV_TILE_H

#include "cpu/conv_dense.h"
#include "cpu/kernels/gemm.h"

#include <math.h>

/* The activation of all tiles. */
static inline void eex__tile_clamp(eex_gemm_tile *tile, const eex_dense_args *args)
{
    tile->low = 0;
    tile->high = args->act == EEX_ACT_RELU6 ? 6.0f : INFINITY;
    tile->clamp = args->act != EEX_ACT_NONE;
}

/* Where the tile's columns begin, in the result, beside it and in the thread's sums (2, channels),
 * which may be NULL. */
static inline void eex__tile_column(eex_gemm_tile *tile, const eex_dense_args *args, double *stats,
                                    int channels, int column)
{
    tile->y = args->y + column;
    tile->bias = args->bias ? args->bias + column : NULL;
    tile->residual = args->residual ? args->residual + column : NULL;
    tile->sum = stats ? stats + column : NULL;
    tile->sum2 = stats ? stats + channels + column : NULL;
}

#endif
