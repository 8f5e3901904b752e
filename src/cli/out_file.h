/* Where a command may write what -o names. */
#ifndef EEX_CLI_OUT_FILE_H
#define EEX_CLI_OUT_FILE_H

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

/* Two files of one command, each given as `name` and NULL or a path: not the same one, where what
 * is written last would take the place of the other. */
int eex_check_apart(const char *name, const char *path, const char *other, const char *other_path);

/* What the command reads (`read`, given as `name`, NULL: nothing) is not what it replaces (`path`,
 * given as `option`), whatever either is called. */
int eex_check_kept(const char *name, const char *read, const char *option, const char *path);

#endif
