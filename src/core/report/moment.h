/* Where a run is now, from its folder alone: nothing is locked, nothing is written. */
#ifndef EEX_CORE_REPORT_MOMENT_H
#define EEX_CORE_REPORT_MOMENT_H

#include "core/report/curves.h"
#include "core/report/report.h"
#include "core/run/phase.h"

typedef struct eex_moment {
    bool done[EEX_PHASES];
    eex_phase at;  /* at work, or next; EEX_PHASES: the run is finished */
    long process;  /* that is at work on it; 0: none of this machine; -1: the system does not say */
    int64_t count; /* of what the phase at work counts, */
    int64_t total; /* of so many; 0: not known */
    const char *of;     /* "epochs", "trials"; NULL: it counts nothing */
    eex_curves curves;  /* of the training at work, else of the last one that is done */
    eex_phase training; /* whose they are; where there are some */
} eex_moment;

/* The report is that of the same folder. */
int eex_moment_look(eex_moment *out, const eex_report *report);
void eex_moment_free(eex_moment *moment); /* leaves {0} */

#endif
