/* How programs get CUDA devices; shows nothing of CUDA itself. */
#ifndef EEX_CUDA_CUDA_REGISTER_H
#define EEX_CUDA_CUDA_REGISTER_H

#include "device/device.h"

/* Makes "cuda" and "cuda:N" known to eex_device_open. Needs neither a driver nor a GPU: what is
 * missing is said when one is opened. */
int eex_cuda_register(void);

/* Opens GPU `ordinal` (0...). EEX_ENOTFOUND or EEX_EDEVICE say what is missing or failed. */
int eex_cuda_open(eex_device **out, int ordinal, const eex_device_options *options);

#endif
