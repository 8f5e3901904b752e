/* Time. Never part of a result that must be reproducible. */
#ifndef EEX_BASE_CLOCK_H
#define EEX_BASE_CLOCK_H

#include <time.h>

/* Seconds of a clock that never jumps; only differences mean something. */
double eex_clock_seconds(void);

/* Now, or another moment, in UTC as "2024-03-01T12:34:56Z". */
enum { EEX_DATE_SIZE = 32 };
void eex_clock_date(char out[EEX_DATE_SIZE]);
void eex_clock_date_of(char out[EEX_DATE_SIZE], time_t moment);

#endif
