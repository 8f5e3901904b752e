/* cuDNN's entry points that src/cuda uses, in double: tensors with channels last and filters
 * (k, r, s, c), where c are the channels of a group; or all of them with channels first, which are
 * put into that order and back. */
#include "cuda/fake_numbers.h"
#include "cuda/fake_runtime.h"

#include <cstdint>
#include <cudnn.h>

struct cudnnContext {
    cudaStream_t stream = nullptr;
};

struct cudnnTensorStruct {
    bool narrow, first;
    size_t n, c, h, w;

    size_t count() const
    {
        return n * c * h * w;
    }
    size_t bytes() const
    {
        return count() * (narrow ? 2 : 4);
    }
};

struct cudnnFilterStruct : cudnnTensorStruct { /* n: of the output's channels */
};

struct cudnnActivationStruct {
    cudnnActivationMode_t mode;
};

struct cudnnConvolutionStruct {
    size_t pad, stride, groups = 1;
};

namespace {

/* A convolution as it was described when it was called. */
struct convolution {
    cudnnTensorStruct x, y;
    cudnnFilterStruct w;
    cudnnConvolutionStruct c;

    bool fits() const
    {
        return x.first == y.first && x.first == w.first && x.n == y.n && x.c == w.c * c.groups &&
               y.c == w.n && y.c % c.groups == 0 && x.narrow == y.narrow && x.narrow == w.narrow &&
               y.h == (x.h + 2 * c.pad - w.h) / c.stride + 1 &&
               y.w == (x.w + 2 * c.pad - w.w) / c.stride + 1;
    }
    size_t rows() const
    {
        return y.n * y.h * y.w;
    }
    size_t patch() const /* of one group */
    {
        return w.h * w.w * w.c;
    }
    size_t outputs() const /* of one group */
    {
        return y.c / c.groups;
    }
    size_t workspace() const /* something that depends on the batch */
    {
        return 64 + 8 * x.n;
    }
    /* Calls visit(index in the patches, index in x) for all of a group that lies inside. */
    template <typename F> void each(size_t group, F visit) const
    {
        for (size_t row = 0; row < rows(); row++)
            for (size_t k = 0; k < w.h * w.w; k++) {
                size_t ow = row % y.w, oh = row / y.w % y.h, n = row / y.w / y.h;
                size_t h = oh * c.stride + k / w.w - c.pad, v = ow * c.stride + k % w.w - c.pad;
                if (h >= x.h || v >= x.w) /* below zero is very large */
                    continue;
                size_t patch_at = row * patch() + k * w.c,
                       at = ((n * x.h + h) * x.w + v) * x.c + group * w.c;
                for (size_t i = 0; i < w.c; i++)
                    visit(patch_at + i, at + i);
            }
    }
};

/* The channels of a group among (rows, channels), and back. */
fake::numbers taken(const fake::numbers &all, size_t rows, size_t each, size_t group)
{
    const size_t channels = all.size() / rows;
    fake::numbers out(rows * each);
    for (size_t i = 0; i < out.size(); i++)
        out[i] = all[i / each * channels + group * each + i % each];
    return out;
}

void put(fake::numbers &all, const fake::numbers &part, size_t rows, size_t each, size_t group)
{
    const size_t channels = all.size() / rows;
    for (size_t i = 0; i < part.size(); i++)
        all[i / each * channels + group * each + i % each] = part[i];
}

/* What a group has of a filter, whose outputs come one after the other. */
fake::numbers filter_of(const convolution &d, const fake::numbers &all, size_t group)
{
    const size_t count = d.outputs() * d.patch();
    return fake::numbers(all.begin() + (ptrdiff_t)(group * count),
                         all.begin() + (ptrdiff_t)((group + 1) * count));
}

/* One matrix (rows, columns) after the other, each transposed. */
fake::numbers turned(const fake::numbers &values, size_t rows, size_t columns)
{
    fake::numbers out(values.size());
    for (size_t i = 0; i < values.size(); i++) {
        const size_t column = i % columns, row = i / columns % rows, of = i / columns / rows;
        out[(of * columns + column) * rows + row] = values[i];
    }
    return out;
}

/* A tensor's numbers, channels last whatever it has. */
fake::numbers read(const cudnnTensorStruct &t, const void *from)
{
    fake::numbers values = fake::numbers_from(from, t.count(), t.narrow);
    return t.first ? turned(values, t.c, t.h * t.w) : values;
}

/* to = scale * values + keep * to */
void write(const cudnnTensorStruct &t, void *to, const fake::numbers &values, double scale,
           double keep)
{
    fake::numbers_store(to, t.first ? turned(values, t.h * t.w, t.c) : values, t.narrow, scale,
                        keep);
}

/* Fills the workspace, which nobody may rely on. */
void spoil(void *workspace, size_t bytes)
{
    memset(workspace, 0xff, bytes);
}

size_t most_elements = INT32_MAX;

/* Of the device's, in cuDNN 9. */
const cudnnStatus_t out_of_memory = (cudnnStatus_t)4004;

bool at_16(const void *p)
{
    return (uintptr_t)p % 16 == 0;
}

/* What is wrong with a call. */
cudnnStatus_t check(const char *function, const convolution &d, const void *x, const void *w,
                    const void *y, const void *workspace, size_t bytes)
{
    if (cudaError_t error = fake::fails(function))
        return error == cudaErrorMemoryAllocation ? out_of_memory : CUDNN_STATUS_EXECUTION_FAILED;
    if (!d.fits() || bytes < d.workspace() || !at_16(x) || !at_16(w) || !at_16(y) ||
        !at_16(workspace))
        return CUDNN_STATUS_BAD_PARAM;
    fake::need_device(function, x, d.x.bytes());
    fake::need_device(function, w, d.w.bytes());
    fake::need_device(function, y, d.y.bytes());
    fake::need_device(function, workspace, bytes);
    return CUDNN_STATUS_SUCCESS;
}

float number(const void *scale)
{
    return *static_cast<const float *>(scale);
}

/* A convolution or a gradient. work(scale, keep) runs when its turn comes in the stream. */
template <typename F>
cudnnStatus_t convolve(const char *function, cudnnHandle_t handle, const convolution &d,
                       const void *x, const void *w, const void *y, void *workspace, size_t bytes,
                       const void *alpha, const void *beta, F work)
{
    std::lock_guard<std::recursive_mutex> lock(fake::mutex);
    if (cudnnStatus_t bad = check(function, d, x, w, y, workspace, bytes))
        return bad;
    float scale = number(alpha), keep = number(beta);
    fake::enqueue(handle->stream, [=] {
        fake::counts.kernels++;
        spoil(workspace, bytes);
        work(scale, keep);
    });
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t workspace_size(const convolution &d, bool known, size_t *bytes)
{
    if (!d.fits())
        return CUDNN_STATUS_BAD_PARAM;
    if (fake::fails("workspace"))
        return CUDNN_STATUS_NOT_SUPPORTED;
    *bytes = d.workspace();
    return known ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_NOT_SUPPORTED;
}

} // namespace

extern "C" {

void eex_fake_cudnn_elements(size_t most)
{
    most_elements = most;
}

/* ---- handles and descriptors ---- */

cudnnStatus_t fake_cudnnCreate(cudnnHandle_t *out)
{
    if (cudaError_t error = fake::fails("cudnnCreate"))
        return error == cudaErrorMemoryAllocation ? out_of_memory : CUDNN_STATUS_NOT_INITIALIZED;
    *out = new cudnnContext;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t fake_cudnnDestroy(cudnnHandle_t handle)
{
    delete handle;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t fake_cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream)
{
    handle->stream = stream;
    return CUDNN_STATUS_SUCCESS;
}

size_t fake_cudnnGetVersion(void)
{
    return CUDNN_VERSION;
}

const char *fake_cudnnGetErrorString(cudnnStatus_t status)
{
    return status == CUDNN_STATUS_SUCCESS         ? "CUDNN_STATUS_SUCCESS"
           : status == CUDNN_STATUS_BAD_PARAM     ? "CUDNN_STATUS_BAD_PARAM"
           : status == CUDNN_STATUS_NOT_SUPPORTED ? "CUDNN_STATUS_NOT_SUPPORTED"
                                                  : "CUDNN_STATUS_EXECUTION_FAILED";
}

cudnnStatus_t fake_cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t *out)
{
    *out = new cudnnTensorStruct();
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t fake_cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t t)
{
    delete t;
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t describe(cudnnTensorStruct *t, cudnnTensorFormat_t format,
                              cudnnDataType_t type, int n, int c, int h, int w)
{
    if (n < 1 || c < 1 || h < 1 || w < 1)
        return CUDNN_STATUS_BAD_PARAM;
    if ((size_t)n * (size_t)c > most_elements / ((size_t)h * (size_t)w))
        return CUDNN_STATUS_NOT_SUPPORTED;
    if ((format != CUDNN_TENSOR_NHWC && format != CUDNN_TENSOR_NCHW) ||
        (type != CUDNN_DATA_FLOAT && type != CUDNN_DATA_BFLOAT16))
        return CUDNN_STATUS_NOT_SUPPORTED;
    t->narrow = type == CUDNN_DATA_BFLOAT16;
    t->first = format == CUDNN_TENSOR_NCHW;
    t->n = (size_t)n;
    t->c = (size_t)c;
    t->h = (size_t)h;
    t->w = (size_t)w;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t fake_cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t t, cudnnTensorFormat_t format,
                                              cudnnDataType_t type, int n, int c, int h, int w)
{
    return describe(t, format, type, n, c, h, w);
}

cudnnStatus_t fake_cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t *out)
{
    *out = new cudnnFilterStruct();
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t fake_cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t w)
{
    delete w;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t fake_cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t filter, cudnnDataType_t type,
                                              cudnnTensorFormat_t format, int k, int c, int h,
                                              int w)
{
    return describe(filter, format, type, k, c, h, w);
}

cudnnStatus_t fake_cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t *out)
{
    *out = new cudnnConvolutionStruct();
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t fake_cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t c)
{
    delete c;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t fake_cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t c, int pad_h,
                                                   int pad_w, int stride_h, int stride_w,
                                                   int dilation_h, int dilation_w,
                                                   cudnnConvolutionMode_t mode,
                                                   cudnnDataType_t compute)
{
    if (pad_h < 0 || stride_h < 1 || compute != CUDNN_DATA_FLOAT)
        return CUDNN_STATUS_BAD_PARAM;
    if (pad_h != pad_w || stride_h != stride_w || dilation_h != 1 || dilation_w != 1 ||
        mode != CUDNN_CROSS_CORRELATION)
        return CUDNN_STATUS_NOT_SUPPORTED;
    c->pad = (size_t)pad_h;
    c->stride = (size_t)stride_h;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t fake_cudnnSetConvolutionGroupCount(cudnnConvolutionDescriptor_t c, int groups)
{
    if (groups < 1)
        return CUDNN_STATUS_BAD_PARAM;
    c->groups = (size_t)groups;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t fake_cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t, cudnnMathType_t)
{
    return CUDNN_STATUS_SUCCESS;
}

/* ---- workspaces: of each kind one algorithm is known, and Winograd's where it is documented ----
 */

static bool winograd(const convolution &d)
{
    return d.x.first && !d.x.narrow && d.c.stride == 1 && d.c.groups == 1 && d.w.h == 3;
}

cudnnStatus_t fake_cudnnGetConvolutionForwardWorkspaceSize(
    cudnnHandle_t, const cudnnTensorDescriptor_t x, const cudnnFilterDescriptor_t w,
    const cudnnConvolutionDescriptor_t c, const cudnnTensorDescriptor_t y,
    cudnnConvolutionFwdAlgo_t algorithm, size_t *bytes)
{
    const convolution d = {*x, *y, *w, *c};
    return workspace_size(
        d,
        algorithm == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM ||
            (algorithm == CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD_NONFUSED && winograd(d)),
        bytes);
}

cudnnStatus_t fake_cudnnGetConvolutionBackwardDataWorkspaceSize(
    cudnnHandle_t, const cudnnFilterDescriptor_t w, const cudnnTensorDescriptor_t dy,
    const cudnnConvolutionDescriptor_t c, const cudnnTensorDescriptor_t dx,
    cudnnConvolutionBwdDataAlgo_t algorithm, size_t *bytes)
{
    const convolution d = {*dx, *dy, *w, *c};
    return workspace_size(
        d,
        algorithm == CUDNN_CONVOLUTION_BWD_DATA_ALGO_1 ||
            (algorithm == CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD_NONFUSED && winograd(d)),
        bytes);
}

cudnnStatus_t fake_cudnnGetConvolutionBackwardFilterWorkspaceSize(
    cudnnHandle_t, const cudnnTensorDescriptor_t x, const cudnnTensorDescriptor_t dy,
    const cudnnConvolutionDescriptor_t c, const cudnnFilterDescriptor_t dw,
    cudnnConvolutionBwdFilterAlgo_t algorithm, size_t *bytes)
{
    const convolution d = {*x, *dy, *dw, *c};
    return workspace_size(
        d,
        algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1 ||
            (algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_WINOGRAD_NONFUSED && winograd(d)),
        bytes);
}

/* ---- convolutions, by way of patches ---- */

static fake::numbers products(const convolution &d, const fake::numbers &in,
                              const fake::numbers &filter)
{
    fake::numbers out(d.y.count());
    for (size_t g = 0; g < d.c.groups; g++) {
        fake::numbers patches(d.rows() * d.patch());
        d.each(g, [&](size_t to, size_t from) { patches[to] = in[from]; });
        fake::numbers own = fake::transposed(filter_of(d, filter, g), d.outputs(), d.patch());
        put(out, fake::multiply(patches, own, d.rows(), d.outputs(), d.patch()), d.rows(),
            d.outputs(), g);
    }
    return out;
}

cudnnStatus_t fake_cudnnConvolutionForward(cudnnHandle_t handle, const void *alpha,
                                           const cudnnTensorDescriptor_t x_is, const void *x,
                                           const cudnnFilterDescriptor_t w_is, const void *w,
                                           const cudnnConvolutionDescriptor_t c,
                                           cudnnConvolutionFwdAlgo_t, void *workspace, size_t bytes,
                                           const void *beta, const cudnnTensorDescriptor_t y_is,
                                           void *y)
{
    convolution d = {*x_is, *y_is, *w_is, *c};
    auto work = [=](float scale, float keep) {
        fake::numbers in = read(d.x, x);
        fake::numbers filter = read(d.w, w);
        write(d.y, y, products(d, in, filter), scale, keep);
    };
    return convolve("cudnnConvolutionForward", handle, d, x, w, y, workspace, bytes, alpha, beta,
                    work);
}

cudnnStatus_t fake_cudnnCreateActivationDescriptor(cudnnActivationDescriptor_t *out)
{
    *out = new cudnnActivationStruct();
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t fake_cudnnDestroyActivationDescriptor(cudnnActivationDescriptor_t a)
{
    delete a;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t fake_cudnnSetActivationDescriptor(cudnnActivationDescriptor_t a,
                                                cudnnActivationMode_t mode,
                                                cudnnNanPropagation_t nan, double)
{
    if (nan != CUDNN_NOT_PROPAGATE_NAN)
        return CUDNN_STATUS_BAD_PARAM;
    a->mode = mode;
    return CUDNN_STATUS_SUCCESS;
}

/* As documented: ReLU, or none with one algorithm; a bias of the type of the rest, which here is
 * float32 alone; z of y's shape, read only where it counts. */
static cudnnStatus_t check_fused(const convolution &d, const cudnnTensorStruct &z,
                                 const cudnnTensorStruct &bias, const void *z_at, const void *b_at,
                                 cudnnActivationMode_t mode, cudnnConvolutionFwdAlgo_t algorithm)
{
    const bool plain = mode == CUDNN_ACTIVATION_IDENTITY &&
                       algorithm == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM;
    if (mode != CUDNN_ACTIVATION_RELU && !plain)
        return CUDNN_STATUS_BAD_PARAM;
    if (bias.count() != d.y.c || bias.c != d.y.c || z.count() != d.y.count() || z.c != d.y.c ||
        !at_16(z_at) || !at_16(b_at))
        return CUDNN_STATUS_BAD_PARAM;
    if (d.x.narrow || bias.narrow || z.narrow || d.x.first)
        return CUDNN_STATUS_NOT_SUPPORTED;
    fake::need_device("cudnnConvolutionBiasActivationForward", z_at, z.bytes());
    fake::need_device("cudnnConvolutionBiasActivationForward", b_at, bias.bytes());
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t fake_cudnnConvolutionBiasActivationForward(
    cudnnHandle_t handle, const void *alpha, const cudnnTensorDescriptor_t x_is, const void *x,
    const cudnnFilterDescriptor_t w_is, const void *w, const cudnnConvolutionDescriptor_t c,
    cudnnConvolutionFwdAlgo_t algorithm, void *workspace, size_t bytes, const void *alpha2,
    const cudnnTensorDescriptor_t z_is, const void *z, const cudnnTensorDescriptor_t bias_is,
    const void *bias, const cudnnActivationDescriptor_t activation,
    const cudnnTensorDescriptor_t y_is, void *y)
{
    convolution d = {*x_is, *y_is, *w_is, *c};
    const cudnnActivationMode_t mode = activation->mode;
    if (cudnnStatus_t bad = check_fused(d, *z_is, *bias_is, z, bias, mode, algorithm))
        return bad;
    auto work = [=](float scale, float more) {
        fake::numbers in = fake::numbers_from(x, d.x.count(), false);
        fake::numbers filter = fake::numbers_from(w, d.w.count(), false);
        fake::numbers out = products(d, in, filter);
        for (size_t i = 0; i < out.size(); i++) {
            const double added = more != 0 ? more * fake::number_at(z, i, false) : 0;
            const double value = scale * out[i] + added + fake::number_at(bias, i % d.y.c, false);
            out[i] = mode == CUDNN_ACTIVATION_RELU && !(value > 0) ? 0 : value;
        }
        fake::numbers_store(y, out, false, 1, 0);
    };
    return convolve("cudnnConvolutionBiasActivationForward", handle, d, x, w, y, workspace, bytes,
                    alpha, alpha2, work);
}

cudnnStatus_t fake_cudnnConvolutionBackwardData(cudnnHandle_t handle, const void *alpha,
                                                const cudnnFilterDescriptor_t w_is, const void *w,
                                                const cudnnTensorDescriptor_t dy_is, const void *dy,
                                                const cudnnConvolutionDescriptor_t c,
                                                cudnnConvolutionBwdDataAlgo_t, void *workspace,
                                                size_t bytes, const void *beta,
                                                const cudnnTensorDescriptor_t dx_is, void *dx)
{
    convolution d = {*dx_is, *dy_is, *w_is, *c};
    auto work = [=](float scale, float keep) {
        fake::numbers gradient = read(d.y, dy);
        fake::numbers filter = read(d.w, w);
        fake::numbers out(d.x.count());
        for (size_t g = 0; g < d.c.groups; g++) {
            fake::numbers patches =
                fake::multiply(taken(gradient, d.rows(), d.outputs(), g), filter_of(d, filter, g),
                               d.rows(), d.patch(), d.outputs());
            d.each(g, [&](size_t from, size_t to) { out[to] += patches[from]; });
        }
        write(d.x, dx, out, scale, keep);
    };
    return convolve("cudnnConvolutionBackwardData", handle, d, dx, w, dy, workspace, bytes, alpha,
                    beta, work);
}

cudnnStatus_t fake_cudnnConvolutionBackwardFilter(
    cudnnHandle_t handle, const void *alpha, const cudnnTensorDescriptor_t x_is, const void *x,
    const cudnnTensorDescriptor_t dy_is, const void *dy, const cudnnConvolutionDescriptor_t c,
    cudnnConvolutionBwdFilterAlgo_t, void *workspace, size_t bytes, const void *beta,
    const cudnnFilterDescriptor_t dw_is, void *dw)
{
    convolution d = {*x_is, *dy_is, *dw_is, *c};
    auto work = [=](float scale, float keep) {
        fake::numbers in = read(d.x, x);
        fake::numbers gradient = read(d.y, dy);
        fake::numbers out;
        for (size_t g = 0; g < d.c.groups; g++) {
            fake::numbers patches(d.rows() * d.patch());
            d.each(g, [&](size_t to, size_t from) { patches[to] = in[from]; });
            fake::numbers own =
                fake::transposed(taken(gradient, d.rows(), d.outputs(), g), d.rows(), d.outputs());
            own = fake::multiply(own, patches, d.outputs(), d.patch(), d.rows());
            out.insert(out.end(), own.begin(), own.end());
        }
        write(d.w, dw, out, scale, keep);
    };
    return convolve("cudnnConvolutionBackwardFilter", handle, d, x, dw, dy, workspace, bytes, alpha,
                    beta, work);
}

} // extern "C"
