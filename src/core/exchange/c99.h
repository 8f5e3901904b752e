/* Writes a network as C for small devices: plain C99 without dependencies or allocation, weights,
 * exits and policy inside. What is the same for all networks comes with the program
 * (export/c99); here are the two files that are not. */
#ifndef EEX_CORE_EXCHANGE_C99_H
#define EEX_CORE_EXCHANGE_C99_H

#include "core/model/model.h"

#include "base/buffer.h"

/* What it needs on a device. */
typedef struct eex_c99_needs {
    uint64_t memory, weights; /* bytes: to calculate in, and of constants */
} eex_c99_needs;

/* Appends model.h and model.c. The model has its weights; one with several exits has a policy. */
int eex_c99_put(eex_buffer *header, eex_buffer *source, eex_c99_needs *needs,
                const eex_model *model);

#endif
