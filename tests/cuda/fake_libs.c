/* The table of the libraries that src/cuda loads (libs.h), filled with fake_blas.cpp and
 * fake_dnn.cpp. In C: in C++ some names of cuBLAS are overloaded. */
#include "cuda/libs.h"

/* Each has the type of what it replaces. */
#define DECLARE(name) extern __typeof__(name) fake_##name;
EEX_CUBLAS_FUNCTIONS(DECLARE)
EEX_CUDNN_FUNCTIONS(DECLARE)

void eex_fake_libs_install(void);

void eex_fake_libs_install(void)
{
#define ENTRY(name) .name = fake_##name,
    static const eex_cuda_libs table = {EEX_CUBLAS_FUNCTIONS(ENTRY) EEX_CUDNN_FUNCTIONS(ENTRY)};
    eex__cuda_libs_use(&table);
}
