/* The tables of the libraries that src/cuda loads (libs.h), filled with fake_blas.cpp and
 * fake_dnn.cpp. In C: in C++ some names of cuBLAS are overloaded. */
#include "cuda/fake_cuda.h"
#include "cuda/libs.h"

#include <stdlib.h>
#include <string.h>

/* Each has the type of what it replaces. */
#define DECLARE(name) extern __typeof__(name) fake_##name;
EEX_CUBLAS_FUNCTIONS(DECLARE)
EEX_CUDNN_FUNCTIONS(DECLARE)

void eex_fake_libs_install(void);

#define ENTRY(name) .name = fake_##name,
static const eex_cuda_libs tables[] = {
    {EEX_CUBLAS_FUNCTIONS(ENTRY) EEX_CUDNN_FUNCTIONS(ENTRY).cublas_path = "fake.13",
     .cudnn_path = "fake.9"},
    {EEX_CUBLAS_FUNCTIONS(ENTRY) EEX_CUDNN_FUNCTIONS(ENTRY).cublas_path = "fake.12",
     .cudnn_path = "fake.8"},
};

void eex_fake_cuda_two_libraries(bool two)
{
    eex__cuda_libs_use(tables, two ? 2 : 1);
}

/* EEX_EMULATE_LIBS=real: those of this machine are loaded, as on one with a GPU. */
void eex_fake_libs_install(void)
{
    const char *which = getenv("EEX_EMULATE_LIBS");
    if (!which || strcmp(which, "real") != 0)
        eex_fake_cuda_two_libraries(false);
}
