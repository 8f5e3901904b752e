/* Pictures, drawn by gnuplot. */
#ifndef EEX_CLI_PLOT_H
#define EEX_CLI_PLOT_H

#include "base/buffer.h"

/* Whether `path` names a picture that can be drawn: EEX_EINVAL says which there are, EEX_ENOTFOUND
 * that gnuplot, which draws them, is not installed. */
int eex_plot_check(const char *path);

/* Runs gnuplot on a script that sets everything but terminal and output, and writes `path`
 * atomically. EEX_ENOTFOUND when gnuplot is not installed. */
int eex_plot(const char *path, const char *script);

#endif
