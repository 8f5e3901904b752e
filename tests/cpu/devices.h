/* For tests of the CPU alone; those that can run on every device use support/devices.h. */
#ifndef EEX_TESTS_CPU_DEVICES_H
#define EEX_TESTS_CPU_DEVICES_H

#include "support/devices.h"

/* With this instruction set; "": the best one. */
eex_device *open_cpu(const char *isa, int threads);

#endif
