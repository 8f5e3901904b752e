/* eex export --front: the device's part of a network as a model file of its own. */
#ifndef EEX_CLI_EXPORT_FRONT_H
#define EEX_CLI_EXPORT_FRONT_H

#include "cli/open_model.h"

/* Whether FILE may be written. NULL: it is not asked for. */
int eex__export_front_check(const char *file, bool force);

/* Writes FILE, and the predictor beside it where the model has one that is used. cut: behind which
 * exit, from 1; 0: the last early one. Of the weights behind it none is read into memory. */
int eex__export_front(const char *file, const char *model, int64_t cut, bool force,
                      const eex_model_options *options);

#endif
