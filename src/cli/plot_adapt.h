/* The ways of `eex adapt` as a picture. */
#ifndef EEX_CLI_PLOT_ADAPT_H
#define EEX_CLI_PLOT_ADAPT_H

#include "core/policy/adapted.h"

/* Mean latency and accuracy of every way over the bandwidth; over the moments of a trace where one
 * was played. Errors as eex_plot. */
int eex_plot_adapted(const char *path, const eex_adapted *adapted);

#endif
