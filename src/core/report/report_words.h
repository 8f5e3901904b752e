/* What a report says in sentences: for the files of this room. */
#ifndef EEX_CORE_REPORT_REPORT_WORDS_H
#define EEX_CORE_REPORT_REPORT_WORDS_H

#include "core/report/report.h"

/* Each appends whole lines, of any width. */
typedef void eex__report_words(eex_buffer *out, const eex_report *report);

eex__report_words eex__report_heading; /* what was run, and how far it has come */
eex__report_words eex__report_compare; /* what leaving early costs, and what exits gain */
eex__report_words eex__report_search;  /* how much was tried */
eex__report_words eex__report_legend;  /* what the columns mean */

/* "costs 0.42 points of accuracy" of a difference of two fractions. */
void eex__report_points(eex_buffer *out, double change);
/* Whether the base is the first few epochs of what was trained on with exits: no network that one
 * would compare with. */
bool eex__report_base_is_a_start(const eex_report *report);

/* Appends them broken for `width` columns, or for EEX_WRAP_WIDTH where that is 0 or more. */
int eex__report_paragraph(eex_buffer *out, const eex_report *report, size_t width,
                          eex__report_words *words);

#endif
