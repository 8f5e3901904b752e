/* The inner loops, compiled once for each instruction set and chosen when the program starts.
 *
 * Every .c file of this folder is compiled three times, with EEX_ISA defined as avx512, avx2 or
 * generic. What it shows to the outside must go by EEX_KERNEL(name), which adds the suffix. Kernels
 * know no threads, devices or errors: they get pointers and sizes and do arithmetic.
 *
 * A family of kernels is one header with a struct of function pointers, one source that defines
 * `const eex_..._kernels EEX_KERNEL(eex__..._kernels)`, and one member of eex_kernels, filled in
 * table.c. */
#ifndef EEX_CPU_KERNELS_KERNELS_H
#define EEX_CPU_KERNELS_KERNELS_H

typedef struct eex_gemm_kernels eex_gemm_kernels;           /* gemm.h */
typedef struct eex_depthwise_kernels eex_depthwise_kernels; /* depthwise.h */
typedef struct eex_norm_kernels eex_norm_kernels;           /* norm.h */
typedef struct eex_pointwise_kernels eex_pointwise_kernels; /* pointwise.h */
typedef struct eex_columns_kernels eex_columns_kernels;     /* columns.h */
typedef struct eex_window_kernels eex_window_kernels;       /* window.h */
typedef struct eex_softmax_kernels eex_softmax_kernels;     /* softmax.h */
typedef struct eex_optim_kernels eex_optim_kernels;         /* optim.h */
typedef struct eex_image_kernels eex_image_kernels;         /* image.h */

typedef struct eex_kernels {
    const char *isa; /* "avx512", "avx2", "generic" */
    int width;       /* floats in a vector: 16, 8, 4 */
    const eex_gemm_kernels *gemm;
    const eex_depthwise_kernels *depthwise;
    const eex_norm_kernels *norm;
    const eex_pointwise_kernels *pointwise;
    const eex_columns_kernels *columns;
    const eex_window_kernels *window;
    const eex_softmax_kernels *softmax;
    const eex_optim_kernels *optim;
    const eex_image_kernels *image;
} eex_kernels;

extern const eex_kernels eex__kernels_avx512, eex__kernels_avx2, eex__kernels_generic;

/* The kernels of the instruction set called `isa`, or of the best that this processor has when isa
 * is NULL or "". NULL when the name is unknown or the processor lacks it. */
const eex_kernels *eex__kernels_find(const char *isa);

#ifdef EEX_ISA
#define EEX_KERNEL_JOIN2(name, isa) name##_##isa
#define EEX_KERNEL_JOIN(name, isa) EEX_KERNEL_JOIN2(name, isa)
#define EEX_KERNEL(name) EEX_KERNEL_JOIN(name, EEX_ISA)
#endif

#endif
