#include "cuda/ranges.h"

#include <nvtx3/nvToolsExt.h>

void eex__cuda_range_begin(eex_device *dev, const char *name)
{
    nvtxRangePushA(name);
}

void eex__cuda_range_end(eex_device *dev)
{
    nvtxRangePop();
}
