/* Classifiers of convolutions that others have trained, from ONNX files: a graph of ours with its
 * weights.
 *
 * Known are Conv (dense, depthwise and of groups), BatchNormalization, Relu, Clip to 0..6,
 * HardSwish, HardSigmoid, Sigmoid, Add, Mul (h-swish, SiLU, and squeeze and excitation), Concat of
 * channels, Pad in front of a window, MaxPool, AveragePool, GlobalAveragePool and what is one,
 * Flatten and what is one, Gemm, MatMul, Dropout, Identity, Constant, and a Softmax at the end.
 * Anything else is refused by name. */
#ifndef EEX_CORE_EXCHANGE_ONNX_IMPORT_H
#define EEX_CORE_EXCHANGE_ONNX_IMPORT_H

#include "core/plan/params.h"

#include "base/buffer.h"

typedef struct eex_onnx_network eex_onnx_network;

/* Reads a file and makes its graph, which is called `name`. `size`: height and width of images
 * where the file does not say them; 0: it has to. EEX_EUNSUPPORTED names an operator or a way to
 * use it that is not known, EEX_EFORMAT what cannot be. */
int eex_onnx_open(eex_onnx_network **out, const char *path, const char *name, int size);
void eex_onnx_close(eex_onnx_network *network); /* accepts NULL */

/* Borrowed. */
const eex_graph *eex_onnx_graph(const eex_onnx_network *network);

/* Fills the parameters of its graph. */
int eex_onnx_load(eex_params *params, const eex_onnx_network *network);

#endif
