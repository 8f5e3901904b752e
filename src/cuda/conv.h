/* What the files of the convolutions share. */
#ifndef EEX_CUDA_CONV_H
#define EEX_CUDA_CONV_H

#include "cuda/host.h"

typedef enum eex_conv_way {
    EEX_CONV_DEPTHWISE,
    EEX_CONV_PRODUCT,
    EEX_CONV_PATCHES /* or an algorithm of cuDNN's: eex_cuda_conv.algorithm */
} eex_conv_way;

typedef struct eex_cuda_conv {
    eex_conv_way way;
    int max_batch;

    /* cuDNN's part; the descriptors are NULL when it has none. */
    int algorithm;    /* -1: patches */
    size_t workspace; /* bytes that the algorithm may use, behind the weights in the scratch */
    cudnnTensorDescriptor_t x, y;
    cudnnFilterDescriptor_t w;
    cudnnConvolutionDescriptor_t convolution;
    void *weights; /* transposed once, when they never change; else NULL */
    int batch;     /* what x and y are set to */
    int fitting;   /* the batch that was last found to fit; 0: none */
    bool refused;  /* the last error was cuDNN's, about this shape or in its kernels */
    bool begun;    /* a part of what cuDNN was asked for is in the result */
} eex_cuda_conv;

const eex_window *eex__cuda_conv_window(const eex_op *op);

/* Whether EEX_CUDA_CONV says that it is "patches" or "library" alone. */
bool eex__cuda_conv_only(const char *way);

/* Says, once an op, that cuDNN refuses it, with this thread's message as the reason. */
void eex__cuda_conv_refused(eex_cuda *cuda, const eex_op *op);

/* The op by way of patches, whatever its state says. */
int eex__cuda_conv_patches(eex_cuda *cuda, const eex_op *op, int batch);

#endif
