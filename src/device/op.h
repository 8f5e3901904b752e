/* The lowered operations: what a plan consists of and what a device executes.
 *
 * A plan (plan.h) turns a graph into a flat list of these. A device (device.h) prepares each one
 * once and runs it many times. Activations are float32, channels last: a tensor of N samples is
 * (N, H, W, C) with C contiguous. All pointers are device pointers; they stay the same for the
 * whole life of the plan, so a device may bake them into captured graphs.
 *
 * The batch is not part of an op: prepare gets the largest, run the one of the moment. */
#ifndef EEX_DEVICE_OP_H
#define EEX_DEVICE_OP_H

#include "device/decide.h"

#include "base/names.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a plan calculates. Master weights, their gradients, statistics, biases and thresholds are
 * float32 always; with EEX_BF16 activations, their gradients and the convolutions' copies of the
 * weights are bfloat16 in memory (the pointers to them stay `float *` here: a device that knows the
 * precision casts them) and sums are float32. The other two are float32 in memory, and only the
 * factors of convolutions' and linear layers' products are rounded: EEX_TF32 to 10 bits of
 * mantissa, EEX_BF16_PRODUCTS to bfloat16's 7. */
typedef enum eex_precision {
    EEX_F32,
    EEX_TF32,
    EEX_BF16,
    EEX_BF16_PRODUCTS,
    EEX_PRECISIONS
} eex_precision;

/* "float32", "tf32", "bfloat16", "bfloat16-products". */
const eex_names *eex_precision_names(void);
const char *eex_precision_name(eex_precision precision);

/* Whether networks may decide in it: all but EEX_BF16, which is for training. Scores and thresholds
 * are compared as float32, so what they come from is float32 in memory. */
bool eex_precision_infers(eex_precision precision);
const eex_names *eex_precision_inferring_names(void); /* without the others */

/* The one of that name among those that networks may decide in. EEX_EINVAL lists them. */
int eex_precision_parse(eex_precision *out, const char *name);

/* Bytes of one element of an activation. */
EEX_INLINE size_t eex_precision_bytes(eex_precision precision)
{
    return precision == EEX_BF16 ? 2 : 4;
}

/* h-sigmoid is relu6(x + 3) / 6 and h-swish x times that (Howard et al. 2019, "Searching for
 * MobileNetV3", section 5.2); SiLU is x times its sigmoid (Ramachandran et al. 2017, "Searching for
 * Activation Functions", where it is called swish). */
typedef enum eex_act {
    EEX_ACT_NONE,
    EEX_ACT_RELU,
    EEX_ACT_RELU6,
    EEX_ACT_H_SWISH,
    EEX_ACT_H_SIGMOID,
    EEX_ACT_SIGMOID,
    EEX_ACT_SILU
} eex_act;
enum { EEX_ACTS = EEX_ACT_SILU + 1 }; /* no member: kernels switch over all that there are */

/* "none", "relu", "relu6", "h-swish", "h-sigmoid", "sigmoid", "silu". */
const eex_names *eex_act_names(void);
const char *eex_act_name(eex_act act);
int eex_act_parse(eex_act *out, const char *name); /* EEX_EINVAL lists those there are */

/* Whether an activation may be the end of another op: clamps may, for the backward of what they end
 * reads their slope from its output. Any other is an op of its own, whose input is kept for its
 * backward. */
EEX_INLINE bool eex_act_fuses(eex_act act)
{
    return act == EEX_ACT_NONE || act == EEX_ACT_RELU || act == EEX_ACT_RELU6;
}

