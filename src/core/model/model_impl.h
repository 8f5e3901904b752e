/* What the files of models share. */
#ifndef EEX_CORE_MODEL_MODEL_IMPL_H
#define EEX_CORE_MODEL_MODEL_IMPL_H

#include "core/model/model.h"

enum { EEX__ADAPTATION_VERSION = 1, EEX__MODEL_VERSION = 1 };

/* Which exits of a network thresholds are for: /exits in a file. Files that do not say pass. */
int eex__exits_save(eex_store_file *file, const eex_graph *graph);
int eex__exits_check(eex_store_file *file, const eex_graph *graph);

/* For which weights something is, those of a model's file: an attribute. */
int eex__weights_save(eex_store_file *file, const eex_model *model);

/* Which part of its network a model has, by what is asked for and what its file has: -1 is the
 * file's cut, or the last early exit. device NULL: its weights stay where they are. */
int eex__model_part_load(eex_model *model, eex_store_file *file, eex_plan_part part,
                         eex_device *device);
int eex__model_weights_load(eex_model *model, eex_store_file *file, eex_device *device);

/* The cut (from 0) of a file that has the device's part of a network alone (front.h), and what
 * tells the whole from others: (EEX_PRECISIONS, 32), the caller's; -1 and NULL in other files. */
int eex__front_load(int *cut, uint8_t **prints, eex_store_file *file, const eex_graph *graph);

#endif
