#include "kernels.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* What a convolution calculates at once: SUMS vectors of LANES channels, which are as many pixels,
 * or two vectors each of half as many. Compilers that know vectors are told of them; for any other
 * these are single numbers. */
#if defined(__GNUC__) && defined(__AVX512F__)
enum { LANES = 16 };
#elif defined(__GNUC__) && defined(__AVX__)
enum { LANES = 8 };
#elif defined(__GNUC__) && (defined(__SSE__) || defined(__ARM_NEON) || defined(__riscv_vector))
enum { LANES = 4 };
#else
enum { LANES = 1 };
#endif
#ifdef __GNUC__
typedef float lanes __attribute__((vector_size(LANES * 4)));
typedef int mask __attribute__((vector_size(LANES * 4)));
#else
typedef float lanes;
#endif
enum { SUMS = 8, HALF = SUMS / 2 };

static const float nothing[MODEL_MOST_CHANNELS]; /* what lies beside an image */

/* ---- activations ---- */

static float clamp(float x, float top)
{
    x = x > 0 ? x : 0;
    return x < top ? x : top;
}

static float act_on(float x, int act)
{
    switch (act) {
    case ACT_RELU:
        return x > 0 ? x : 0;
    case ACT_RELU6:
        return clamp(x, 6);
    case ACT_H_SWISH:
        return x * (clamp(x + 3, 6) * (1.0f / 6));
    case ACT_H_SIGMOID:
        return clamp(x + 3, 6) * (1.0f / 6);
    case ACT_SIGMOID:
        return 1 / (1 + expf(-x));
    case ACT_SILU:
        return x / (1 + expf(-x));
    default:
        return x;
    }
}

void activate(float *y, const float *x, int count, int act)
{
    int i;
    switch (act) {
    case ACT_NONE:
        memmove(y, x, (size_t)count * sizeof *y);
        break;
    case ACT_RELU:
        for (i = 0; i < count; i++)
            y[i] = x[i] > 0 ? x[i] : 0;
        break;
    case ACT_RELU6:
        for (i = 0; i < count; i++)
            y[i] = clamp(x[i], 6);
        break;
    default:
        for (i = 0; i < count; i++)
            y[i] = act_on(x[i], act);
    }
}

/* ---- the image ---- */

void normalise(float *y, const unsigned char *x, int pixels, int channels, const float *scale,
               const float *offset)
{
    for (int i = 0; i < pixels; i++)
        for (int c = 0; c < channels; c++)
            y[i * channels + c] = (float)x[i * channels + c] * scale[c] + offset[c];
}

/* Weight of source pixel `s` in target pixel `t`; 0 or less: none. */
static int resize_weight(int t, int s, int from, int to)
{
    const int longer = from > to ? from : to;
    const int distance = (2 * s + 1) * to - (2 * t + 1) * from;
    return 2 * longer - (distance < 0 ? -distance : distance);
}

/* The first and the last source pixel that have weight. */
static void resize_taps(int *first, int *last, int t, int from, int to)
{
    *first = 0;
    while (*first < from - 1 && resize_weight(t, *first, from, to) <= 0)
        ++*first;
    *last = *first;
    while (*last < from - 1 && resize_weight(t, *last + 1, from, to) > 0)
        ++*last;
}

static float resized(const float *x, int c, int channels, int row, int column, int hin, int win,
                     int hout, int wout)
{
    int top, bottom, left, right;
    double sum = 0, weight = 0;
    resize_taps(&top, &bottom, row, hin, hout);
    resize_taps(&left, &right, column, win, wout);
    for (int i = top; i <= bottom; i++)
        for (int j = left; j <= right; j++) {
            const double w =
                (double)resize_weight(row, i, hin, hout) * resize_weight(column, j, win, wout);
            sum += w * x[((size_t)i * win + j) * channels + c];
            weight += w;
        }
    return (float)(sum / weight);
}

void resize(float *y, const float *x, int hin, int win, int hout, int wout, int channels)
{
    for (int i = 0; i < hout; i++)
        for (int j = 0; j < wout; j++)
            for (int c = 0; c < channels; c++)
                *y++ = resized(x, c, channels, i, j, hin, win, hout, wout);
}

/* ---- convolutions ---- */

/* Where the channels begin that tap (ky, kx) of output pixel (row, column) reads. */
static const float *tap(const float *x, const window *w, int row, int column, int ky, int kx)
{
    const int iy = row * w->stride + ky - w->pad, ix = column * w->stride + kx - w->pad;
    if (iy < 0 || iy >= w->hin || ix < 0 || ix >= w->win)
        return nothing;
    return x + ((size_t)iy * w->win + ix) * w->cin;
}

