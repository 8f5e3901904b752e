/* The layers of a network, for model.c. Feature maps are (rows, columns, channels), one channel
 * behind the other; nothing is allocated. */
#ifndef KERNELS_H
#define KERNELS_H

#include "model.h"

enum { ACT_NONE, ACT_RELU, ACT_RELU6, ACT_H_SWISH, ACT_H_SIGMOID, ACT_SIGMOID, ACT_SILU };
enum { SCORE_CONFIDENCE, SCORE_MARGIN, SCORE_ENTROPY };

typedef struct window {
    int hin, win, cin, hout, wout, cout;
    int kernel, stride, pad;
} window;

/* y = x * scale[c] + offset[c] */
void normalise(float *y, const unsigned char *x, int pixels, int channels, const float *scale,
               const float *offset);

/* Linear interpolation where it grows, the mean under a triangle where it shrinks. */
void resize(float *y, const float *x, int hin, int win, int hout, int wout, int channels);

/* weights: (rows, columns, in, out) */
void conv(float *y, const float *x, const float *weights, const float *bias, const window *w,
          int act);
/* weights: (rows, columns, in / groups, out) */
void grouped(float *y, const float *x, const float *weights, const float *bias, const window *w,
             int groups, int act);
/* weights: (rows, columns, channels) */
void depthwise(float *y, const float *x, const float *weights, const float *bias, const window *w,
               int act);
/* weights: (in, out) */
void linear(float *y, const float *x, const float *weights, const float *bias, int in, int out,
            int act);
void max_pool(float *y, const float *x, const window *w);
void mean(float *y, const float *x, int pixels, int channels);

/* y = x * scale[c] + offset[c] */
void affine(float *y, const float *x, const float *scale, const float *offset, int pixels,
            int channels, int act);
void activate(float *y, const float *x, int count, int act);
void add(float *y, const float *a, const float *b, int count, int act);
/* y = x * factor[c] */
void multiply(float *y, const float *x, const float *factor, int pixels, int channels);
/* The channels of a, then those of b. */
void concatenate(float *y, const float *a, int ca, const float *b, int cb, int pixels);

/* What an exit says of its logits. */
void score(model_result *r, const float *logits, int classes, float temperature);

/* Whether the image leaves at exit `number` (from 1), by its thresholds for each class. high NULL:
 * all leave; low NULL: nobody is rejected. far: whether it is unlike what the network knows. */
int leaves(model_result *r, int number, int what, const float *high, const float *low, int far);

/* Whether the mean of x is farther than `limit` from what the network knows. factor: (c, c); room:
 * 2 * c floats. */
int is_far(const float *x, int pixels, int channels, const float *centre, const float *factor,
           double limit, float *room);

#endif
