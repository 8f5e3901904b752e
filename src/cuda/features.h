/* What newer toolkits offer beyond CUDA 11.8, in one place. Each is also asked for at run time: the
 * driver may be older than the toolkit. */
#ifndef EEX_CUDA_FEATURES_H
#define EEX_CUDA_FEATURES_H

#include <cuda_runtime_api.h>

/* Graph nodes that run or not by a value that a kernel sets. */
#define EEX_CUDA_CONDITIONAL (CUDART_VERSION >= 12040)

#endif
