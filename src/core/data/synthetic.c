#include "core/data/synthetic.h"

#include "core/data/dataset_write.h"
#include "core/data/synthetic_shapes.h"

#include "base/buffer.h"
#include "base/progress.h"
#include "base/rng.h"
#include "base/signals.h"
#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = EEX_SYNTHETIC_SIDE, PIXELS = SIDE * SIDE, IMAGE = PIXELS * 3, BLOCK = 500 };

const char *const eex_synthetic_class_names[EEX_SYNTHETIC_CLASSES] = {
    "disc", "ring", "triangle", "square", "star", "cross", "crescent", "stripes", "checks", "spots",
};

/* What a level means. Colours are in 0..1, lengths in pixels. */
typedef struct level {
    float contrast;          /* least distance of object and background colour (RGB, Euclidean) */
    float smallest, largest; /* radius of the object */
    int clutter, occluders;  /* at most so many */
    float occluder;          /* their size, relative to the object */
    float texture;           /* how far the second colour of a texture is from the first, 0..1 */
    float blur;              /* at most: deviation */
    float noise;             /* at most: deviation */
} level;

static const level levels[EEX_SYNTHETIC_LEVELS] = {
    {0.75f, 10.5f, 13.5f, 0, 0, 0.0f, 1.00f, 0.0f, 0.01f},
    {0.60f, 9.0f, 12.5f, 2, 0, 0.0f, 0.90f, 0.3f, 0.03f},
    {0.45f, 8.0f, 11.5f, 5, 1, 0.45f, 0.70f, 0.5f, 0.06f},
    {0.32f, 7.0f, 11.0f, 9, 2, 0.55f, 0.55f, 0.7f, 0.09f},
    {0.22f, 6.0f, 10.5f, 14, 3, 0.65f, 0.45f, 0.9f, 0.13f},
};

typedef struct colour {
    float r, g, b;
} colour;

/* A placed shape: pixel (px, py) is at ((px, py) - centre) turned and divided by the radii. */
typedef struct pose {
    float cx, cy, rx, ry, sine, cosine;
} pose;

static float uniform(eex_rng *rng, float low, float high)
{
    return low + (high - low) * (float)eex_rng_uniform(rng);
}

static colour random_colour(eex_rng *rng)
{
    colour c;
    c.r = uniform(rng, 0.05f, 0.95f);
    c.g = uniform(rng, 0.05f, 0.95f);
    c.b = uniform(rng, 0.05f, 0.95f);
    return c;
}

static float colour_distance(colour a, colour b)
{
    float r = a.r - b.r, g = a.g - b.g, x = a.b - b.b;
    return sqrtf(r * r + g * g + x * x);
}

