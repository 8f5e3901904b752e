#include "cpu/kernels/columns.h"
#include "cpu/kernels/depthwise.h"
#include "cpu/kernels/gemm.h"
#include "cpu/kernels/image.h"
#include "cpu/kernels/kernels.h"
#include "cpu/kernels/norm.h"
#include "cpu/kernels/optim.h"
#include "cpu/kernels/pointwise.h"
#include "cpu/kernels/softmax.h"
#include "cpu/kernels/vec.h"
#include "cpu/kernels/window.h"

#define TEXT2(x) #x
#define TEXT(x) TEXT2(x)

extern const eex_gemm_kernels EEX_KERNEL(eex__gemm_kernels);
extern const eex_depthwise_kernels EEX_KERNEL(eex__depthwise_kernels);
extern const eex_norm_kernels EEX_KERNEL(eex__norm_kernels);
extern const eex_pointwise_kernels EEX_KERNEL(eex__pointwise_kernels);
extern const eex_columns_kernels EEX_KERNEL(eex__columns_kernels);
extern const eex_window_kernels EEX_KERNEL(eex__window_kernels);
extern const eex_softmax_kernels EEX_KERNEL(eex__softmax_kernels);
extern const eex_optim_kernels EEX_KERNEL(eex__optim_kernels);
extern const eex_image_kernels EEX_KERNEL(eex__image_kernels);

const eex_kernels EEX_KERNEL(eex__kernels) = {
    .isa = TEXT(EEX_ISA),
    .width = V_WIDTH,
    .gemm = &EEX_KERNEL(eex__gemm_kernels),
    .depthwise = &EEX_KERNEL(eex__depthwise_kernels),
    .norm = &EEX_KERNEL(eex__norm_kernels),
    .pointwise = &EEX_KERNEL(eex__pointwise_kernels),
    .columns = &EEX_KERNEL(eex__columns_kernels),
    .window = &EEX_KERNEL(eex__window_kernels),
    .softmax = &EEX_KERNEL(eex__softmax_kernels),
    .optim = &EEX_KERNEL(eex__optim_kernels),
    .image = &EEX_KERNEL(eex__image_kernels),
};
