/* What a report says of the network against its cuts (policy/cuts.h): for the files of this room.
 */
#ifndef EEX_CORE_REPORT_REPORT_CUT_H
#define EEX_CORE_REPORT_REPORT_CUT_H

#include "core/report/report.h"
#include "core/report/report_words.h"

/* By the validation split, from final.h5, whose exits are known; NaN where a run of before does not
 * say what an exit costs alone. */
int eex__report_cut_final(eex_report *report, eex_store_file *file);

/* By the test split, from result.h5; NaN where a run of before does not have it. */
int eex__report_cut_result(eex_report *report, eex_store_file *file);

eex__report_words eex__report_cut; /* nothing where neither is known */

#endif
