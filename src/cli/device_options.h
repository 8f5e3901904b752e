/* Which device a command runs on. */
#ifndef EEX_CLI_DEVICE_OPTIONS_H
#define EEX_CLI_DEVICE_OPTIONS_H

#include "cli/options.h"
#include "device/device.h"

typedef struct eex_device_choice {
    const char *name;
    int64_t threads; /* 0: all there are */
} eex_device_choice;

#define EEX_DEVICE_CHOICE_INIT      \
    {                               \
        .name = "cpu", .threads = 0 \
    }

/* Rows of a command's table of options, with `o` the member of that type. */
#define EEX_DEVICE_OPTIONS(o) \
    EEX_DEVICE_OPTIONS_TO(o, "what it runs on (cpu)", "threads on the CPU (all there are)")
#define EEX_DEVICE_OPTIONS_TO(o, device, number_of_threads) \
    EEX_TEXT("device", "NAME", EEX_IN(o, name), device),    \
        EEX_NUMBER("threads", "N", 1, 1024, EEX_IN(o, threads), number_of_threads)

int eex_open_device(eex_device **out, const eex_device_choice *choice);

#endif
