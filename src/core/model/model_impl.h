/* What the files of models share. */
#ifndef EEX_CORE_MODEL_MODEL_IMPL_H
#define EEX_CORE_MODEL_MODEL_IMPL_H

#include "core/model/model.h"

enum { EEX__ADAPTATION_VERSION = 1 };

/* Which exits of a network thresholds are for: /exits in a file. Files that do not say pass. */
int eex__exits_save(eex_store_file *file, const eex_graph *graph);
int eex__exits_check(eex_store_file *file, const eex_graph *graph);

#endif
