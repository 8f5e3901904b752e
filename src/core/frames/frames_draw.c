#include "core/frames/frames_draw.h"

#include "core/data/synthetic_shapes.h"
#include "core/frames/frames_impl.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLACK, FLAT, GRADIENT, BLURRED, DEFOCUSED };
enum { TEXTURE, NOISE, SHUFFLED, SHAPES };

static const float pi = 3.14159265f;

static uint8_t to_byte(float value)
{
    return (uint8_t)(value < 0 ? 0 : value > 254.5f ? 255 : value + 0.5f);
}

static float uniform(eex_rng *rng, float low, float high)
{
    return low + (high - low) * (float)eex_rng_uniform(rng);
}

static void random_colour(float colour[3], eex_rng *rng)
{
    for (int c = 0; c < 3; c++)
        colour[c] = uniform(rng, 0, 255);
}

/* Colour a where t is 0, b where it is 1. */
static void put(uint8_t *pixel, int channels, const float a[3], const float b[3], float t)
{
    for (int c = 0; c < channels; c++)
        pixel[c] = to_byte(a[c] + (b[c] - a[c]) * t);
}

/* About normal, of a deviation of `level` grey levels: the sum of four bytes. */
static void add_noise(uint8_t *pixels, size_t count, float level, eex_rng *rng)
{
    for (size_t i = 0; i < count; i += 2) {
        const uint64_t word = eex_rng_next(rng);
        for (size_t k = 0; k < 2 && i + k < count; k++) {
            const uint32_t half = (uint32_t)(word >> 32 * k);
            const uint32_t sum =
                (half & 255) + (half >> 8 & 255) + (half >> 16 & 255) + (half >> 24);
            const float normal = ((float)sum - 510) / 147.8f;
            pixels[i + k] = to_byte(pixels[i + k] + level * normal);
        }
    }
}

/* ---- low entropy ---- */

static void draw_gradient(uint8_t *pixels, const eex_frame_shape *s, eex_rng *rng)
{
    float a[3], b[3];
    const float angle = uniform(rng, 0, 2 * pi), dx = cosf(angle), dy = sinf(angle);
    random_colour(a, rng);
    random_colour(b, rng);
    for (int y = 0; y < s->height; y++)
        for (int x = 0; x < s->width; x++) {
            const float u = ((float)x + 0.5f) / (float)s->width - 0.5f;
            const float v = ((float)y + 0.5f) / (float)s->height - 0.5f;
            put(pixels, s->channels, a, b, 0.5f + (u * dx + v * dy) / 1.41421f);
            pixels += s->channels;
        }
}

static void draw_flat(uint8_t *pixels, const eex_frame_shape *s, eex_rng *rng)
{
    float colour[3];
    random_colour(colour, rng);
    for (int i = 0; i < s->height * s->width; i++)
        put(pixels + i * s->channels, s->channels, colour, colour, 0);
}

/* What is left of an image in a handful of pixels. */
static int blur(uint8_t *pixels, const eex_frame_shape *s, eex_rng *rng)
{
    const int side = 2 + (int)eex_rng_below(rng, 3);
    uint8_t few[4 * 4 * 3];
    eex_image image = {s->width, s->height, s->channels, pixels};
    EEX_TRY(eex_image_resize(few, side, side, s->channels, &image, EEX_FIT_SQUASH));
    image = (eex_image){side, side, s->channels, few};
    return eex_image_resize(pixels, s->width, s->height, s->channels, &image, EEX_FIT_SQUASH);
}

/* Sums of each row up to a column: sum[x] is of the pixels before x. */
static void sum_rows(uint32_t *sums, const uint8_t *pixels, const eex_frame_shape *s)
{
    const int c = s->channels;
    for (int y = 0; y < s->height; y++) {
        memset(sums, 0, (size_t)c * sizeof *sums);
        for (int i = 0; i < s->width * c; i++)
            sums[i + c] = sums[i] + pixels[i];
        sums += (s->width + 1) * c;
        pixels += s->width * c;
    }
}