typedef enum eex_op_kind {
    EEX_OP_AUGMENT, /* uint8 images to normalised float32, with augmentation */
    EEX_OP_RESIZE,  /* what AUGMENT made, to the size that the network reads */
    EEX_OP_CONV,    /* convolution (dense or depthwise), fused bias + residual + act */
    EEX_OP_CONV_BWD_DATA,
    EEX_OP_CONV_BWD_WEIGHTS,
    EEX_OP_BN_TRAIN, /* batch norm with batch statistics, fused residual + act */
    EEX_OP_BN_EVAL,  /* batch norm with running statistics, fused residual + act */
    EEX_OP_BN_BWD,
    EEX_OP_ACT,
    EEX_OP_ACT_BWD,
    EEX_OP_ADD,
    EEX_OP_SCALE, /* every pixel times one value a channel: squeeze and excitation */
    EEX_OP_SCALE_BWD,
    EEX_OP_COLUMNS,        /* channels from one tensor into another: concatenation, its gradient */
    EEX_OP_DEPTH_TO_SPACE, /* a pixel's channels to 2 x 2 pixels, or back: its gradient */
    EEX_OP_QUANTISE,       /* every value to the nearest of a few levels (device/quantise.h) */
    EEX_OP_ACCUMULATE,     /* y += x, or y = x: gradients of values with several consumers */
    EEX_OP_MAX_POOL,
    EEX_OP_MAX_POOL_BWD,
    EEX_OP_GLOBAL_POOL, /* mean over H and W */
    EEX_OP_GLOBAL_POOL_BWD,
    EEX_OP_DROPOUT, /* forward and backward alike: multiplies by the mask of (seed, step) */
    EEX_OP_LOSS,
    EEX_OP_HEAD,        /* temperature softmax, top-1, margin, entropy, decision */
    EEX_OP_LEAVE,       /* results of the samples that leave, list of those that stay */
    EEX_OP_CLASS_STATS, /* per-class count, mean and squared deviations of a score */
    EEX_OP_CLAMP,       /* each gradient by itself, to at most so much either way */
    EEX_OP_GRAD_NORM,   /* L2 norm of all gradients and the clipping factor */
    EEX_OP_SGD,
    EEX_OP_ADAMW,
    EEX_OP_EMA,
    EEX_OP_ZERO,    /* gradients that nobody writes */
    EEX_OP_CAST,    /* float32 master weights to the bfloat16 that convolutions read */
    EEX_OP_COMPACT, /* gathers the rows of the surviving samples to the front */
    EEX_OP_KINDS
} eex_op_kind;

/* "augment", "conv", "conv bwd data", ... */
const eex_names *eex_op_kind_names(void);
const char *eex_op_kind_name(eex_op_kind kind);

/* Geometry of a convolution or pooling window. Square kernels, equal strides and pads. groups
 * divides cin and cout; it is 1 (dense), cin (depthwise, cout == cin) or anything else, which a
 * device may refuse with EEX_EUNSUPPORTED. */
typedef struct eex_window {
    int cin, hin, win;
    int cout, hout, wout;
    int kernel, stride, pad, groups;
} eex_window;

static inline bool eex_window_depthwise(const eex_window *w)
{
    return w->groups > 1 && w->groups == w->cin && w->cout == w->cin;
}

/* Weights are stored HWIO: (kernel, kernel, cin / groups, cout), (kernel, kernel, c) when
 * depthwise. A linear layer is a 1x1 convolution on a 1x1 image. */
typedef struct eex_op_conv {
    eex_window window;
    const float *x;        /* (N, hin, win, cin) */
    const float *w;        /* HWIO */
    const float *bias;     /* (cout) or NULL */
    const float *residual; /* (N, hout, wout, cout) added before act, or NULL */
    float *y;              /* (N, hout, wout, cout) */
    eex_act act;
    bool w_static; /* weights never change after prepare: pack them once */
    bool w_once;   /* nobody else reads them, and who prepares again writes them before: where
                    * they were packed, prepare may let go of their memory's contents */
    double *stats; /* (2, cout) or NULL: sum and sum of squares of y over N, H, W, written
                    * (not accumulated) for the batch norm that follows */
} eex_op_conv;

typedef struct eex_op_conv_bwd_data {
    eex_window window;
    const float *dy; /* (N, hout, wout, cout) */
    const float *w;  /* HWIO */
    float *dx;       /* (N, hin, win, cin) */
    bool accumulate; /* dx += instead of dx = */
} eex_op_conv_bwd_data;

typedef struct eex_op_conv_bwd_weights {
    eex_window window;
    const float *x;
    const float *dy;
    float *dw;       /* HWIO */
    float *dbias;    /* (cout) or NULL */
    bool accumulate; /* dw and dbias += instead of = */
} eex_op_conv_bwd_weights;

