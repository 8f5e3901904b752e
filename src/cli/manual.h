/* Manual pages: what --help says, as man reads it. */
#ifndef EEX_CLI_MANUAL_H
#define EEX_CLI_MANUAL_H

#include "cli/cmd.h"

/* Writes eex.1 and eex-COMMAND.1 for each command of the list (with NULL at the end), and for those
 * of groups, into the folder, which exists. */
int eex_manual_write(const char *folder, const eex_cmd *const *commands);

#endif
