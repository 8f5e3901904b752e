/* The CUDA device: what the op files of this room share.
 *
 * One op is one file, which defines one eex_cuda_op_class; device.c finds the class by op kind. All
 * work of a device goes to one stream, op after op, so one scratch buffer serves them all. Ops only
 * launch: nothing in `run` waits, allocates or reads device memory, so a list of ops can be
 * captured into a graph (graph.c). What changes from step to step is therefore read on the device,
 * from cuda->step; the batch alone is an argument. */
#ifndef EEX_CUDA_CUDA_DEVICE_H
#define EEX_CUDA_CUDA_DEVICE_H

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "device/device.h"

#include "base/status.h"

/* Function tables of the libraries that are loaded when a device opens: libs.h. */
typedef struct eex_cuda_libs eex_cuda_libs;

/* Pixels whose products are summed up in one go; see conv_plain.c. */
enum { EEX_CUDA_SUM_ROWS = 1 << 17 };

/* Copies with channels first, at most at once; see conv_pieces.c. */
enum { EEX_CUDA_FIRST_BYTES = 64 << 20 };

/* Elements of a tensor of cuDNN's, at most: what its descriptors take. */
enum { EEX_CUDA_TENSOR_ELEMENTS = 2147483647 };

typedef struct eex_cuda {
    eex_device base; /* first member */
    int ordinal;
    int major, minor; /* compute capability */
    int processors;   /* streaming multiprocessors */
    bool deterministic;
    size_t sum_rows;        /* EEX_CUDA_SUM_ROWS, or what a test makes of it */
    size_t tensor_elements; /* EEX_CUDA_TENSOR_ELEMENTS, or what a test makes of it */
    size_t first_bytes;     /* EEX_CUDA_FIRST_BYTES, likewise */
    cudaStream_t stream;
    eex_step *step; /* device memory: the step that runs */
    void *scratch;  /* device memory, 256-byte aligned; see eex__cuda_reserve */
    size_t scratch_bytes;
    unsigned generation; /* counts moves of the scratch: recordings of an older one are void */
    const eex_cuda_libs *libs;  /* those of host */
    struct eex_cuda_host *host; /* staging, handles, accounting: device.c's own */
} eex_cuda;

/* *state starts as NULL and may stay so; finish accepts NULL state. Any of prepare and finish may
 * be NULL when there is nothing to do. run gets the samples of this step, 1..max_batch. */
typedef struct eex_cuda_op_class {
    int (*prepare)(eex_cuda *cuda, void **state, const eex_op *op, int max_batch);
    int (*run)(eex_cuda *cuda, const eex_op *op, void *state, int batch);
    void (*finish)(eex_cuda *cuda, const eex_op *op, void *state);
} eex_cuda_op_class;

/* Makes cuda->scratch at least `bytes` long. For prepare only: the buffer may move, so `run` reads
 * cuda->scratch anew. Its contents are undefined at the start of every run. */
int eex__cuda_reserve(eex_cuda *cuda, size_t bytes);
/* Makes the scratch memory so small again, for what was only tried. */
int eex__cuda_give_back(eex_cuda *cuda, size_t bytes);

/* Device memory for states, accounted for; freed with eex__cuda_free (accepts NULL). */
int eex__cuda_alloc(eex_cuda *cuda, void **out, size_t bytes, const char *what);
void eex__cuda_free(eex_cuda *cuda, void *memory);

/* EEX_OK, or EEX_EDEVICE (EEX_ENOMEM when memory ran out) naming the device, `what` and the
 * library's own words. */
int eex__cuda_check(const eex_cuda *cuda, cudaError_t error, const char *what);

/* After the launches of an op: whether they were accepted. */
int eex__cuda_launched(const eex_cuda *cuda, const eex_op *op);

extern const eex_cuda_op_class eex__cuda_augment, eex__cuda_resize;
extern const eex_cuda_op_class eex__cuda_conv, eex__cuda_conv_bwd_data, eex__cuda_conv_bwd_weights;
extern const eex_cuda_op_class eex__cuda_bn_train, eex__cuda_bn_eval, eex__cuda_bn_bwd;
extern const eex_cuda_op_class eex__cuda_act, eex__cuda_act_bwd, eex__cuda_add;
extern const eex_cuda_op_class eex__cuda_scale, eex__cuda_scale_bwd, eex__cuda_columns;
extern const eex_cuda_op_class eex__cuda_depth_to_space, eex__cuda_quantise;
extern const eex_cuda_op_class eex__cuda_accumulate, eex__cuda_dropout;
extern const eex_cuda_op_class eex__cuda_max_pool, eex__cuda_max_pool_bwd;
extern const eex_cuda_op_class eex__cuda_global_pool, eex__cuda_global_pool_bwd;
extern const eex_cuda_op_class eex__cuda_loss, eex__cuda_head, eex__cuda_leave;
extern const eex_cuda_op_class eex__cuda_class_stats, eex__cuda_compact;
extern const eex_cuda_op_class eex__cuda_grad_norm, eex__cuda_sgd, eex__cuda_adamw;
extern const eex_cuda_op_class eex__cuda_ema, eex__cuda_zero, eex__cuda_cast, eex__cuda_clamp;