static lanes load(const float *from)
{
    lanes to;
    memcpy(&to, from, sizeof to);
    return to;
}

/* The clamps on a vector, as clamp() does them. */
static lanes clamp_lanes(lanes x, int six)
{
#ifdef __GNUC__
    const lanes top = x * 0 + 6;
    mask less;
    x = (lanes)((mask)x & (x > 0));
    less = six ? x < top : (mask)(x == x);
    return (lanes)(((mask)x & less) | ((mask)top & ~less));
#else
    return six ? clamp(x, 6) : x > 0 ? x : 0;
#endif
}

static void store(float *to, lanes x, int act)
{
    if (act == ACT_RELU || act == ACT_RELU6)
        x = clamp_lanes(x, act == ACT_RELU6);
    memcpy(to, &x, sizeof x);
    if (act > ACT_RELU6)
        activate(to, to, LANES, act);
}

/* sum[p] += x[p][i] * (a row of weights) over all i. */
static void multiply_block(lanes sum[SUMS], const float *const x[SUMS], const float *weights,
                           int in, int stride)
{
    lanes s0 = sum[0], s1 = sum[1], s2 = sum[2], s3 = sum[3];
    lanes s4 = sum[4], s5 = sum[5], s6 = sum[6], s7 = sum[7];
    const float *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3];
    const float *x4 = x[4], *x5 = x[5], *x6 = x[6], *x7 = x[7];
    for (int i = 0; i < in; i++, weights += stride) {
        const lanes v = load(weights);
        s0 += x0[i] * v;
        s1 += x1[i] * v;
        s2 += x2[i] * v;
        s3 += x3[i] * v;
        s4 += x4[i] * v;
        s5 += x5[i] * v;
        s6 += x6[i] * v;
        s7 += x7[i] * v;
    }
    sum[0] = s0, sum[1] = s1, sum[2] = s2, sum[3] = s3;
    sum[4] = s4, sum[5] = s5, sum[6] = s6, sum[7] = s7;
}

/* The same of two vectors beside each other, the second in sum[HALF + p]: fewer loads. */
static void multiply_wide(lanes sum[SUMS], const float *const x[SUMS], const float *weights, int in,
                          int stride)
{
    lanes s0 = sum[0], s1 = sum[1], s2 = sum[2], s3 = sum[3];
    lanes t0 = sum[4], t1 = sum[5], t2 = sum[6], t3 = sum[7];
    const float *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3];
    for (int i = 0; i < in; i++, weights += stride) {
        const lanes v = load(weights), w = load(weights + LANES);
        s0 += x0[i] * v;
        t0 += x0[i] * w;
        s1 += x1[i] * v;
        t1 += x1[i] * w;
        s2 += x2[i] * v;
        t2 += x2[i] * w;
        s3 += x3[i] * v;
        t3 += x3[i] * w;
    }
    sum[0] = s0, sum[1] = s1, sum[2] = s2, sum[3] = s3;
    sum[4] = t0, sum[5] = t1, sum[6] = t2, sum[7] = t3;
}

/* What some pixels in a row read, from number `from` on; pixels are numbered through. */
typedef struct block {
    int from, pixels, left; /* left: those that there are, the others are not kept */
    int wide;               /* two vectors of channels */
    int y[SUMS], x[SUMS];   /* where their kernels begin, by row and column */
} block;

static void begin_block(block *b, const window *w, int from, int wide)
{
    int row = from / w->wout, column = from % w->wout;
    b->from = from;
    b->wide = wide;
    b->pixels = wide ? HALF : SUMS;
    b->left = w->hout * w->wout - from;
    b->left = b->left < b->pixels ? b->left : b->pixels;
    for (int p = 0; p < b->pixels; p++) {
        b->y[p] = row * w->stride - w->pad;
        b->x[p] = column * w->stride - w->pad;
        if (++column == w->wout) {
            column = 0;
            row++;
        }
    }
}

/* What tap (ky, kx) of each pixel reads. Pixels behind the last one read what is on the image, too,
 * and are not kept. */
static void find_taps(const float *at[SUMS], const float *x, const window *w, const block *b,
                      int ky, int kx)
{
    for (int p = 0; p < b->pixels; p++) {
        const int iy = b->y[p] + ky, ix = b->x[p] + kx;
        const int inside = iy >= 0 && iy < w->hin && ix >= 0 && ix < w->win;
        at[p] = inside ? x + ((size_t)iy * w->win + ix) * w->cin : nothing;
    }
}

