/* Which taps of a kernel meet which positions, along one axis of a convolution.
 *
 * A convolution and its gradient for the data are both "each result position gathers some taps of
 * an operand". Positions that use the same taps form a class: with padding 1 the first, the last
 * and all others; in a strided gradient the residues too. Work by classes never touches padding or
 * a tap that falls between strides. The taps of a class are consecutive operand positions, and
 * consecutive in the packed order of the weights. */
#ifndef EEX_CPU_CONV_AXIS_H
#define EEX_CPU_CONV_AXIS_H

#include "device/op.h"

#include <stdbool.h>

typedef struct eex_axis_class {
    int out, out_step; /* result positions out + j * out_step, j < count */
    int in, in_step;   /* operand position of the first tap: in + j * in_step */
    int count;
    int taps; /* may be 0: nothing meets these positions */
    int tap;  /* packed index of the first tap */
} eex_axis_class;

typedef struct eex_axis {
    int classes;
    eex_axis_class *class;
    int *order; /* (kernel): the tap at each packed index */
    bool *used; /* (kernel): whether any class needs the packed index */
} eex_axis;

/* The axis of the forward pass: operand x of size `in`, result y of size `out`. */
int eex__axis_forward(eex_axis *axis, int in, int out, int kernel, int stride, int pad);

/* The axis of the gradient for the data: operand dy of size `out`, result dx of size `in`. */
int eex__axis_backward(eex_axis *axis, int in, int out, int kernel, int stride, int pad);

void eex__axis_free(eex_axis *axis);

/* EEX_EINVAL or EEX_EUNSUPPORTED, naming `name`, when a window makes no sense or is not handled. */
int eex__window_check(const eex_window *w, const char *name);

static inline bool eex__window_grouped(const eex_window *w)
{
    return w->groups > 1 && !eex_window_depthwise(w);
}

/* Multiply-adds of one sample, those on padding included. */
static inline double eex__window_macs(const eex_window *w)
{
    int inputs = w->cin / w->groups; /* of one output channel */
    return (double)w->hout * w->wout * w->cout * w->kernel * w->kernel * inputs;
}

#endif