/* Depthwise convolutions are kernels of our own; the classes of conv.c hand them over. bias,
 * residual and act as in eex_op_conv. */
int eex__cuda_depthwise(eex_cuda *cuda, const eex_op *op, int batch);
int eex__cuda_depthwise_bwd_data(eex_cuda *cuda, const eex_op *op, int batch);
int eex__cuda_depthwise_bwd_weights_prepare(eex_cuda *cuda, const eex_op *op, int max_batch);
int eex__cuda_depthwise_bwd_weights(eex_cuda *cuda, const eex_op *op, int batch);

/* The whole of a forward convolution, epilogue included, by a kernel of our own, where it applies.
 */
bool eex__cuda_conv_own_applies(const eex_op *op);
int eex__cuda_conv_own(eex_cuda *cuda, const eex_op *op, int batch);

/* dw, or what it becomes, of a gradient for weights in bfloat16 by a kernel of our own, where it
 * applies; dbias is not its business. Its slices lie in so many bytes of scratch memory. */
bool eex__cuda_own_weights_applies(const eex_op *op);
size_t eex__cuda_own_weights_scratch(const eex_cuda *cuda, const eex_op *op, int batch);
int eex__cuda_own_weights(eex_cuda *cuda, const eex_op *op, int batch);

/* What goes around a product or a call of cuDNN's, for conv*.c, each in a file of its own.
 *
 * y (rows, c) = act(y + bias + residual), in place; bias float32, either may be NULL. */
int eex__cuda_epilogue(eex_cuda *cuda, eex_precision precision, void *y, const float *bias,
                       const void *residual, eex_act act, size_t rows, int c);
/* sums (c) float32 = column sums of dy (rows, c); += with accumulate. Deterministic. */
int eex__cuda_column_sums(eex_cuda *cuda, eex_precision precision, float *sums, const void *dy,
                          size_t rows, int c, bool accumulate);
size_t eex__cuda_column_sums_scratch(size_t rows, int c);
/* Patches of x: (batch, hout, wout, kernel, kernel, cin) from (batch, hin, win, cin), zeros
 * outside: the matrix whose product with HWIO weights is the convolution. And its adjoint, dx = or
 * += sums of the patches that cover each element. */
int eex__cuda_im2col(eex_cuda *cuda, eex_precision precision, void *patches, const void *x,
                     const eex_window *window, int batch);
int eex__cuda_col2im(eex_cuda *cuda, eex_precision precision, void *dx, const void *patches,
                     const eex_window *window, int batch, bool accumulate);
/* Weights from HWIO (kernel, kernel, cin, cout) to cuDNN's (cout, kernel, kernel, cin), both of the
 * given precision; and a gradient, float32 always, back to HWIO, added to what is there when asked.
 */
int eex__cuda_weights_to_ohwi(eex_cuda *cuda, eex_precision precision, void *to, const void *from,
                              const eex_window *window);
int eex__cuda_gradient_to_hwio(eex_cuda *cuda, float *to, const float *from,
                               const eex_window *window, bool accumulate);
/* The same of float32 filters between OHWI and OIHW, (cout, cin, kernel, kernel). */
int eex__cuda_filter_to_oihw(eex_cuda *cuda, float *to, const float *ohwi,
                             const eex_window *window);
int eex__cuda_filter_to_ohwi(eex_cuda *cuda, float *to, const float *oihw,
                             const eex_window *window);
/* Activations, float32, from (samples, pixels, channels) to (samples, channels, pixels) and back,
 * added to what is there when asked. */
int eex__cuda_channels_first(eex_cuda *cuda, float *to, const float *from, size_t samples,
                             size_t pixels, size_t channels);
int eex__cuda_channels_last(eex_cuda *cuda, float *to, const float *from, size_t samples,
                            size_t pixels, size_t channels, bool accumulate);
/* to (count) float32 = from, bfloat16: the same numbers. */
int eex__cuda_widen(eex_cuda *cuda, float *to, const void *from, size_t count);

#ifdef __cplusplus
}
#endif
#endif
