/* What a cuDNN opens by itself when it is used, loaded before it is: it ends the process where one
 * of these cannot be loaded. */
#ifndef EEX_CUDA_CUDNN_PARTS_H
#define EEX_CUDA_CUDNN_PARTS_H

#include <stdbool.h>

/* Loads the parts (up to NULL) from the folder that the loaded library `handle` lies in, for those
 * of another version would not do, and where there is a driver the cuBLAS of the CUDA that it was
 * made for: from `cublas_folder` (NULL: none is named), from where its own loader would find it, or
 * from the system's library path. Without parts there is nothing to do. false: dlerror says what
 * cannot be loaded. */
bool eex__cudnn_load_parts(void *handle, const char *const *parts, const char *cublas_folder);

/* The function of this name into *field, a pointer to a function; false: there is none. */
bool eex__cuda_libs_find(void *handle, const char *name, void *field);

#endif
