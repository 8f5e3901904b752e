/* What a predictor is worth: as a table for people, and as JSON. */
#ifndef EEX_CLI_PRINT_PREDICTOR_H
#define EEX_CLI_PRINT_PREDICTOR_H

#include "core/model/predictor.h"

#include "base/buffer.h"
#include "base/json.h"

int eex_put_predictor(eex_buffer *out, const eex_exit_predictor *predictor, const eex_model *model);
/* A member "predictor" of an object. */
void eex_json_predictor(eex_json *j, const eex_exit_predictor *predictor, const eex_model *model);

#endif