/* The channels from `first` on of the block's pixels. */
static void conv_block(float *y, const float *x, const float *weights, const float *bias,
                       const window *w, int act, const block *b, int first)
{
    lanes sum[SUMS];
    const float *at[SUMS];
    for (int p = 0; p < SUMS; p++)
        sum[p] = load(bias + first + (b->wide && p >= HALF ? LANES : 0));
    for (int ky = 0; ky < w->kernel; ky++)
        for (int kx = 0; kx < w->kernel; kx++) {
            const float *row = weights + ((size_t)ky * w->kernel + kx) * w->cin * w->cout + first;
            find_taps(at, x, w, b, ky, kx);
            if (b->wide)
                multiply_wide(sum, at, row, w->cin, w->cout);
            else
                multiply_block(sum, at, row, w->cin, w->cout);
        }
    for (int p = 0; p < b->left; p++) {
        float *to = y + (size_t)(b->from + p) * w->cout + first;
        store(to, sum[p], act);
        if (b->wide)
            store(to + LANES, sum[HALF + p], act);
    }
}

/* The same of one channel. */
static void conv_channel(float *y, const float *x, const float *weights, const float *bias,
                         const window *w, int act, int channel)
{
    for (int p = 0; p < w->hout * w->wout; p++) {
        float sum = bias[channel];
        for (int k = 0; k < w->kernel * w->kernel; k++) {
            const float *at = tap(x, w, p / w->wout, p % w->wout, k / w->kernel, k % w->kernel);
            const float *factor = weights + (size_t)k * w->cin * w->cout + channel;
            for (int i = 0; i < w->cin; i++)
                sum += at[i] * factor[(size_t)i * w->cout];
        }
        y[(size_t)p * w->cout + channel] = act_on(sum, act);
    }
}

/* The last block of channels begins early enough to be a whole one: what it shares with the one
 * before is calculated twice. */
void conv(float *y, const float *x, const float *weights, const float *bias, const window *w,
          int act)
{
    if (w->cout < LANES) {
        for (int channel = 0; channel < w->cout; channel++)
            conv_channel(y, x, weights, bias, w, act, channel);
        return;
    }
    for (int first = 0; first < w->cout;) {
        const int wide = first + 2 * LANES <= w->cout;
        const int at = first + LANES <= w->cout ? first : w->cout - LANES;
        for (int from = 0; from < w->hout * w->wout; from += wide ? HALF : SUMS) {
            block b;
            begin_block(&b, w, from, wide);
            conv_block(y, x, weights, bias, w, act, &b, at);
        }
        first += wide ? 2 * LANES : LANES;
    }
}

/* Output channel by output channel, each from the channels of its group. */
void grouped(float *y, const float *x, const float *weights, const float *bias, const window *w,
             int groups, int act)
{
    const int in = w->cin / groups, out = w->cout / groups;
    for (int row = 0; row < w->hout; row++)
        for (int column = 0; column < w->wout; column++, y += w->cout) {
            memcpy(y, bias, (size_t)w->cout * sizeof *y);
            for (int k = 0; k < w->kernel * w->kernel; k++) {
                const float *at = tap(x, w, row, column, k / w->kernel, k % w->kernel);
                const float *factor = weights + (size_t)k * in * w->cout;
                for (int i = 0; i < in; i++, factor += w->cout)
                    for (int c = 0; c < w->cout; c++)
                        y[c] += at[c / out * in + i] * factor[c];
            }
            activate(y, y, w->cout, act);
        }
}

/* The taps of a pixel that are on the image: where they read, and their weights. */
typedef struct taps {
    const float *at[MODEL_MOST_TAPS], *factor[MODEL_MOST_TAPS];
    int count;
} taps;

static void find_pixel(taps *t, const float *x, const float *weights, const window *w, int row,
                       int column)
{
    t->count = 0;
    for (int k = 0; k < w->kernel * w->kernel; k++) {
        const float *at = tap(x, w, row, column, k / w->kernel, k % w->kernel);
        if (at == nothing)
            continue;
        t->at[t->count] = at;
        t->factor[t->count++] = weights + (size_t)k * w->cin;
    }
}

void depthwise(float *y, const float *x, const float *weights, const float *bias, const window *w,
               int act)
{
    taps t;
    for (int row = 0; row < w->hout; row++)
        for (int column = 0; column < w->wout; column++, y += w->cin) {
            int c = 0;
            find_pixel(&t, x, weights, w, row, column);
            for (; c + LANES <= w->cin; c += LANES) {
                lanes sum = load(bias + c);
                for (int k = 0; k < t.count; k++)
                    sum += load(t.at[k] + c) * load(t.factor[k] + c);
                store(y + c, sum, act);
            }
            for (; c < w->cin; c++) {
                float sum = bias[c];
                for (int k = 0; k < t.count; k++)
                    sum += t.at[k][c] * t.factor[k][c];
                y[c] = act_on(sum, act);
            }
        }
}

