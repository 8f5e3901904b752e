/* What the pages of runs and of sweeps share. */
#ifndef EEX_PAGE_REPORT_IMPL_H
#define EEX_PAGE_REPORT_IMPL_H

#include "page/sections.h"

/* In the order of a page. */
typedef enum eex__section {
    EEX__SECTION_SUMMARY,
    EEX__SECTION_SEARCH,
    EEX__SECTION_EXITS,
    EEX__SECTION_EXIT_TABLE,
    EEX__SECTION_TRAINING,
    EEX__SECTION_FRONT,
    EEX__SECTION_POLICY,
    EEX__SECTION_PREDICTOR,
    EEX__SECTION_IMAGES,
    EEX__SECTION_SOURCE,
    EEX__SECTIONS
} eex__section;

/* What the section is about: "exits". */
const char *eex__section_name(eex__section section);

/* That section of one run, as its own page has it. */
int eex__section_put(eex_page *page, eex__section section, const eex_page_run *run);

/* Which of those sizes fit into `room` bytes together: what tells most comes first. */
void eex__sections_choose(bool in[EEX__SECTIONS], const size_t size[EEX__SECTIONS], size_t room);

/* The sections that lay several runs on the same axes. */
int eex__sections_put_all(eex_page *page, const eex_page_run *runs, size_t count);

/* The page of a sweep's folder. */
bool eex__page_is_sweep(const char *folder);
int eex__page_sweep(eex_buffer *out, bool *drawn, const char *folder);

#endif
