/* What other people's libraries call the parameters of our networks. Ours are torchvision's where
 * the network is; other names are made from those. */
#ifndef EEX_CORE_EXCHANGE_DIALECTS_H
#define EEX_CORE_EXCHANGE_DIALECTS_H

#include "core/exchange/safetensors.h"

typedef struct eex__dialect {
    const char *name; /* whose names: "torchvision" */
    /* What they call the parameter `name` of ours. False: the name would be too long. */
    bool (*translate)(char out[EEX_TENSOR_NAME], const char *name);
} eex__dialect;

/* The first is our own. NULL: no more of them. */
const eex__dialect *eex__dialect_at(int i);

#endif
