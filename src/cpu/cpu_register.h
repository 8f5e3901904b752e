/* Makes "cpu" known to eex_device_open. Call it once, early, from every program. */
#ifndef EEX_CPU_CPU_REGISTER_H
#define EEX_CPU_CPU_REGISTER_H

int eex_cpu_register(void);

#endif
