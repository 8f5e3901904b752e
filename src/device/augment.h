/* What augmentation draws for a sample: the arithmetic that all devices share, so that they make
 * the same images. What happens to a sample is a hash of (seed, epoch, sample number).
 *
 * A device whose compiler needs functions marked defines EEX_INLINE before it includes this. */
#ifndef EEX_DEVICE_AUGMENT_H
#define EEX_DEVICE_AUGMENT_H

#include "device/op.h"

#include "base/rng.h"

/* One number each; the order is part of the result. */
typedef enum eex_draw {
    EEX_DRAW_CROP_Y,
    EEX_DRAW_CROP_X,
    EEX_DRAW_FLIP,
    EEX_DRAW_CUT_Y,
    EEX_DRAW_CUT_X,
    EEX_DRAW_BRIGHTNESS,
    EEX_DRAW_CONTRAST,
    EEX_DRAW_SATURATION,
    EEX_DRAWS
} eex_draw;

/* Uniform in [0, 1). */
EEX_INLINE double eex_draw_uniform(uint64_t seed, uint32_t epoch, uint32_t sample, eex_draw draw)
{
    return eex_rng_hash_uniform(seed, (uint64_t)epoch << 32 | sample, (uint64_t)draw);
}

/* From here on, u is such a number. An integer in 0..n - 1. */
EEX_INLINE int eex_draw_below(double u, int n)
{
    int value = (int)(u * n);
    return value < n ? value : n - 1;
}

/* Where a crop of the padded image begins on the image itself: -pad..pad, 0 without a frame. */
EEX_INLINE int eex_draw_crop(double u, int pad)
{
    return pad > 0 ? eex_draw_below(u, 2 * pad + 1) - pad : 0;
}

/* Where the blanked square begins, whose middle is drawn among `n` pixels: it may begin before the
 * image and end behind it. */
EEX_INLINE int eex_draw_cut(double u, int n, int side)
{
    return eex_draw_below(u, n) - side / 2;
}

/* A factor of brightness, contrast or saturation in 1 +- jitter, not below 0. */
EEX_INLINE float eex_draw_factor(double u, float jitter)
{
    double value = 1 + jitter * (2 * u - 1);
    return value < 0 ? 0.0f : (float)value;
}

/* Normalised: byte * scale + offset, of channel `c`. */
EEX_INLINE void eex_augment_scale(float *scale, float *offset, const eex_augment *augment, int c)
{
    double mean = augment->mean[c], std = augment->std[c];
    *scale = (float)(1 / (255 * std));
    *offset = (float)(-mean / std);
}

/* EEX_EUNSUPPORTED and EEX_EINVAL name the op. */
int eex_augment_check(const eex_op *op);

#endif
