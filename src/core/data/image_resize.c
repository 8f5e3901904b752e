#include "core/data/image_impl.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The source positions [first, first + count) that make one target position, with their weights. */
typedef struct taps {
    int first, count;
    float *weight; /* (count) in the axis's memory */
} taps;

typedef struct axis {
    taps *at; /* one for each target position */
    float *memory;
} axis;

static void axis_free(axis *a)
{
    free(a->at);
    free(a->memory);
}

/* A triangle centred on the target position, with a support of one source pixel or, when shrinking,
 * of one target pixel to each side. */
static void triangle(taps *t, double centre, double support, int size)
{
    int first = (int)ceil(centre - support - 0.5), last = (int)floor(centre + support - 0.5);
    double sum = 0;
    t->first = first < 0 ? 0 : first;
    t->count = (last >= size ? size - 1 : last) - t->first + 1;
    for (int i = 0; i < t->count; i++) {
        double distance = fabs(t->first + i + 0.5 - centre) / support;
        t->weight[i] = (float)(distance < 1 ? 1 - distance : 0);
        sum += t->weight[i];
    }
    for (int i = 0; i < t->count; i++)
        t->weight[i] = (float)(t->weight[i] / sum);
}

static int axis_make(axis *a, double start, double length, int source, int target)
{
    double scale = length / target, support = scale > 1 ? scale : 1;
    size_t most = (size_t)(2 * support) + 2;
    a->at = calloc((size_t)target, sizeof *a->at);
    a->memory = calloc((size_t)target * most, sizeof *a->memory);
    if (!a->at || !a->memory)
        return eex_fail(EEX_ENOMEM, "out of memory, cannot resize an image");
    for (int i = 0; i < target; i++) {
        a->at[i].weight = a->memory + (size_t)i * most;
        triangle(&a->at[i], start + (i + 0.5) * scale, support, source);
    }
    return EEX_OK;
}

eex_image_part eex_image_fit(int width, int height, int to_width, int to_height, eex_fit fit)
{
    eex_image_part part = {0, 0, width, height};
    if (fit == EEX_FIT_SQUASH)
        return part;
    double aspect = (double)to_width / to_height;
    if (part.width > part.height * aspect)
        part.width = part.height * aspect;
    else
        part.height = part.width / aspect;
    part.x = (width - part.width) / 2;
    part.y = (height - part.height) / 2;
    return part;
}

/* One target row of the source's width: the weighted sum of source rows. */
static void mix_rows(float *row, const eex_image *image, const taps *t)
{
    size_t stride = (size_t)image->width * (size_t)image->channels;
    memset(row, 0, stride * sizeof *row);
    for (int i = 0; i < t->count; i++) {
        const uint8_t *from = image->pixels + (size_t)(t->first + i) * stride;
        float weight = t->weight[i];
        for (size_t x = 0; x < stride; x++)
            row[x] += weight * from[x];
    }
}

static uint8_t to_byte(float value)
{
    return (uint8_t)(value < 0 ? 0 : value > 254.5f ? 255 : value + 0.5f);
}

static void put_pixel(uint8_t *out, int channels, const float *value, int have)
{
    float luma = have == 1 ? value[0] : 0.299f * value[0] + 0.587f * value[1] + 0.114f * value[2];
    if (channels == 1)
        out[0] = to_byte(luma);
    else
        for (int c = 0; c < 3; c++)
            out[c] = to_byte(have == 1 ? luma : value[c]);
}

static void mix_columns(uint8_t *out, int width, int channels, const float *row,
                        const axis *columns, int have)
{
    for (int x = 0; x < width; x++) {
        const taps *t = &columns->at[x];
        float value[3] = {0, 0, 0};
        for (int i = 0; i < t->count; i++)
            for (int c = 0; c < have; c++)
                value[c] += t->weight[i] * row[(t->first + i) * have + c];
        put_pixel(out + x * channels, channels, value, have);
    }
}

int eex_image_resize(uint8_t *out, int width, int height, int channels, const eex_image *image,
                     eex_fit fit)
{
    EEX_NEED(image, "image");
    if (width < 1 || height < 1)
        return eex_fail(EEX_EINVAL, "an image cannot be made %d x %d", width, height);
    const eex_image_part part = eex_image_fit(image->width, image->height, width, height, fit);
    return eex_image_resize_part(out, width, height, channels, image, &part);
}

static int check_resize(int width, int height, int channels, const eex_image *image,
                        const eex_image_part *p)
{
    EEX_TRY(eex__image_check(image));
    if (width < 1 || height < 1 || width > EEX_IMAGE_MAX_SIDE || height > EEX_IMAGE_MAX_SIDE ||
        (channels != 1 && channels != 3))
        return eex_fail(EEX_EINVAL, "an image cannot be made %d x %d x %d", width, height,
                        channels);
    if (p->x >= 0 && p->y >= 0 && p->width > 0 && p->height > 0 &&
        p->x + p->width <= image->width + 1e-6 && p->y + p->height <= image->height + 1e-6)
        return EEX_OK;
    return eex_fail(EEX_EINVAL, "no part of an image of %d x %d: %g x %g at %g, %g", image->width,
                    image->height, p->width, p->height, p->x, p->y);
}

int eex_image_resize_part(uint8_t *out, int width, int height, int channels, const eex_image *image,
                          const eex_image_part *part)
{
    EEX_NEED(out, "place for pixels");
    EEX_NEED(image, "image");
    EEX_NEED(part, "part");
    EEX_TRY(check_resize(width, height, channels, image, part));
    axis columns = {NULL, NULL}, rows = {NULL, NULL};
    float *row = malloc((size_t)image->width * (size_t)image->channels * sizeof *row);
    int code = row ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory, cannot resize an image");
    if (code == EEX_OK)
        code = axis_make(&columns, part->x, part->width, image->width, width);
    if (code == EEX_OK)
        code = axis_make(&rows, part->y, part->height, image->height, height);
    for (int y = 0; y < height && code == EEX_OK; y++) {
        mix_rows(row, image, &rows.at[y]);
        mix_columns(out + (size_t)y * (size_t)width * (size_t)channels, width, channels, row,
                    &columns, image->channels);
    }
    free(row);
    axis_free(&columns);
    axis_free(&rows);
    return code;
}
