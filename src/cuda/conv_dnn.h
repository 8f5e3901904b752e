/* Convolutions by cuDNN: descriptors, workspaces, and which of its algorithms. */
#ifndef EEX_CUDA_CONV_DNN_H
#define EEX_CUDA_CONV_DNN_H

#include "cuda/conv.h"

/* The algorithms to choose from, of a kind of op, with channels last or first; -1 follows the last.
 * Winograd is among the latter alone: see eex__cuda_dnn_winograd. */
const int *eex__cuda_dnn_algorithms(eex_op_kind kind, bool first);

/* Whether an algorithm, of those with channels first, is one of Winograd's: faster, but off by 1e-4
 * in float32. */
bool eex__cuda_dnn_winograd(eex_op_kind kind, int algorithm);

/* Reserves what an algorithm needs and makes it the state's, with channels first or last; not
 * *taken: it cannot run this shape, or not in the memory that is left, and this thread's message
 * says why. */
int eex__cuda_dnn_take(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int algorithm,
                       bool first, bool *taken);

/* Whether there is a chosen algorithm, and the tensors lie where cuDNN takes them. */
bool eex__cuda_dnn_applies(const eex_cuda_conv *s, const eex_op *op);

/* Whether the algorithm runs this batch in the workspace that there is; the error says why not. */
int eex__cuda_dnn_fits(const eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch);

/* The op by the chosen algorithm, of a batch that fits. s->begun: an error came when a part was
 * already in a result that is added to. */
int eex__cuda_dnn_forward(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch);
int eex__cuda_dnn_data(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch);
int eex__cuda_dnn_weights(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int batch);

/* ---- conv_describe.c ---- */

/* The descriptors, channels last. An error says what cuDNN does not have. */
int eex__cuda_dnn_open(const eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op);
void eex__cuda_dnn_finish(eex_cuda *cuda, eex_cuda_conv *s); /* leaves s itself */

/* Makes them channels first, or last again. */
int eex__cuda_dnn_layout(const eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, bool first);

/* Makes them those of so many samples. */
int eex__cuda_dnn_describe(const eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int samples);

/* EEX_OK, or an error in cuDNN's words and the op's name; s->refused says which. */
int eex__cuda_dnn_status(const eex_cuda *cuda, eex_cuda_conv *s, cudnnStatus_t status,
                         const eex_op *op);

/* ---- conv_pieces.c ---- */

/* Elements of one sample on either side. */
size_t eex__cuda_dnn_input_size(const eex_window *w);
size_t eex__cuda_dnn_output_size(const eex_window *w);

/* Whether the op's tensors lie at multiples of 16 bytes, as cuDNN wants them. */
bool eex__cuda_dnn_aligned(const eex_op *op);

/* The most samples of a batch that one call takes: as many as a descriptor of cuDNN's may have, and
 * gradients for the weights are not summed up over too many pixels in one go (conv_plain.c), nor is
 * all copied at once. One unit it is at least, however large the samples are. */
int eex__cuda_dnn_most(const eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op, int batch);

/* The samples of each of the calls that a batch is done in, but the last: all are about as long. */
int eex__cuda_dnn_piece(const eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op, int batch);

/* Bytes of the weights in cuDNN's order, or of their gradient; where the workspace is; and where
 * the copies of a piece's input or output, which are float32. */
size_t eex__cuda_dnn_weight_bytes(const eex_op *op);
void *eex__cuda_dnn_workspace(const eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op);
float *eex__cuda_dnn_copy_at(const eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op,
                             int samples, bool output);

/* Bytes of scratch memory for all that, with so large a workspace. */
size_t eex__cuda_dnn_scratch(const eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op,
                             size_t workspace);

/* Bytes in front of sample i on either side. */
size_t eex__cuda_dnn_input_before(const eex_op *op, int i);
size_t eex__cuda_dnn_output_before(const eex_op *op, int i);

/* ---- conv_copies.c ---- */

/* Whether the activations are made float32 first; whether cuDNN is given copies of them at all. */
bool eex__cuda_dnn_widens(const eex_op *op);
bool eex__cuda_dnn_copies(const eex_cuda_conv *s, const eex_op *op);

/* Makes *tensor, a piece's input (or output), what cuDNN can read: a copy, or as it is. */
int eex__cuda_dnn_give(eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op, int samples,
                       bool output, const void **tensor);

/* Where cuDNN is to write a piece's input (or output), and what brings it from there to where it
 * belongs. */
void *eex__cuda_dnn_result(const eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op,
                           int samples, bool output, void *tensor);
int eex__cuda_dnn_put_back(eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op, int samples,
                           bool output, void *tensor, bool accumulate);

/* Weights in cuDNN's order; and a gradient, which is at the start of the scratch memory, from
 * there into the op's. */
int eex__cuda_dnn_order_weights(eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op, void *to,
                                const void *weights);
int eex__cuda_dnn_put_gradient(eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op);

/* ---- conv_fused.c ---- */

/* Whether cuDNN may be asked to do an op's bias, residual and activation in the same pass. */
bool eex__cuda_fused_applies(const eex_cuda_conv *s, const eex_op *op, int algorithm);

/* The op with all that, weights in cuDNN's order, channels last. */
int eex__cuda_fused_forward(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, const void *weights,
                            int batch);
void eex__cuda_fused_finish(eex_cuda *cuda, eex_cuda_conv *s);

#endif
