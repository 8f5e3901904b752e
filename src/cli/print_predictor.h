/* What a predictor is worth, as a table for people. */
#ifndef EEX_CLI_PRINT_PREDICTOR_H
#define EEX_CLI_PRINT_PREDICTOR_H

#include "core/model/predictor.h"

#include "base/buffer.h"

int eex_put_predictor(eex_buffer *out, const eex_exit_predictor *predictor, const eex_model *model);

#endif
