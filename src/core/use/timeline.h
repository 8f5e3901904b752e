/* How a stream went over time, in constant memory: a handful of intervals of equally many frames.
 * When they are full, every two become one. */
#ifndef EEX_CORE_USE_TIMELINE_H
#define EEX_CORE_USE_TIMELINE_H

#include "core/graph/graph.h"

#include <stdint.h>

enum { EEX_TIMELINE_ROWS = 16, EEX_TIMELINE_FIRST = 64 /* frames of an interval at first */ };

typedef struct eex_timeline_row {
    uint64_t frames, rejected;
    uint64_t left[EEX_MAX_EXITS]; /* rejected ones too */
    double ms, slowest;           /* sum and largest of the frames' latencies */
} eex_timeline_row;

/* Start it with {0}. */
typedef struct eex_timeline {
    int rows;         /* the last one may not be full */
    uint64_t per_row; /* frames */
    eex_timeline_row row[EEX_TIMELINE_ROWS];
} eex_timeline;

void eex_timeline_add(eex_timeline *t, int exit, bool rejected, double ms);

#endif
