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
    size_t dots;  /* where very many might be drawn, so many are; 0: as many as a page can have */
    bool symbols; /* of points are defined in what was drawn already */
    bool missing; /* gnuplot was, when a part of it was to be drawn */
} eex_page;

void eex_page_free(eex_page *page); /* leaves {0} */

/* Where the picture goes that the script draws, with its name for those who do not see it: here.
 * Takes over what is in `script`. */
int eex_page_add_chart(eex_page *page, eex_buffer *script, const char *label);

/* Draws a page that is to be a part of `whole`, in one go of gnuplot: out[i] (count) gets its HTML
 * from end[i - 1] to end[i], ascending, with the pictures in their places. */
int eex_page_draw(eex_buffer *out, eex_page *whole, const eex_page *part, const size_t *end,
                  size_t count);

/* The whole page, under that title. *drawn: false where gnuplot is not installed; it has its tables
 * then, unfolded, and says so. */
int eex_page_finish(eex_buffer *out, bool *drawn, eex_page *page, const char *title);

#endif