static colour mix(colour a, colour b, float t)
{
    return (colour){a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
}

/* A colour about `distance` away from `from`, and not nearer. */
static colour contrasting(eex_rng *rng, colour from, float distance)
{
    colour c = random_colour(rng);
    for (int i = 0; i < 100; i++) {
        float d = colour_distance(c, from);
        if (d >= distance && d <= distance + 0.35f)
            break;
        c = random_colour(rng);
    }
    return c;
}

static pose random_pose(eex_rng *rng, float smallest, float largest, float margin)
{
    const float two_pi = 6.2831853f;
    float radius = uniform(rng, smallest, largest), stretch = uniform(rng, 0.85f, 1.18f);
    float angle = uniform(rng, 0, two_pi);
    pose p = {
        .rx = radius * stretch, .ry = radius / stretch, .sine = sinf(angle), .cosine = cosf(angle)};
    p.cx = uniform(rng, margin, SIDE - margin);
    p.cy = uniform(rng, margin, SIDE - margin);
    return p;
}

/* ---- painting ---- */

static void background(float *image, eex_rng *rng, colour *average, float unrest)
{
    colour a = random_colour(rng), b = mix(a, random_colour(rng), 0.15f + unrest * 0.35f);
    float angle = uniform(rng, 0, 6.2831853f), dx = cosf(angle), dy = sinf(angle);
    for (int i = 0; i < PIXELS; i++) {
        float x = (float)(i % SIDE) / SIDE - 0.5f, y = (float)i / SIDE / SIDE - 0.5f;
        colour c = mix(a, b, 0.5f + 0.7f * (x * dx + y * dy));
        image[3 * i] = c.r;
        image[3 * i + 1] = c.g;
        image[3 * i + 2] = c.b;
    }
    *average = mix(a, b, 0.5f);
}

/* How much of the second colour a texture shows at a place of the object. */
static float texture_at(int class, float u, float v, float phase)
{
    const float pi = 3.14159265f;
    float wave;
    if (class == 7)
        wave = sinf(pi * 2.6f * u + phase);
    else if (class == 8)
        wave = 2.2f * sinf(pi * 2.0f * u + phase) * sinf(pi * 2.0f * v + phase);
    else
        wave = 1.3f * (cosf(pi * 2.6f * u + phase) + cosf(pi * 2.6f * v + phase)) - 0.75f;
    return fminf(fmaxf(0.5f + 2.5f * wave, 0), 1);
}

typedef struct paint {
    eex__shape shape;
    pose pose;
    colour fill, second; /* second: the other colour of a texture, or the far end of a gradient */
    int texture;         /* a class from 7 on, or 0 */
    float phase;
} paint;

static void paint_shape(float *image, const paint *p)
{
    const pose *at = &p->pose;
    float reach = 1.35f * fmaxf(at->rx, at->ry) + 1, scale = fminf(at->rx, at->ry);
    int left = (int)fmaxf(at->cx - reach, 0), right = (int)fminf(at->cx + reach, SIDE - 1);
    int top = (int)fmaxf(at->cy - reach, 0), bottom = (int)fminf(at->cy + reach, SIDE - 1);
    for (int y = top; y <= bottom; y++)
        for (int x = left; x <= right; x++) {
            float dx = (float)x + 0.5f - at->cx, dy = (float)y + 0.5f - at->cy;
            float u = (at->cosine * dx + at->sine * dy) / at->rx;
            float v = (at->cosine * dy - at->sine * dx) / at->ry;
            float cover = 0.5f - eex__shape_distance(p->shape, u, v) * scale;
            if (cover <= 0)
                continue;
            float t = p->texture ? texture_at(p->texture, u, v, p->phase) : 0.5f + 0.3f * v;
            colour c = mix(p->fill, p->second, t);
            float *pixel = image + 3 * (y * SIDE + x);
            cover = fminf(cover, 1);
            pixel[0] += (c.r - pixel[0]) * cover;
            pixel[1] += (c.g - pixel[1]) * cover;
            pixel[2] += (c.b - pixel[2]) * cover;
        }
}

/* Small pieces of anything, of every colour. */
static void scatter(float *image, eex_rng *rng, int most, float smallest, float largest,
                    const pose *around)
{
    int count = most ? (int)eex_rng_below(rng, (uint64_t)most + 1) : 0;
    for (int i = 0; i < count; i++) {
        paint p = {.shape = (eex__shape)eex_rng_below(rng, EEX__SHAPES),
                   .pose = random_pose(rng, smallest, largest, 0)};
        p.fill = p.second = random_colour(rng);
        if (around) { /* occluders lie on the object's rim, where they hide a part of it */
            float angle = uniform(rng, 0, 6.2831853f), r = uniform(rng, 0.4f, 1.0f);
            p.pose.cx = around->cx + around->rx * r * cosf(angle);
            p.pose.cy = around->cy + around->ry * r * sinf(angle);
        }
        paint_shape(image, &p);
    }
}

static void paint_object(float *image, eex_rng *rng, int class, const level *l, colour behind,
                         pose *where)
{
    paint p = {.shape = (eex__shape) class, .texture = class >= 7 ? class : 0};
    p.pose = random_pose(rng, l->smallest, l->largest, SIDE * 0.4f);
    p.phase = uniform(rng, 0, 6.2831853f);
    p.fill = contrasting(rng, behind, l->contrast);
    p.second = mix(p.fill, random_colour(rng), 0.15f);
    if (p.texture) {
        const eex__shape bodies[] = {EEX__DISC, EEX__SQUARE, EEX__TRIANGLE};
        p.shape = bodies[eex_rng_below(rng, 3)];
        p.second = mix(p.fill, contrasting(rng, p.fill, 0.7f), l->texture);
    }
    *where = p.pose;
    paint_shape(image, &p);
}

/* ---- the lens ---- */

/* One pass of a three-tap filter along x (step 3) or y (step 3 * SIDE). */
static void blur_pass(float *to, const float *from, int step, float side_weight)
{
    for (int i = 0; i < IMAGE; i++) {
        int place = step == 3 ? i / 3 % SIDE : i / 3 / SIDE;
        float before = from[place > 0 ? i - step : i];
        float after = from[place < SIDE - 1 ? i + step : i];
        to[i] = from[i] + side_weight * (before + after - 2 * from[i]);
    }
}

static void blur(float *image, float deviation)
{
    float other[IMAGE], weight = deviation * deviation / 2; /* the filter's variance is 2 weight */
    blur_pass(other, image, 3, weight);
    blur_pass(image, other, 3 * SIDE, weight);
}

/* Adds noise that is nearly Gaussian (the sum of four uniform bytes) and rounds to bytes. */
static void develop(uint8_t *out, const float *image, eex_rng *rng, float deviation)
{
    const float unit = deviation / (2 * 73.9f); /* a uniform byte has a deviation of 73.9 */
    for (int i = 0; i < IMAGE; i += 2) {
        uint64_t bits = eex_rng_next(rng);
        for (int k = 0; k < 2; k++, bits >>= 32) {
            int sum = (int)(bits & 255) + (int)(bits >> 8 & 255) + (int)(bits >> 16 & 255) +
                      (int)(bits >> 24 & 255);
            float value = 255 * (image[i + k] + (float)(sum - 510) * unit);
            out[i + k] = (uint8_t)fminf(fmaxf(value + 0.5f, 0), 255);
        }
    }
}

static int class_of(uint32_t number)
{
    return (int)(number % EEX_SYNTHETIC_CLASSES);
}

static int level_of(uint32_t number)
{
    return (int)(number / EEX_SYNTHETIC_CLASSES % EEX_SYNTHETIC_LEVELS);
}

void eex_synthetic_draw(uint8_t *image, uint64_t seed, bool test, uint32_t number)
{
    float canvas[IMAGE];
    const level *l = &levels[level_of(number)];
    eex_rng rng;
    colour behind;
    pose where;
    eex_rng_seed(&rng, seed, (uint64_t)test << 32 | number);
    background(canvas, &rng, &behind, (float)level_of(number) / (EEX_SYNTHETIC_LEVELS - 1));
    scatter(canvas, &rng, l->clutter, 1.5f, 4.5f, NULL);
    paint_object(canvas, &rng, class_of(number), l, behind, &where);
    scatter(canvas, &rng, l->occluders, l->occluder * 0.5f * where.rx, l->occluder * where.rx,
            &where);
    blur(canvas, uniform(&rng, 0, l->blur));
    develop(image, canvas, &rng, uniform(&rng, 0, 1) * l->noise);
}

/* ---- the data set ---- */

typedef struct block {
    uint8_t images[BLOCK * IMAGE], difficulty[BLOCK];
    int32_t labels[BLOCK];
} block;

/* `before` images were drawn already. */
static int draw_part(eex_dataset_writer *writer, block *b, bool test, uint32_t count, uint64_t seed,
                     uint64_t before)
{
    for (uint32_t first = 0; first < count; first += BLOCK) {
        uint32_t now = count - first < BLOCK ? count - first : BLOCK;
        if (eex_interrupted())
            return eex_fail(EEX_EINTERRUPTED, "drawing the synthetic data set was interrupted");
        for (uint32_t i = 0; i < now; i++) {
            eex_synthetic_draw(b->images + (size_t)i * IMAGE, seed, test, first + i);
            b->labels[i] = class_of(first + i);
            b->difficulty[i] = (uint8_t)level_of(first + i);
        }
        const eex_samples samples = {
            .count = now, .images = b->images, .labels = b->labels, .difficulty = b->difficulty};
        EEX_TRY(eex_dataset_append(writer, test ? EEX_PART_TEST : EEX_PART_TRAIN, &samples));
        eex_progress_update(before + first + now, NULL);
    }
    return EEX_OK;
}

static int draw_all(eex_dataset_writer **writer, block *b, uint32_t train, uint32_t test,
                    uint64_t seed)
{
    char source[200];
    EEX_TRY(draw_part(*writer, b, false, train, seed, 0));
    EEX_TRY(draw_part(*writer, b, true, test, seed, train));
    snprintf(source, sizeof source, "eex data make synthetic --train %u --test %u --seed %llu\n",
             train, test, (unsigned long long)seed);
    return eex_dataset_finish(writer, source);
}

int eex_synthetic_make(const char *out_path, const char *name, uint32_t train, uint32_t test,
                       uint64_t seed)
{
    const eex_dataset_spec spec = {.name = name,
                                   .height = SIDE,
                                   .width = SIDE,
                                   .channels = 3,
                                   .classes = eex_synthetic_class_names,
                                   .class_count = EEX_SYNTHETIC_CLASSES};
    eex_dataset_writer *writer = NULL;
    block *b = malloc(sizeof *b);
    if (!b)
        return eex_fail(EEX_ENOMEM, "out of memory, cannot draw images");
    eex_progress_begin("drawing", (uint64_t)train + test, "images");
    int code = eex_dataset_create(&writer, out_path, &spec);
    if (code == EEX_OK)
        code = draw_all(&writer, b, train, test, seed);
    eex_progress_end();
    eex_dataset_abandon(writer);
    free(b);
    return code;
}
