/* Initial weights of a run, where training.init names a file with a model: of the base, and of the
 * shared network where that does not start from the base. What the file has by a parameter's name
 * has to be of its shape; what it does not have starts from scratch. */
#ifndef EEX_CORE_RUN_RUN_INIT_H
#define EEX_CORE_RUN_RUN_INIT_H

#include "core/plan/params.h"

#include "base/buffer.h"

struct eex_run;

/* Before there is a folder: EEX_EINVAL names the first parameter that does not fit, a file that has
 * none of them, and one that this run would remove or replace. Gates are looked at where their
 * points are known. Without training.init nothing is done, here and below. */
int eex__run_init_check(const struct eex_run *run);

/* Puts the file's weights in the place of those that are there, and says how many. */
int eex__run_init(eex_params *params, const struct eex_run *run);

/* The path of the entry that says what the file holds, and the entry itself, with a newline behind:
 * two runs are the same by the file's content and not by its name. */
#define EEX__INIT_CONTENT "training.init.sha256"
int eex__run_init_entry(eex_buffer *out, const struct eex_run *run);

#endif
