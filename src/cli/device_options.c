#include "cli/device_options.h"

int eex_open_device(eex_device **out, const eex_device_choice *choice)
{
    const eex_device_options options = {.threads = (int)choice->threads};
    return eex_device_open(out, choice->name, &options);
}
