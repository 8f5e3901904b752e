#include "cpu/kernels/depthwise.h"
#include "cpu/kernels/gemm.h"
#include "cpu/kernels/kernels.h"
#include "cpu/kernels/vec.h"

#define TEXT2(x) #x
#define TEXT(x) TEXT2(x)

extern const eex_gemm_kernels EEX_KERNEL(eex__gemm_kernels);
extern const eex_depthwise_kernels EEX_KERNEL(eex__depthwise_kernels);

const eex_kernels EEX_KERNEL(eex__kernels) = {
    .isa = TEXT(EEX_ISA),
    .width = V_WIDTH,
    .gemm = &EEX_KERNEL(eex__gemm_kernels),
    .depthwise = &EEX_KERNEL(eex__depthwise_kernels),
};