/* y = act(gamma * (x - mean) / sqrt(var + eps) + beta + residual). In training mean and biased var
 * are the batch's; the running ones move by `momentum` (running var unbiased, as in PyTorch). */
typedef struct eex_op_bn {
    int c, hw;             /* hw: pixels of one sample */
    const float *x;        /* (N, hw, c) */
    const float *residual; /* (N, hw, c) or NULL */
    float *y;              /* (N, hw, c) */
    const float *gamma, *beta;
    float *running_mean, *running_var;
    float *save_mean, *save_invstd; /* (c) each: written by BN_TRAIN, read by BN_BWD */
    const double *stats;            /* (2, c) sums from the convolution in front, or NULL */
    float momentum, eps;
    eex_act act;
} eex_op_bn;

/* Backward of BN_TRAIN (batch_stats) or BN_EVAL. The act's mask comes from y. */
typedef struct eex_op_bn_bwd {
    int c, hw;
    const float *dy, *x, *y;
    const float *gamma, *beta;
    const float *save_mean, *save_invstd; /* batch statistics; unused when !batch_stats */
    const float *running_mean, *running_var;
    float eps;
    bool batch_stats;
    eex_act act;
    bool has_residual;         /* the forward added a residual before act */
    float *dx;                 /* may be NULL when nothing in front needs a gradient */
    float *dresidual;          /* gradient for the residual, or NULL */
    bool dresidual_accumulate; /* dresidual += instead of = */
    float *dgamma, *dbeta;     /* (c) each, or NULL when frozen */
    bool accumulate;           /* dgamma, dbeta += instead of = */
} eex_op_bn_bwd;

/* ACT: y = act(x). ACT_BWD: dx (in y) = dy (in x) times the slope at `ref`: the forward output of
 * an act that fuses (a mask), the forward input of any other. ADD: y = act(x + x2). ACCUMULATE: y
 * += x or y = x. DROPOUT: y = x * mask / (1 - p). */
typedef struct eex_op_pointwise {
    int size; /* elements of one sample */
    const float *x, *x2, *ref;
    float *y;
    eex_act act;
    bool accumulate;
    float p;       /* dropout probability */
    uint64_t salt; /* dropout: tells layers apart */
} eex_op_pointwise;

/* SCALE: y = x * s, s the same for all pixels of a sample. SCALE_BWD: dx = dy * s, then ds = sum
 * over the pixels of dy * x; dx and ds may be the same memory. */
typedef struct eex_op_scale {
    int c, hw;      /* hw: pixels of one sample */
    const float *x; /* (N, hw, c) */
    const float *s; /* (N, c) */
    float *y;       /* (N, hw, c); SCALE */
    const float *dy;
    float *dx, *ds; /* SCALE_BWD; either may be NULL, not both */
    bool dx_accumulate, ds_accumulate;
} eex_op_scale;

/* y[., y_first .. y_first + count - 1] = (or +=) x[., x_first ..], for each pixel. Other channels
 * of y stay as they are. */
typedef struct eex_op_columns {
    int hw;       /* pixels of one sample */
    int x_c, y_c; /* channels of x and y */
    int x_first, y_first, count;
    const float *x; /* (N, hw, x_c) */
    float *y;       /* (N, hw, y_c) */
    bool accumulate;
} eex_op_columns;

/* The 2 x 2 pixels of `large` at (2 i, 2 j) are the pixel (i, j) of `small`, whose channels hold
 * them row by row: large[2 i + a, 2 j + b, k] = small[i, j, (2 a + b) c + k]. */
typedef struct eex_op_depth_to_space {
    int h, w;  /* of `small` */
    int c;     /* of `large` */
    bool back; /* x is `large` and y is `small`, instead of the other way round */
    const float *x;
    float *y;
    bool accumulate; /* y += instead of y = */
} eex_op_depth_to_space;

typedef struct eex_op_quantise {
    int size;           /* elements of one sample */
    int bits;           /* of a code */
    const float *range; /* (2) device memory: the first level and the last */
    const float *x;
    float *y;
} eex_op_quantise;

typedef struct eex_op_pool {
    eex_window window;
    const float *x; /* forward input; MAX_POOL_BWD needs it to find the maximum again */
    const float *dy;
    float *y; /* forward output */
    float *dx;
    bool accumulate;
} eex_op_pool;

