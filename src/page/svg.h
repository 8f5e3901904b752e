/* SVG as gnuplot writes it, made fit for a page: without ids, scripts and empty groups, in the
 * page's colours, with what is said of a point as its title. */
#ifndef EEX_PAGE_SVG_H
#define EEX_PAGE_SVG_H

#include "base/buffer.h"

enum { EEX_SVG_COLOURS = 8 };

/* What a script gives as colour c, from 0: in the page it is var(--cN), N from 1. */
#define EEX_SVG_COLOUR "#0101%02x"

/* Appends the picture, whose name for those who do not see it is `label`. `first`: the symbols of
 * points are defined here; a page has them once. EEX_EFORMAT: it is none of gnuplot's. */
int eex_svg_put(eex_buffer *out, const char *svg, const char *label, bool first);

#endif
