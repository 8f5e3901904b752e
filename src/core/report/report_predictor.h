/* What an exit predictor is worth, as JSON. */
#ifndef EEX_CORE_REPORT_REPORT_PREDICTOR_H
#define EEX_CORE_REPORT_REPORT_PREDICTOR_H

#include "core/model/predictor.h"

#include "base/json.h"

/* A member "predictor" of an object. */
void eex_report_predictor_json(eex_json *j, const eex_exit_predictor *predictor,
                               const eex_model *model);

#endif
