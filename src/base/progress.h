/* Progress of long work, on stderr: a bar with rate and remaining time on a terminal, otherwise a
 * plain line about every ten seconds and one at the end, and nothing at all for work that took less
 * than two seconds.
 *
 * Two levels may be open at once (a trial within a search); deeper ones are allowed and not shown.
 * Calls from several threads do not harm, but belong to one stack. */
#ifndef EEX_BASE_PROGRESS_H
#define EEX_BASE_PROGRESS_H

#include <stdint.h>

/* Opens a level. total 0: not known beforehand. unit is the plural of what is counted ("images");
 * NULL shows no rate. Both strings are copied. */
void eex_progress_begin(const char *title, uint64_t total, const char *unit);

/* Continues work of which `done` was done earlier: it counts for the bar, not for the rate. */
void eex_progress_skip(uint64_t done);

/* Reports the innermost level: `done` of the total, and a short note (printf-style; NULL keeps the
 * last one) of parts with ", " between them, what tells most first: "loss 0.31, epoch 3/12". Where
 * a line is too short, the last parts go, after bar, rate and count. Cheap enough for every batch.
 */
void eex_progress_update(uint64_t done, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Closes the innermost level. */
void eex_progress_end(void);

/* For log.c: takes the progress line off the terminal and keeps other threads from stderr, then
 * puts it back. Always in pairs. */
void eex__progress_hide(void);
void eex__progress_show(void);

#endif