void linear(float *y, const float *x, const float *weights, const float *bias, int in, int out,
            int act)
{
    memcpy(y, bias, (size_t)out * sizeof *y);
    for (int i = 0; i < in; i++)
        for (int j = 0; j < out; j++)
            y[j] += x[i] * weights[(size_t)i * out + j];
    activate(y, y, out, act);
}

/* ---- other layers ---- */

void max_pool(float *y, const float *x, const window *w)
{
    for (int row = 0; row < w->hout; row++)
        for (int column = 0; column < w->wout; column++, y += w->cin) {
            int any = 0;
            for (int k = 0; k < w->kernel * w->kernel; k++) {
                const float *at = tap(x, w, row, column, k / w->kernel, k % w->kernel);
                if (at == nothing)
                    continue;
                for (int c = 0; c < w->cin; c++)
                    y[c] = any && !(at[c] > y[c]) ? y[c] : at[c];
                any = 1;
            }
        }
}

void mean(float *y, const float *x, int pixels, int channels)
{
    memset(y, 0, (size_t)channels * sizeof *y);
    for (int i = 0; i < pixels; i++, x += channels)
        for (int c = 0; c < channels; c++)
            y[c] += x[c];
    for (int c = 0; c < channels; c++)
        y[c] /= (float)pixels;
}

void affine(float *y, const float *x, const float *scale, const float *offset, int pixels,
            int channels, int act)
{
    for (int i = 0; i < pixels * channels; i++)
        y[i] = act_on(x[i] * scale[i % channels] + offset[i % channels], act);
}

void add(float *y, const float *a, const float *b, int count, int act)
{
    for (int i = 0; i < count; i++)
        y[i] = a[i] + b[i];
    activate(y, y, count, act);
}

void multiply(float *y, const float *x, const float *factor, int pixels, int channels)
{
    for (int i = 0; i < pixels; i++)
        for (int c = 0; c < channels; c++)
            y[i * channels + c] = x[i * channels + c] * factor[c];
}

void concatenate(float *y, const float *a, int ca, const float *b, int cb, int pixels)
{
    for (int i = 0; i < pixels; i++, y += ca + cb) {
        memcpy(y, a + (size_t)i * ca, (size_t)ca * sizeof *y);
        memcpy(y + ca, b + (size_t)i * cb, (size_t)cb * sizeof *y);
    }
}

/* ---- exits ---- */

void score(model_result *r, const float *logits, int classes, float temperature)
{
    const float cold = 1 / temperature;
    double sum = 0, energy = 0;
    float second = -HUGE_VALF;
    r->top = 0;
    for (int c = 1; c < classes; c++)
        if (logits[c] > logits[r->top])
            r->top = c;
    for (int c = 0; c < classes; c++) {
        const float below = logits[r->top] - logits[c], e = expf(-below * cold);
        sum += e;
        energy += e > 0 ? (double)(e * below) : 0;
        if (c != r->top && logits[c] > second)
            second = logits[c];
    }
    r->confidence = (float)(1 / sum);
    r->margin = (float)((1 - expf((second - logits[r->top]) * cold)) / sum);
    r->entropy = (float)(log(sum) + energy * cold / sum);
}

int leaves(model_result *r, int number, int what, const float *high, const float *low, int far)
{
    const float value = what == SCORE_MARGIN    ? r->margin
                        : what == SCORE_ENTROPY ? -r->entropy
                                                : r->confidence;
    const int rejected = far || (low && value < low[r->top]);
    r->exit = number;
    r->accepted = !rejected;
    return rejected || !high || value >= high[r->top];
}

/* The squared Mahalanobis distance of the means, a channel. */
int is_far(const float *x, int pixels, int channels, const float *centre, const float *factor,
           double limit, float *room)
{
    float *seen = room, *white = room + channels, sum = 0;
    mean(seen, x, pixels, channels);
    memset(white, 0, (size_t)channels * sizeof *white);
    for (int j = 0; j < channels; j++)
        for (int i = j; i < channels; i++)
            white[i] += factor[(size_t)j * channels + i] * (seen[j] - centre[j]);
    for (int i = 0; i < channels; i++)
        sum += white[i] * white[i];
    return !((double)(sum / (float)channels) <= limit);
}
