/* Reading a run's folder, file by file: what the files of this room share. */
#ifndef EEX_CORE_REPORT_REPORT_LOAD_IMPL_H
#define EEX_CORE_REPORT_REPORT_LOAD_IMPL_H

#include "core/report/report.h"

bool eex__report_holds(const char *folder, const char *name);

/* What a file adds to a report. */
typedef int eex__report_loader(eex_report *report, eex_store_file *file);

eex__report_loader eex__report_load_base;
eex__report_loader eex__report_load_shared;
eex__report_loader eex__report_load_trials; /* trials behind those that are there */
eex__report_loader eex__report_load_search;
eex__report_loader eex__report_load_tau;
eex__report_loader eex__report_load_policies;
eex__report_loader eex__report_load_final;
eex__report_loader eex__report_load_result; /* behind final.h5 */

/* One value for each exit, which are known behind final.h5: out (exits). */
int eex__report_per_exit(double *out, const eex_report *report, eex_store_file *file,
                         const char *name);

/* Likewise, into the member at `offset` of each eex_report_exit. */
int eex__report_column(eex_report *report, eex_store_file *file, const char *name, size_t offset);

#endif