/* The mean over a disc around (x, y), as far as it lies in the image. */
static void mean_of_disc(uint8_t *pixel, const uint32_t *sums, const eex_frame_shape *s, int x,
                         int y, int radius)
{
    uint64_t sum[3] = {0, 0, 0}, count = 0;
    for (int dy = -radius; dy <= radius; dy++) {
        const int half = (int)sqrtf((float)(radius * radius - dy * dy)), row = y + dy;
        const int from = x - half < 0 ? 0 : x - half;
        const int to = x + half >= s->width ? s->width : x + half + 1;
        if (row < 0 || row >= s->height)
            continue;
        const uint32_t *at = sums + (size_t)row * (size_t)(s->width + 1) * (size_t)s->channels;
        for (int c = 0; c < s->channels; c++)
            sum[c] += at[to * s->channels + c] - at[from * s->channels + c];
        count += (uint64_t)(to - from);
    }
    for (int c = 0; c < s->channels; c++)
        pixel[c] = (uint8_t)((sum[c] + count / 2) / count);
}

/* A lens far out of focus shows each point as a disc. */
static int defocus(uint8_t *pixels, const eex_frame_shape *s, eex_rng *rng)
{
    const int side = s->width < s->height ? s->width : s->height;
    const int radius = 1 + (int)((float)side * uniform(rng, 0.15f, 0.3f));
    const size_t count = (size_t)s->height * (size_t)(s->width + 1) * (size_t)s->channels;
    uint32_t *sums = malloc(count * sizeof *sums);
    if (!sums)
        return eex_fail(EEX_ENOMEM, "out of memory for a frame");
    sum_rows(sums, pixels, s);
    for (int y = 0; y < s->height; y++)
        for (int x = 0; x < s->width; x++)
            mean_of_disc(pixels + ((size_t)y * (size_t)s->width + (size_t)x) * (size_t)s->channels,
                         sums, s, x, y, radius);
    free(sums);
    return EEX_OK;
}

bool eex__low_wants_sample(int kind)
{
    return kind == BLURRED || kind == DEFOCUSED;
}

int eex__draw_low(uint8_t *pixels, const eex_frame_shape *shape, int kind, eex_rng *rng)
{
    const size_t bytes = eex__frame_bytes(shape);
    int code = EEX_OK;
    if (kind == BLACK)
        memset(pixels, 0, bytes);
    else if (kind == FLAT)
        draw_flat(pixels, shape, rng);
    else if (kind == GRADIENT)
        draw_gradient(pixels, shape, rng);
    else
        code = kind == BLURRED ? blur(pixels, shape, rng) : defocus(pixels, shape, rng);
    add_noise(pixels, bytes, uniform(rng, 0, 3), rng);
    return code;
}

/* ---- out of distribution ---- */

/* 0..1 at a place of a texture. */
static float texture_at(int kind, float u, float v)
{
    switch (kind) {
    case 0: /* a grating */
        return 0.5f + 0.5f * sinf(2 * pi * u);
    case 1: /* a chessboard */
        return (float)(((int)floorf(2 * u) + (int)floorf(2 * v)) & 1);
    case 2: /* a plaid */
        return 0.5f + 0.25f * (sinf(2 * pi * u) + sinf(2 * pi * v));
    default: /* rings */
        return 0.5f + 0.5f * sinf(2 * pi * hypotf(u, v));
    }
}

static void draw_texture(uint8_t *pixels, const eex_frame_shape *s, eex_rng *rng)
{
    float a[3], b[3];
    const int kind = (int)eex_rng_below(rng, 4);
    const float waves = uniform(rng, 2, 8), angle = uniform(rng, 0, pi);
    const float x0 = uniform(rng, 0, 1), y0 = uniform(rng, 0, 1);
    random_colour(a, rng);
    random_colour(b, rng);
    for (int y = 0; y < s->height; y++)
        for (int x = 0; x < s->width; x++) {
            const float p = (float)x / (float)s->width - x0, q = (float)y / (float)s->height - y0;
            const float u = waves * (p * cosf(angle) + q * sinf(angle));
            const float v = waves * (q * cosf(angle) - p * sinf(angle));
            put(pixels, s->channels, a, b, texture_at(kind, u, v));
            pixels += s->channels;
        }
}

