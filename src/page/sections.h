/* The sections of a page, each appended where there is something to show. Those of several runs lay
 * them on the same axes; colour i is run i. */
#ifndef EEX_PAGE_SECTIONS_H
#define EEX_PAGE_SECTIONS_H

#include "core/sweep/collect.h"
#include "page/page.h"
#include "page/run.h"

typedef int eex_page_of_runs(eex_page *page, const eex_page_run *runs, size_t count);

eex_page_of_runs eex_page_put_summary;  /* figures of the test split */
eex_page_of_runs eex_page_put_search;   /* trials, fronts, hypervolume */
eex_page_of_runs eex_page_put_exits;    /* where images leave, what that takes and is worth */
eex_page_of_runs eex_page_put_training; /* epochs */

/* Charts of the section about exits, without a heading: accuracy against cost over all thresholds;
 * calibration errors. */
eex_page_of_runs eex_page_put_budget, eex_page_put_errors;

typedef int eex_page_of_run(eex_page *page, const eex_page_run *run);

eex_page_of_run eex_page_put_exit_table;
eex_page_of_run eex_page_put_front;     /* networks of the front on the test split */
eex_page_of_run eex_page_put_predictor; /* what the exit predictor is worth */
eex_page_of_run eex_page_put_policy;    /* thresholds by class, reliability */
eex_page_of_run eex_page_put_images;    /* that left at each exit, were rejected, or got wrong */
eex_page_of_run eex_page_put_source;    /* the experiment, and where it ran */

/* What became of a sweep: means over its seeds. */
int eex_page_put_sweep(eex_page *page, const eex_collection *collection);

#endif
