/* The plainest possible implementations, in double, to compare the devices' ops with. Layouts are
 * those of device/op.h. */
#ifndef EEX_TESTS_REFERENCE_OPS_H
#define EEX_TESTS_REFERENCE_OPS_H

#include "device/op.h"

double ref_act(double z, eex_act act);

/* Mean and biased variance (c) of x (pixels, c). */
void ref_moments(double *mean, double *var, const double *x, size_t pixels, int c);

/* y = act(gamma (x - mean) / sqrt(var + eps) + beta + residual); residual may be NULL. */
void ref_bn(double *y, const double *x, const double *residual, const double *gamma,
            const double *beta, const double *mean, const double *var, size_t pixels, int c,
            double eps, eex_act act);

/* y (batch, hw, c) = x times s (batch, c). */
void ref_scale(double *y, const double *x, const double *s, int batch, int hw, int c);

/* The first `count` elements of rows of x_c to those of rows of y_c. */
void ref_columns(double *y, const double *x, size_t rows, int y_c, int x_c, int count);

/* One image, (hin, win, c) to (hout, wout, c): each pixel the mean of all under a triangle around
 * its centre, whose sides are one pixel of the source or, if that is more, of the target. */
void ref_resize(double *y, const double *x, const eex_op_resize *r);

void ref_max_pool(double *y, const double *x, int batch, const eex_window *w);
void ref_global_pool(double *y, const double *x, int batch, int hw, int c);

/* Losses (batch) as they go into the totals, and the value that dlogits is the gradient of:
 * weight times their mean. per_sample may be NULL. Of `op`, only the scalars are read. */
double ref_loss(double *per_sample, const double *logits, const double *teacher,
                const int32_t *labels, int batch, const eex_op_loss *op);

/* One row's class, confidence, margin and entropy. */
int ref_head(double out[3], const double *logits, int classes, double temperature);

/* d f(x) / d x[i] by central differences. x is left as it was. */
double ref_slope(double (*f)(const double *x, void *ctx), void *ctx, double *x, size_t i);

#endif
