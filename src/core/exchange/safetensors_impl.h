/* What the files of safetensors.h share. */
#ifndef EEX_CORE_EXCHANGE_SAFETENSORS_IMPL_H
#define EEX_CORE_EXCHANGE_SAFETENSORS_IMPL_H

#include "core/exchange/safetensors.h"

#include "base/arena.h"

struct eex_safetensors {
    char *path;
    int fd;
    uint64_t data, size; /* where the tensors' bytes begin, and how many they are */
    eex_arena arena;     /* of names */
    eex_tensor *tensor;
    int count, capacity;
};

/* Reads the header into the tensors of `file`, sorted by name, and checks all of them against its
 * size. Messages say nothing of the path. */
int eex__safetensors_header(eex_safetensors *file, const char *text, size_t size);

#endif
