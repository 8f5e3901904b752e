/* Plain loops that the compiler turns into vectors. */
#include "cpu/kernels/image.h"

#include "cpu/kernels/kernels.h"

#include <stddef.h>

static inline float bound(float value)
{
    value = value < 0.0f ? 0.0f : value;
    return value > 255.0f ? 255.0f : value;
}

static inline float grey_of(const float *pixel)
{
    return 0.299f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2];
}

static void normalise(float *restrict y, const uint8_t *restrict x, const float *restrict scale,
                      const float *restrict offset, int n)
{
    for (int i = 0; i < n; i++)
        y[i] = (float)x[i] * scale[i] + offset[i];
}

static void normalise_float(float *restrict y, const float *restrict scale,
                            const float *restrict offset, int n)
{
    for (int i = 0; i < n; i++)
        y[i] = y[i] * scale[i] + offset[i];
}

static void brightness(float *restrict y, const uint8_t *restrict x, float factor, int n)
{
    for (int i = 0; i < n; i++)
        y[i] = bound((float)x[i] * factor);
}

static void contrast(float *y, float factor, float grey, int n)
{
    const float rest = (1.0f - factor) * grey;
    for (int i = 0; i < n; i++)
        y[i] = bound(y[i] * factor + rest);
}

static void saturation(float *y, float factor, int pixels)
{
    for (int i = 0; i < pixels; i++, y += 3) {
        float rest = (1.0f - factor) * grey_of(y);
        for (int c = 0; c < 3; c++)
            y[c] = bound(y[c] * factor + rest);
    }
}

static double grey_sum(const float *y, int pixels)
{
    double sum = 0;
    for (int i = 0; i < pixels; i++)
        sum += grey_of(y + 3 * i);
    return sum;
}

static void mix_rows(float *restrict y, const float *restrict x, const float *restrict weight,
                     int count, int n)
{
    for (int i = 0; i < n; i++)
        y[i] = weight[0] * x[i];
    for (int k = 1; k < count; k++)
        for (int i = 0; i < n; i++)
            y[i] += weight[k] * x[(size_t)k * (size_t)n + (size_t)i];
}

/* c is a constant where this is inlined. */
static inline void mix_pixels(float *restrict y, const float *restrict x, const eex_taps *taps,
                              const float *restrict weight, int most, int columns, int c)
{
    for (int i = 0; i < columns; i++, y += c, weight += most) {
        const float *from = x + taps[i].first * c;
        float sum[3] = {0, 0, 0};
        for (int k = 0; k <= taps[i].last - taps[i].first; k++)
            for (int j = 0; j < c; j++)
                sum[j] += weight[k] * from[k * c + j];
        for (int j = 0; j < c; j++)
            y[j] = sum[j];
    }
}

static void mix_columns(float *y, const float *x, const eex_taps *taps, const float *weight,
                        int most, int columns, int c)
{
    if (c == 3)
        mix_pixels(y, x, taps, weight, most, columns, 3);
    else if (c == 2)
        mix_pixels(y, x, taps, weight, most, columns, 2);
    else
        mix_pixels(y, x, taps, weight, most, columns, 1);
}

extern const eex_image_kernels EEX_KERNEL(eex__image_kernels);
const eex_image_kernels EEX_KERNEL(eex__image_kernels) = {
    .normalise = normalise,
    .normalise_float = normalise_float,
    .brightness = brightness,
    .contrast = contrast,
    .saturation = saturation,
    .grey_sum = grey_sum,
    .mix_rows = mix_rows,
    .mix_columns = mix_columns,
};
