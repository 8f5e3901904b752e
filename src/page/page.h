/* A page being made: HTML with charts, which are drawn together in the end. */
#ifndef EEX_PAGE_PAGE_H
#define EEX_PAGE_PAGE_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct eex_page {
    eex_buffer html;
    size_t charts, capacity;
    struct eex_page_chart *chart; /* (charts) */
} eex_page;

void eex_page_free(eex_page *page); /* leaves {0} */

/* Where the picture goes that the script draws, with its name for those who do not see it: here.
 * Takes over what is in `script`. */
int eex_page_add_chart(eex_page *page, eex_buffer *script, const char *label);

/* The whole page, under that title. *drawn: false where gnuplot is not installed; it has its tables
 * then, unfolded, and says so. */
int eex_page_finish(eex_buffer *out, bool *drawn, eex_page *page, const char *title);

#endif
