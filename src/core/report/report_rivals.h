/* What a report says of static networks beside the one with exits: for the files of this room. */
#ifndef EEX_CORE_REPORT_REPORT_RIVALS_H
#define EEX_CORE_REPORT_REPORT_RIVALS_H

#include "core/report/report.h"

#include "base/json.h"

/* A table, and whether one of them wins. */
int eex__report_rivals(eex_buffer *out, const eex_report *report, size_t width);

/* A member "rivals" of an object. */
void eex__report_rivals_json(eex_json *j, const eex_report *report);

#endif
