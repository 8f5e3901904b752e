/* A run at this moment, for people. */
#ifndef EEX_CLI_PRINT_WATCH_H
#define EEX_CLI_PRINT_WATCH_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/* Appends what the run in the folder does, within `width` columns (0: any). */
int eex_put_watch(eex_buffer *out, bool *finished, const char *folder, size_t width);

#endif
