/* Where a command may write what -o names. */
#ifndef EEX_CLI_OUT_FILE_H
#define EEX_CLI_OUT_FILE_H

#include "cli/options.h"

#include <stdbool.h>

/* Before any work: refuses the files of a run, what is there unless `force`, and what is there of
 * another kind in any case. A symbolic link counts as what it leads to, and is itself what is
 * replaced. Pipes, terminals and /dev/stdout take text. `kind` is that of the store's file and
 * `object` something that is in it (NULL: anything); with a NULL kind the command writes text or a
 * picture. What is left is tried, so that no work is done for a file that cannot be written. A NULL
 * path is EEX_OK: nothing is written. */
int eex_check_out(const char *path, bool force, const char *kind, const char *object);

/* The part of it about the kind: refuses what is there and of another one, and says what it is. */
int eex_check_kind(const char *path, const char *kind, const char *object);

/* Of every command, before any work: what an option writes (`writes` of its row) is no other's of
 * these, where the last one written would take the place of the first, and it is nothing that the
 * command is given to read, be it a word or the text of an option, whatever either is called. */
int eex_check_written(const eex_option *options, const void *arguments, const eex_words *words);

#endif
