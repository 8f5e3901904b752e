/* NVTX: the names that Nsight shows. */
#ifndef EEX_CUDA_RANGES_H
#define EEX_CUDA_RANGES_H

#include "device/device.h"

void eex__cuda_range_begin(eex_device *dev, const char *name);
void eex__cuda_range_end(eex_device *dev);

#endif
