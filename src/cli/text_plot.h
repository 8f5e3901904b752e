/* Plots of characters, for terminals. */
#ifndef EEX_CLI_TEXT_PLOT_H
#define EEX_CLI_TEXT_PLOT_H

#include "base/buffer.h"

#include <stddef.h>

typedef struct eex_text_series {
    char mark;
    const double *x, *y; /* (count) what is not finite is left out */
    size_t count;
} eex_text_series;

enum { EEX_TEXT_PLOT_LEAST = 30 }; /* columns: nothing is drawn in fewer */

/* Appends a plot of `rows` rows under a title, within `width` columns (0: 74). y are percents, x
 * amounts; later series lie above earlier ones. Nothing where there are not two points. */
void eex_text_plot(eex_buffer *out, const char *title, const eex_text_series *series, size_t count,
                   size_t width, int rows);

#endif
