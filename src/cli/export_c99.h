/* eex export --c: the folder of a network as C. */
#ifndef EEX_CLI_EXPORT_C99_H
#define EEX_CLI_EXPORT_C99_H

#include "core/model/model.h"

/* Before any work: whether the files could be written, and are not there unless `force`. */
int eex_export_c99_check(const char *folder, bool force);

/* Writes them, and a line about what they need. */
int eex_export_c99(const char *folder, const eex_model *model);

#endif
