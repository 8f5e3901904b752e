/* The page of runs or of a sweep: what `eex report` writes. */
#ifndef EEX_PAGE_REPORT_H
#define EEX_PAGE_REPORT_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

enum { EEX_PAGE_RUNS = 24 }; /* of one page, each in full up to EEX_PAGE_WHOLE of them */
enum { EEX_PAGE_WHOLE = 8 };

/* Whether the folders hold runs, or the only one a sweep. EEX_ENOTFOUND; EEX_EINVAL: what a page
 * does not show together. */
int eex_page_find(const char *const *folders, size_t count);

/* Folders of runs, or one of a sweep. *drawn as in page.h. EEX_EINVAL: too many. */
int eex_page_report(eex_buffer *out, bool *drawn, const char *const *folders, size_t count);

#endif