/* Mean cross entropy with label smoothing, plus l1 * mean |logit|, plus distillation from `teacher`
 * (KL at temperature distill_t, weight distill, scaled by distill_t squared), all times `weight`.
 * NULL dlogits: evaluate only. totals[0] += sum of per-sample losses (unweighted cross entropy with
 * its smoothing, plus l1 and distillation), totals[1] += number correct; not reset by the op.
 * `taught` leaves the cross entropy out: how a network of a supernet learns from the largest
 * (BigNAS, Yu et al. 2020, section 3.1).
 *
 * `binary` makes each logit a question of its own, answered by a bit of the label (bit c of
 * labels[i]: class c is wanted; at most EEX_LABEL_BITS classes): the loss is the sum over classes
 * of -(y ln s + (1 - y) ln(1 - s)), s = 1 / (1 + e^-z), plus l1 (Dong et al., eq. 6 and 7);
 * a sample is correct when every answer is. Smoothing and teachers have no say then. */
enum { EEX_LABEL_BITS = 31 };

typedef struct eex_op_loss {
    int classes;
    const float *logits;   /* (N, classes) */
    const float *teacher;  /* (N, classes) or NULL */
    const int32_t *labels; /* (N) */
    float *dlogits;        /* (N, classes) or NULL */
    double *totals;        /* (2) on the device */
    float weight, smoothing, l1, distill, distill_t;
    bool taught; /* no cross entropy: what the teacher says is all that counts */
    bool binary; /* labels are sets of bits */
} eex_op_loss;

/* Scores of one exit, float32; x, w and logits have the op's precision. confidence = softmax(logits
 * / temperature)[class]; margin = top-1 minus top-2 probability; entropy in nats. With `high`, the
 * decision too.
 *
 * With `x` (devices with fused_head only) the classifier in front is part of the op: logits =
 * mean of x over hw, times w, plus bias; they are written as well. */
typedef struct eex_op_head {
    int classes;
    float *logits; /* (N, classes), read; written when x is given */
    float temperature;
    int32_t *top;                         /* (N) */
    float *confidence, *margin, *entropy; /* (N) each */
    eex_measure measure;                  /* what is compared with the thresholds */
    const float *high, *low;              /* (classes) each, see eex_decide; NULL: no decision */
    bool last;                            /* the last exit always decides */
    uint8_t *decision;                    /* (N) eex_decision, or NULL */
    const float *x;                       /* (N, hw, features) or NULL */
    int hw, features;
    const float *w, *bias; /* (features, classes), (classes) */
} eex_op_head;

/* What follows a decision. Rows with EEX_GO_ON stay: their numbers go to index, in order, and `row`
 * moves up with them; the others' results are written where `row` says. With `at`, the exit was
 * asked about some rows alone: at[i] is where row i stands among them; rows with -1 stay. */
typedef struct eex_op_leave {
    int exit;
    const int32_t *top; /* (N) this and the next four as HEAD left them */
    const float *confidence, *margin, *entropy;
    const uint8_t *decision;
    const int32_t *at;   /* (N), or NULL: the exit was asked about every row */
    int32_t *count;      /* (1) in: rows that are there, at most N; out: rows that stay */
    int32_t *row;        /* (max batch) which input each row is */
    int32_t *index;      /* (max batch) out: rows that stay, strictly increasing */
    eex_result *results; /* (max batch) by input */
} eex_op_leave;

/* Welford statistics of a score by class: for a class c, count[c], mean[c] and m2[c] (sum of
 * squared deviations from the mean) over the N samples with key == c; written, not accumulated. */
typedef struct eex_op_class_stats {
    int classes;
    const float *score; /* (N) */
    const int32_t *key; /* (N) class of each; others than 0..classes-1 are left out */
    int64_t *count;     /* (classes) */
    double *mean, *m2;  /* (classes) each */
} eex_op_class_stats;

/* Augmentation is drawn per sample from a counter-based generator keyed by (seed, epoch, sample
 * number), so that neither threads nor interruptions change it. */
