/* Completion for shells, from what the commands say of themselves. */
#ifndef EEX_CLI_COMPLETION_H
#define EEX_CLI_COMPLETION_H

#include "cli/cmd.h"

/* Prints a script for "bash" or "zsh" that completes the commands of the list (with NULL at the
 * end), their options, and names of files. EEX_EINVAL: another shell. */
int eex_completion_print(const char *shell, const eex_cmd *const *commands);

#endif
