/* Pictures, drawn by gnuplot. */
#ifndef EEX_PAGE_PLOT_H
#define EEX_PAGE_PLOT_H

#include "base/buffer.h"

#include <stddef.h>

/* Whether `path` names a picture that can be drawn: EEX_EINVAL says which there are, EEX_ENOTFOUND
 * that gnuplot, which draws them, is not installed. */
int eex_plot_check(const char *path);

/* Runs gnuplot on a script that sets everything but terminal and output, and writes `path`
 * atomically. EEX_ENOTFOUND when gnuplot is not installed. */
int eex_plot(const char *path, const char *script);

/* Draws `count` scripts as SVG texts into out (count), each `width` by `height` units, in one go of
 * gnuplot and without any file. A script sets everything but terminal and output. EEX_ENOTFOUND
 * when gnuplot is not installed, EEX_EINTERRUPTED after a signal. */
int eex_plot_texts(eex_buffer *out, const eex_buffer *scripts, size_t count, int width, int height);

#endif
