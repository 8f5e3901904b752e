/* eex devices: what --device can name. */
#include "base/status.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "core/backends.h"

#include <stdio.h>

static int list(void)
{
    for (int i = 0; eex_device_kind(i); i++) {
        const eex_device_options options = {.threads = 0};
        eex_device *device = NULL;
        const char *kind = eex_device_kind(i);
        if (eex_device_open(&device, kind, &options) == EEX_OK)
            printf("%-8s %s\n", kind, device->name);
        else
            printf("%-8s not available: %s\n", kind, eex_error());
        eex_device_close(device);
    }
    return EEX_OK;
}

int eex_cmd_devices(int argc, char **argv)
{
    static const eex_option options[] = {{0}};
    static const eex_command command = {
        .name = "devices",
        .synopsis = "",
        .summary = "Lists the devices that \"eex run --device\" can name, with what they are.",
        .options = options};
    eex_arguments args;
    EEX_TRY(eex_options_parse(&args, argc, argv, &command));
    return args.help ? EEX_OK : list();
}
