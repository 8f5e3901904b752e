/* What `eex tune --risk` prints of what was promised, and of what it is worth on other images. */
#ifndef EEX_CLI_PRINT_RISK_H
#define EEX_CLI_PRINT_RISK_H

#include "cli/print_tune.h"

#include "base/buffer.h"
#include "base/json.h"

/* The promise in words and a table of it. */
int eex_print_risk(eex_buffer *out, const eex_tune_report *report, size_t width);

/* The same as member "risk". */
void eex_json_risk(eex_json *j, const eex_tune_report *report);

#endif