/* Independent values on a grid: as fine as the pixels, or coarser and smooth. */
static int draw_noise(uint8_t *pixels, const eex_frame_shape *s, eex_rng *rng)
{
    uint8_t grid[16 * 16 * 3];
    const int side = (int)eex_rng_below(rng, 16) + 1;
    if (side < 3) {
        for (size_t i = 0; i < eex__frame_bytes(s); i++)
            pixels[i] = (uint8_t)eex_rng_next(rng);
        return EEX_OK;
    }
    for (int i = 0; i < side * side * s->channels; i++)
        grid[i] = (uint8_t)eex_rng_next(rng);
    const eex_image image = {side, side, s->channels, grid};
    return eex_image_resize(pixels, s->width, s->height, s->channels, &image, EEX_FIT_SQUASH);
}

/* Patches of a sample in another order; what does not fill a patch stays where it is. */
static int shuffle_patches(uint8_t *pixels, const eex_frame_shape *s, eex_rng *rng)
{
    enum { ACROSS = 4, PATCHES = ACROSS * ACROSS };
    uint32_t order[PATCHES];
    const size_t bytes = eex__frame_bytes(s), c = (size_t)s->channels;
    const size_t width = (size_t)s->width / ACROSS, height = (size_t)s->height / ACROSS;
    uint8_t *copy = malloc(bytes);
    if (!copy)
        return eex_fail(EEX_ENOMEM, "out of memory for a frame");
    memcpy(copy, pixels, bytes);
    for (uint32_t i = 0; i < PATCHES; i++)
        order[i] = i;
    eex_rng_shuffle(rng, order, PATCHES);
    for (size_t i = 0; i < PATCHES; i++)
        for (size_t y = 0; y < height; y++) {
            const size_t to = (i / ACROSS * height + y) * (size_t)s->width + i % ACROSS * width;
            const size_t from =
                (order[i] / ACROSS * height + y) * (size_t)s->width + order[i] % ACROSS * width;
            memcpy(pixels + to * c, copy + from * c, width * c);
        }
    free(copy);
    return EEX_OK;
}

static void draw_shape(uint8_t *pixels, const eex_frame_shape *s, eex_rng *rng)
{
    float colour[3];
    const eex__shape shape = (eex__shape)eex_rng_below(rng, EEX__SHAPES);
    const float side = (float)(s->width < s->height ? s->width : s->height);
    const float scale = side * uniform(rng, 0.12f, 0.4f), angle = uniform(rng, 0, 2 * pi);
    const float x0 = uniform(rng, 0.1f, 0.9f) * (float)s->width;
    const float y0 = uniform(rng, 0.1f, 0.9f) * (float)s->height;
    random_colour(colour, rng);
    for (int y = 0; y < s->height; y++)
        for (int x = 0; x < s->width; x++) {
            const float p = ((float)x + 0.5f - x0) / scale, q = ((float)y + 0.5f - y0) / scale;
            const float d = eex__shape_distance(shape, p * cosf(angle) + q * sinf(angle),
                                                q * cosf(angle) - p * sinf(angle));
            const float cover = fminf(fmaxf(0.5f - d * scale, 0), 1);
            for (int c = 0; c < s->channels; c++)
                pixels[c] = to_byte(pixels[c] + (colour[c] - pixels[c]) * cover);
            pixels += s->channels;
        }
}

bool eex__foreign_wants_sample(int kind)
{
    return kind == SHUFFLED;
}

int eex__draw_foreign(uint8_t *pixels, const eex_frame_shape *shape, int kind, eex_rng *rng)
{
    if (kind == NOISE)
        return draw_noise(pixels, shape, rng);
    if (kind == SHUFFLED)
        return shuffle_patches(pixels, shape, rng);
    if (kind == TEXTURE) {
        draw_texture(pixels, shape, rng);
    } else {
        draw_flat(pixels, shape, rng);
        for (uint64_t shapes = 2 + eex_rng_below(rng, 5); shapes > 0; shapes--)
            draw_shape(pixels, shape, rng);
    }
    return EEX_OK;
}