typedef struct eex_augment {
    bool enabled; /* false: only normalise */
    int crop_pad; /* zero padding on each side before a random crop; 0: no crop */
    bool flip;
    int cutout;            /* side of the square that is blanked (to the mean); 0: none */
    float jitter;          /* brightness, contrast and saturation factors in 1 +- jitter; 0: none */
    float mean[3], std[3]; /* of values in 0..1 */
    int height, width;     /* of the images as they come; 0: as the network reads them. A plan whose
                            * network reads another size resizes what augmentation has made, so that
                            * crops and cutouts are in pixels of the data whatever the network */
} eex_augment;

typedef struct eex_op_augment {
    int c, h, w;
    eex_augment augment;
    const uint8_t *images;  /* (N, h, w, c) */
    const uint32_t *sample; /* (N) sample numbers in the data set: the key of the generator */
    float *y;               /* (N, h, w, c) */
} eex_op_augment;

/* Linear in both directions, corners not aligned; where it shrinks, the mean under a triangle (the
 * antialiased "bilinear" of PyTorch and Pillow): resize.h. */
typedef struct eex_op_resize {
    int c, hin, win, hout, wout;
    const float *x; /* (N, hin, win, c) */
    float *y;       /* (N, hout, wout, c) */
} eex_op_resize;

/* Parameters lie in one flat buffer, gradients and moments in parallel ones. */
typedef struct eex_op_optim {
    size_t count;
    float *w, *g, *m, *v; /* m: momentum or first moment; v: second moment, AdamW only */
    const uint8_t *decay; /* (count / 16): 1 where weight decay applies; parameters are padded
                           * to multiples of 16 elements */
    float *clip;          /* (1) factor written by GRAD_NORM, or NULL: no clipping */
    float clip_norm;      /* GRAD_NORM: largest norm allowed */
    float clip_value;     /* CLAMP: largest element allowed, by amount */
    double *norm;         /* (1) GRAD_NORM: the norm before clipping */
    float momentum, beta1, beta2, eps, weight_decay;
    bool nesterov;
    float *ema; /* EMA: ema = ema_decay * ema + (1 - ema_decay) * w */
    float ema_decay;
} eex_op_optim;

/* Moves row index[i] to row i, i < *count; index is strictly increasing, so it can run in place.
 * With `from`, rows come from there instead, and stay there. */
typedef struct eex_op_compact {
    size_t row_bytes;     /* a multiple of 4 */
    const void *from;     /* (N, row_bytes), no part of data, or NULL: data */
    void *data;           /* (N, row_bytes) */
    const int32_t *index; /* (*count) */
    const int32_t *count; /* (1) */
} eex_op_compact;

/* ZERO: to (count floats) = 0. CAST: to (count bfloat16, rounded to nearest even) = from. */
typedef struct eex_op_fill {
    size_t count;
    const float *from;
    void *to;
} eex_op_fill;

typedef struct eex_op {
    eex_op_kind kind;
    eex_precision precision;
    const char *name; /* the node it came from; borrowed from the graph */
    union {
        eex_op_augment augment;
        eex_op_resize resize;
        eex_op_conv conv;
        eex_op_conv_bwd_data conv_bwd_data;
        eex_op_conv_bwd_weights conv_bwd_weights;
        eex_op_bn bn;
        eex_op_bn_bwd bn_bwd;
        eex_op_pointwise pointwise;
        eex_op_scale scale;
        eex_op_columns columns;
        eex_op_depth_to_space depth_to_space;
        eex_op_quantise quantise;
        eex_op_pool pool;
        eex_op_loss loss;
        eex_op_head head;
        eex_op_leave leave;
        eex_op_class_stats class_stats;
        eex_op_optim optim;
        eex_op_compact compact;
        eex_op_fill fill;
    } u;
} eex_op;

/* What changes from one step to the next; the same for every op of a step. */
typedef struct eex_step {
    int batch; /* samples in this step, 1..max batch */
    float lr;
    uint64_t seed;  /* of the run: keys augmentation and dropout */
    uint32_t epoch; /* keys augmentation */
    uint64_t step;  /* optimiser steps so far, counted from 1: keys dropout, AdamW's bias
                     * correction and EMA warm-up */
} eex_step;

#endif
