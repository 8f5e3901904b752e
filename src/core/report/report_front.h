/* Tables of a report about its front and how the search came to it: for the files of this room. */
#ifndef EEX_CORE_REPORT_REPORT_FRONT_H
#define EEX_CORE_REPORT_REPORT_FRONT_H

#include "core/report/report.h"

/* Members of the front on the test split, each beside its static rivals; where there are some. */
int eex__report_tested(eex_buffer *out, const eex_report *report, size_t width);

/* What the models of a search on surrogates were worth, batch by batch. */
int eex__report_models(eex_buffer *out, const eex_report *report, size_t width);

#endif
