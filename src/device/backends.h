/* The registry of device backends.
 *
 * src/core may not know which backends a program contains, so each one announces itself here:
 * eex_cpu_register() and its like call eex_device_register, once, before the first device is
 * opened. Registration is not synchronised: do it while the program still has one thread. */
#ifndef EEX_DEVICE_BACKENDS_H
#define EEX_DEVICE_BACKENDS_H

#include "device/device.h"

/* Opens one device of a kind. `argument` is what follows the colon of "cuda:1", or NULL. */
typedef int (*eex_device_opener)(eex_device **out, const char *argument,
                                 const eex_device_options *options);

/* `kind` is kept by pointer and must be a literal. Registering a kind again replaces its opener.
 * EEX_EINVAL when the table (8 kinds) is full or the kind has no name. */
int eex_device_register(const char *kind, eex_device_opener open);

/* The i-th registered kind, in the order of registration; NULL past the end. */
const char *eex_device_kind(int i);

#endif
