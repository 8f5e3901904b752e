/* What becomes of an op that cuDNN refuses, and the one way that somebody wants to look at. */
#include "cuda/conv.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>

bool eex__cuda_conv_only(const char *way)
{
    const char *only = getenv("EEX_CUDA_CONV");
    return only && strcmp(only, way) == 0;
}

bool eex__cuda_conv_first_applies(const eex_op *op)
{
    return op->precision == EEX_F32;
}

bool eex__cuda_conv_dnn_only(const eex_op *op)
{
    return eex__cuda_conv_only("library") ||
           (eex__cuda_conv_only("first") && eex__cuda_conv_first_applies(op));
}

static uint64_t hash(const char *text, uint64_t h)
{
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 0x100000001b3u;
    return h;
}

void eex__cuda_conv_refused(eex_cuda *cuda, const eex_op *op, const char *instead)
{
    struct eex_cuda_host *host = cuda->host;
    const uint64_t kind = 0xcbf29ce484222325u + (uint64_t)op->kind;
    const uint64_t name = hash(instead, hash(op->name ? op->name : "?", kind));
    for (int i = 0; i < host->refused; i++)
        if (host->refused_names[i] == name)
            return;
    if (host->refused == EEX_CUDA_REFUSALS)
        return;
    eex_log_warn("%s; %s%s", eex_error(), instead,
                 host->refused + 1 < EEX_CUDA_REFUSALS ? "" : ", and no more are listed");
    host->refused_names[host->refused++] = name;
}
