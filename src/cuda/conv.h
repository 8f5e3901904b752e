/* What the files of the convolutions share. */
#ifndef EEX_CUDA_CONV_H
#define EEX_CUDA_CONV_H

#include "cuda/host.h"

typedef enum eex_conv_way {
    EEX_CONV_DEPTHWISE,
    EEX_CONV_PRODUCT, /* or a kernel of our own: eex_cuda_conv.own */
    EEX_CONV_PATCHES  /* or that, or an algorithm of cuDNN's: eex_cuda_conv.algorithm */
} eex_conv_way;

/* What an op can choose from, as it stands in the file of choices (algorithms.h). Another one needs
 * a number here, a line where they are listed and one where they are taken (conv_choose.c). */
enum {
    EEX_CHOICE_PLAIN = 0,   /* patches, or one product */
    EEX_CHOICE_DNN = 1,     /* and so many more: that algorithm of cuDNN's */
    EEX_CHOICE_FUSED = 101, /* likewise, with bias, residual and activation in the same pass */
    EEX_CHOICE_OWN = 201,   /* a kernel of our own: forward likewise in one pass (conv_own.cu), or
                             * for the gradient of weights (conv_own_weights.cu) */
    EEX_CHOICE_FIRST =
        301 /* and so many more: that algorithm of cuDNN's on channels-first copies */
};

typedef struct eex_cuda_conv {
    eex_conv_way way;
    int max_batch;

    /* cuDNN's part; the descriptors are NULL when it has none. */
    int algorithm;    /* -1: patches */
    size_t workspace; /* bytes that the algorithm may use, behind the weights in the scratch */
    bool first;       /* it is given copies that have channels first (conv_copies.c) */
    cudnnTensorDescriptor_t x, y;
    cudnnFilterDescriptor_t w;
    cudnnConvolutionDescriptor_t convolution;
    void *weights; /* transposed once, when they never change; else NULL */
    bool own;      /* our own kernel, instead of all that */
    bool fused;    /* cuDNN does bias, residual and activation too (conv_fused.c), by: */
    cudnnTensorDescriptor_t bias;
    cudnnActivationDescriptor_t activation;
    bool ended;   /* the last run has done them */
    int batch;    /* what x and y are set to; 0: nothing */
    int fitting;  /* the batch that was last found to fit; 0: none */
    bool refused; /* the last error was cuDNN's, about this shape or in its kernels */
    bool begun;   /* a part of what cuDNN was asked for is in the result */
} eex_cuda_conv;

const eex_window *eex__cuda_conv_window(const eex_op *op);

/* Decides which way the op goes, and makes what that needs. A shape that cuDNN does not support is
 * no error. conv_choose.c */
int eex__cuda_conv_choose(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op);

/* The op without its epilogue by what works for every shape: patches, or a product where it is one;
 * and the scratch memory that patches take. conv_plain.c */
size_t eex__cuda_conv_plain_scratch(const eex_op *op, int batch);
int eex__cuda_conv_plain(eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op, int batch);

/* The op by our own kernel, where it applies: a forward one with its epilogue. */
int eex__cuda_conv_by_own(eex_cuda *cuda, const eex_op *op, int batch);

/* The epilogue of a forward op whose run has not done it; nothing for the others. */
int eex__cuda_conv_end(eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op, int batch);

/* ---- conv_refused.c ---- */

/* Whether EEX_CUDA_CONV says that it is "patches", "library", "first" or "own" alone. */
bool eex__cuda_conv_only(const char *way);

/* Whether channels first is a way for such an op: tensor cores read channels last. */
bool eex__cuda_conv_first_applies(const eex_op *op);

/* "library" and "first", where that applies, are there to show what cuDNN does: then nothing takes
 * its place. */
bool eex__cuda_conv_dnn_only(const eex_op *op);

/* Says, once an op and what becomes of it, that cuDNN refuses it, with this thread's message as the
 * reason. */
void eex__cuda_conv_refused(eex_cuda *cuda, const eex_op *op, const char *instead);

/* ---- conv_trial.c ---- */

/* The same op on memory of its own, so that trying it disturbs nothing. */
typedef struct eex_conv_trial {
    eex_op op;
    void *x, *y, *w;
} eex_conv_trial;

int eex__cuda_trial_open(eex_cuda *cuda, eex_conv_trial *t, const eex_op *op, int batch);
void eex__cuda_trial_close(eex_cuda *cuda, eex_conv_trial *t);

/* Runs the way that s says, epilogue included, once and waits. */
int eex__cuda_trial_run(eex_cuda *cuda, eex_cuda_conv *s, const eex_conv_trial *t);

/* Microseconds of that, replayed as it will be when the network runs. */
int eex__cuda_trial_time(eex_cuda *cuda, eex_cuda_conv *s, const eex_conv_trial *t,
                         float *microseconds);

#endif
