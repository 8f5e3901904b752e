/* What a report says of static networks beside the one with exits: for the files of this room. */
#ifndef EEX_CORE_REPORT_REPORT_RIVALS_H
#define EEX_CORE_REPORT_REPORT_RIVALS_H

#include "core/report/report.h"

/* A table, and whether one of them wins. */
int eex__report_rivals(eex_buffer *out, const eex_report *report, size_t width);

#endif
