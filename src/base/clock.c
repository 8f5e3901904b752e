#include "base/clock.h"

#include <stdio.h>
#include <time.h>

double eex_clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail: every Linux has this clock */
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void eex_clock_date_of(char out[EEX_DATE_SIZE], time_t moment)
{
    struct tm utc;
    if (!gmtime_r(&moment, &utc) || strftime(out, EEX_DATE_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        snprintf(out, EEX_DATE_SIZE, "1970-01-01T00:00:00Z");
}

void eex_clock_date(char out[EEX_DATE_SIZE])
{
    eex_clock_date_of(out, time(NULL));
}
