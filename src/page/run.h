/* A run as its page shows it: the report, and what the report leaves out. */
#ifndef EEX_PAGE_RUN_H
#define EEX_PAGE_RUN_H

#include "core/model/model.h"
#include "core/report/curves.h"
#include "core/report/report.h"

/* What a run has trained, in the order in which it did. */
typedef enum eex_page_training {
    EEX_PAGE_BASE,
    EEX_PAGE_SHARED,
    EEX_PAGE_FINAL,
    EEX_PAGE_TRAININGS
} eex_page_training;

/* Every member may be NULL or empty where the run has not come so far. */
typedef struct eex_page_run {
    char *label; /* what tells it from the others of the page */
    eex_report *report;
    eex_model *model;                    /* the chosen network, without its weights */
    eex_trace *calibration, *validation; /* of it */
    eex_curves curves[EEX_PAGE_TRAININGS];
    struct {
        size_t count; /* test images */
        int32_t *top, *exit;
        uint8_t *rejected;
        size_t timed; /* the first so many of them have times */
        double *ms;
    } test;
    char *script, *description;
    eex_store_list sets; /* what --set changed in the script */
    int64_t threads;
} eex_page_run;

/* Reads a run's folder, finished or not; `label` is copied. */
int eex_page_run_open(eex_page_run *out, const char *folder, const char *label);
void eex_page_run_close(eex_page_run *run); /* leaves {0} */

#endif
