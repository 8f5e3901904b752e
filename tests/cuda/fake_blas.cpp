/* cuBLAS's entry points that src/cuda uses, in double. */
#include "cuda/fake_numbers.h"
#include "cuda/fake_runtime.h"

#include <cublas_api.h>

struct cublasContext {
    cudaStream_t stream = nullptr;
    bool has_workspace = false;
    bool wide_sums = false; /* between the parts of a product, whatever the result is */
};

bool fake::narrow_sums = false;

namespace {

bool narrow(cudaDataType_t type)
{
    return type == CUDA_R_16BF;
}

size_t bytes_of(cudaDataType_t type)
{
    return narrow(type) ? 2 : 4;
}

/* A column-major matrix as it is given, and its extent in memory. */
struct matrix {
    const void *at;
    cudaDataType_t type;
    int rows, columns, stride;

    bool right() const
    {
        return (type == CUDA_R_32F || type == CUDA_R_16BF) && rows >= 0 && columns >= 0 &&
               stride >= (rows > 1 ? rows : 1);
    }
    size_t bytes() const
    {
        return rows && columns ? ((size_t)(columns - 1) * stride + rows) * bytes_of(type) : 0;
    }
    /* Row-major, (columns, rows). */
    fake::numbers read() const
    {
        fake::numbers out;
        for (int j = 0; j < columns; j++)
            for (int i = 0; i < rows; i++)
                out.push_back(fake::number_at(at, (size_t)j * stride + i, narrow(type)));
        return out;
    }
};

} // namespace

extern "C" {

void eex_fake_cuda_narrow_sums(bool narrow)
{
    std::lock_guard<std::recursive_mutex> lock(fake::mutex);
    fake::narrow_sums = narrow;
}

cublasStatus_t fake_cublasCreate_v2(cublasHandle_t *out)
{
    if (cudaError_t error = fake::fails("cublasCreate"))
        return error == cudaErrorMemoryAllocation ? CUBLAS_STATUS_ALLOC_FAILED
                                                  : CUBLAS_STATUS_NOT_INITIALIZED;
    *out = new cublasContext;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t fake_cublasDestroy_v2(cublasHandle_t handle)
{
    delete handle;
    return CUBLAS_STATUS_SUCCESS;
}

/* As the real one: the workspace goes back to the library's own. */
cublasStatus_t fake_cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream)
{
    handle->stream = stream;
    handle->has_workspace = false;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t fake_cublasSetWorkspace_v2(cublasHandle_t handle, void *workspace, size_t bytes)
{
    if ((uintptr_t)workspace % 256 || !fake::is_device(workspace, bytes))
        return CUBLAS_STATUS_INVALID_VALUE;
    handle->has_workspace = true;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t fake_cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode)
{
    const int wide = CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION;
    if ((mode & ~wide) != CUBLAS_DEFAULT_MATH)
        return CUBLAS_STATUS_INVALID_VALUE;
    handle->wide_sums = (mode & wide) != 0;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t fake_cublasGetProperty(libraryPropertyType type, int *value)
{
    *value = type == MAJOR_VERSION ? 13 : 0;
    return CUBLAS_STATUS_SUCCESS;
}

const char *fake_cublasGetStatusString(cublasStatus_t status)
{
    return status == CUBLAS_STATUS_SUCCESS         ? "CUBLAS_STATUS_SUCCESS"
           : status == CUBLAS_STATUS_INVALID_VALUE ? "CUBLAS_STATUS_INVALID_VALUE"
                                                   : "CUBLAS_STATUS_EXECUTION_FAILED";
}

/* Column-major c (m, n) = alpha * op(a) op(b) + beta * c, so row-major c' (n, m) = op(b)' op(a)'.
 */
cublasStatus_t fake_cublasGemmEx(cublasHandle_t handle, cublasOperation_t transpose_a,
                                 cublasOperation_t transpose_b, int m, int n, int k,
                                 const void *alpha, const void *a, cudaDataType_t a_type,
                                 int a_stride, const void *b, cudaDataType_t b_type, int b_stride,
                                 const void *beta, void *c, cudaDataType_t c_type, int c_stride,
                                 cublasComputeType_t compute, cublasGemmAlgo_t)
{
    std::lock_guard<std::recursive_mutex> lock(fake::mutex);
    bool ta = transpose_a != CUBLAS_OP_N, tb = transpose_b != CUBLAS_OP_N;
    matrix left = {a, a_type, ta ? k : m, ta ? m : k, a_stride};
    matrix right = {b, b_type, tb ? n : k, tb ? k : n, b_stride};
    matrix out = {c, c_type, m, n, c_stride};
    const float scale = *static_cast<const float *>(alpha),
                keep = *static_cast<const float *>(beta);
    if (fake::fails("cublasGemmEx"))
        return CUBLAS_STATUS_EXECUTION_FAILED;
    if (!left.right() || !right.right() || !out.right() || m < 0 || n < 0 || k < 0)
        return CUBLAS_STATUS_INVALID_VALUE;
    if (a_type != b_type || (a_type == CUDA_R_32F && c_type != CUDA_R_32F) ||
        (compute != CUBLAS_COMPUTE_32F && compute != CUBLAS_COMPUTE_32F_PEDANTIC &&
         compute != CUBLAS_COMPUTE_32F_FAST_TF32))
        return CUBLAS_STATUS_NOT_SUPPORTED;
    if (narrow(c_type) && !handle->wide_sums)
        return CUBLAS_STATUS_NOT_SUPPORTED; /* the real one does it, in bfloat16 */
    if (!handle->has_workspace && fake::any_capture())
        return CUBLAS_STATUS_ALLOC_FAILED; /* it would have to allocate */
    fake::need_device("cublasGemmEx, a", a, left.bytes());
    fake::need_device("cublasGemmEx, b", b, right.bytes());
    fake::need_device("cublasGemmEx, c", c, out.bytes());
    fake::enqueue(handle->stream, [=] {
        fake::counts.kernels++;
        fake::counts.wide_products += narrow(a_type) && !narrow(c_type);
        fake::numbers first = right.read(), second = left.read();
        if (tb)
            first = fake::transposed(first, (size_t)k, (size_t)n);
        if (ta)
            second = fake::transposed(second, (size_t)m, (size_t)k);
        fake::numbers product = fake::multiply(first, second, (size_t)n, (size_t)m, (size_t)k);
        for (size_t j = 0; j < (size_t)n; j++)
            for (size_t i = 0; i < (size_t)m; i++) {
                size_t at = j * (size_t)c_stride + i;
                double was = keep == 0 ? 0 : keep * fake::number_at(c, at, narrow(c_type));
                fake::number_set(c, at, narrow(c_type), scale * product[j * (size_t)m + i] + was);
            }
    });
    return CUBLAS_STATUS_SUCCESS;
}

} // extern "C"
