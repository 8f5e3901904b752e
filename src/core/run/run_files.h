/* Files of a run's folder, by their names. What kind of file a name stands for the table of phases
 * says (phase.h); a name that is not in it is refused with EEX_EINVAL. */
#ifndef EEX_CORE_RUN_RUN_FILES_H
#define EEX_CORE_RUN_RUN_FILES_H

#include "core/store/store.h"

#include <stdbool.h>

struct eex_run;

/* Makes and locks the folder, and clears it of an earlier run for one that starts again. A finished
 * run is only looked at. */
int eex__run_open_folder(struct eex_run *run);

/* Locks the folder of a finished run too: for whoever adds files to it. */
int eex__run_add_to_folder(struct eex_run *run);

/* Unlocks it. Where nothing was written, what was made goes, and nothing else. */
void eex__run_close_folder(struct eex_run *run);

bool eex__run_has(const struct eex_run *run, const char *name);

/* Writes file NAME whole, or not at all. */
int eex__run_write(const struct eex_run *run, const char *name, eex_store_fill fill,
                   const void *context);
int eex__run_read(const struct eex_run *run, const char *name, eex_store_use use, void *context);

/* Makes file NAME a copy of another run's at `source`, whole or not at all; EEX_EFORMAT and the
 * like where that is no file of its kind. */
int eex__run_copy(const struct eex_run *run, const char *name, const char *source);

int eex__run_remove(const struct eex_run *run, const char *name);

bool eex__run_is_folder(const struct eex_run *run, const char *path); /* another name of it too */
/* Whether a file that is there is one of those that the run makes in its folder, which it removes
 * when it starts again, and replaces: nothing that it needs. */
bool eex__run_makes(const struct eex_run *run, const char *path);

/* Called with its path after each file that a run commits; NULL. For tests of interruption. */
extern void (*eex__run_saved)(const char *path);

#endif
