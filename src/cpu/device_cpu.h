/* Opens the CPU device. */
#ifndef EEX_CPU_DEVICE_CPU_H
#define EEX_CPU_DEVICE_CPU_H

#include "device/device.h"

/* options->threads 0: every processor that the process may use. EEX_EINVAL for a count out of
 * range. The device owns a pool of threads; close it with eex_device_close. */
int eex_cpu_open(eex_device **out, const eex_device_options *options);

#endif
