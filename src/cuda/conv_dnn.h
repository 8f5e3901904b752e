/* Convolutions by cuDNN: descriptors, workspaces, and which of its algorithms. */
#ifndef EEX_CUDA_CONV_DNN_H
#define EEX_CUDA_CONV_DNN_H

#include "cuda/conv.h"

/* Makes descriptors and decides between patches (s->algorithm = -1) and cuDNN's algorithms. A shape
 * that cuDNN does not support is no error. */
int eex__cuda_dnn_prepare(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op);
void eex__cuda_dnn_finish(eex_cuda *cuda, eex_cuda_conv *s); /* leaves s itself */

/* Whether the chosen algorithm runs this batch in the workspace that there is. */
bool eex__cuda_dnn_fits(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch);

int eex__cuda_dnn_forward(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch);
int eex__cuda_dnn_data(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch);
int eex__cuda_dnn_weights(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch);

#endif
