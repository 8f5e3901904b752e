/* Convolutions by cuDNN: descriptors, workspaces, and which of its algorithms. */
#ifndef EEX_CUDA_CONV_DNN_H
#define EEX_CUDA_CONV_DNN_H

#include "cuda/conv.h"

/* The algorithms to choose from, of a kind of op; -1 follows the last. */
const int *eex__cuda_dnn_algorithms(eex_op_kind kind);

/* The descriptors. An error says what cuDNN does not have. */
int eex__cuda_dnn_open(const eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op);
void eex__cuda_dnn_finish(eex_cuda *cuda, eex_cuda_conv *s); /* leaves s itself */

/* Bytes of the weights in cuDNN's order, or of their gradient. */
size_t eex__cuda_dnn_weight_bytes(const eex_op *op);

/* Reserves what an algorithm needs and makes it the state's; not *taken: it cannot run this shape,
 * or not in the memory that is left, and this thread's message says why. */
int eex__cuda_dnn_take(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int algorithm,
                       bool *taken);

/* Whether there is a chosen algorithm, and the tensors lie where cuDNN takes them. */
bool eex__cuda_dnn_applies(const eex_cuda_conv *s, const eex_op *op);

/* Whether the algorithm runs this batch in the workspace that there is; the error says why not. */
int eex__cuda_dnn_fits(const eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch);

/* The samples of each of the calls that a batch is done in, but the last; and the descriptors for
 * one of so many. */
int eex__cuda_dnn_piece(const eex_cuda *cuda, const eex_op *op, int batch);
int eex__cuda_dnn_describe(const eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int samples);

/* Bytes in front of sample i on either side; where the algorithm's workspace is. */
size_t eex__cuda_dnn_input_before(const eex_op *op, int i);
size_t eex__cuda_dnn_output_before(const eex_op *op, int i);
void *eex__cuda_dnn_workspace(const eex_cuda *cuda, const eex_op *op);

/* EEX_OK, or an error in cuDNN's words and the op's name; s->refused says which. */
int eex__cuda_dnn_status(const eex_cuda *cuda, eex_cuda_conv *s, cudnnStatus_t status,
                         const eex_op *op);

/* The op by the chosen algorithm, of a batch that fits. s->begun: an error came when a part was
 * already in a result that is added to. */
int eex__cuda_dnn_forward(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch);
int eex__cuda_dnn_data(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch);
int eex__cuda_dnn_weights(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch);

/* ---- conv_fused.c ---- */

/* Whether cuDNN may be asked to do an op's bias, residual and activation in the same pass. */
bool eex__cuda_fused_applies(const eex_cuda_conv *s, const eex_op *op, int algorithm);

/* The op with all that, weights in cuDNN's order. */
int eex__cuda_fused_forward(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, const void *weights,
                            int batch);
void eex__cuda_fused_finish(eex_cuda *cuda, eex_cuda_conv *s);

#endif
