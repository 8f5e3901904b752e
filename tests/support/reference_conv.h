/* Convolutions and their gradients in double, tap by tap, to compare the devices with. Layouts are
 * those of device/op.h. */
#ifndef EEX_TESTS_REFERENCE_CONV_H
#define EEX_TESTS_REFERENCE_CONV_H

#include "device/op.h"

size_t ref_conv_weights(const eex_window *w); /* elements of HWIO */

/* y = act(x * w + bias + residual); bias and residual may be NULL. */
void ref_conv(double *y, const double *x, const double *w, const double *bias,
              const double *residual, int batch, const eex_window *window, eex_act act);

/* dx += the gradient for x of sum(y * dy). */
void ref_conv_bwd_data(double *dx, const double *dy, const double *w, int batch,
                       const eex_window *window);

/* dw += and dbias += likewise; dbias may be NULL. */
void ref_conv_bwd_weights(double *dw, double *dbias, const double *x, const double *dy, int batch,
                          const eex_window *window);

#endif
