/* What `eex stream` says at the end. */
#ifndef EEX_CLI_PRINT_STREAM_H
#define EEX_CLI_PRINT_STREAM_H

#include "core/model/model.h"
#include "core/use/stream.h"
#include "net/offload.h"

#include <math.h>

typedef struct eex__stream_facts {
    const eex_model *model, *base; /* base: NULL without --compare */
    const char *source;
    const char *split; /* that the frames of a simulated video are from; NULL: another source */
    int batch;
    const char *server;                   /* NULL without --remote */
    const eex_offload_figures *offloaded; /* likewise */
    double fps;
    bool rejects;          /* the policy can */
    const char *unwatched; /* why drift is not, or NULL */
} eex__stream_facts;

/* One stream: figures, exits, rejections, drift and how it went over time. share: of irrelevant
 * frames in a simulated video, NAN otherwise. */
int eex__stream_print(const eex__stream_facts *facts, const eex_stream *s, double share);

/* Simulated videos with different shares side by side: Table II. */
int eex__stream_print_table(const eex__stream_facts *facts, eex_stream *const *streams,
                            const double *share, int count);

/* The same as one JSON object; several streams make an array in it. */
int eex__stream_print_json(const eex__stream_facts *facts, eex_stream *const *streams,
                           const double *share, int count);

/* Of what was rejected, how much was irrelevant, and of what was irrelevant, how much was rejected;
 * NAN where that is not known. */
double eex__stream_precision(const eex_stream *s, const eex_stream_tally *t);
double eex__stream_recall(const eex_stream *s, const eex_stream_tally *t);

/* Expected multiply-accumulates of one frame, everything executed. */
double eex__stream_macs(const eex_model *model, const eex_stream_tally *t);

static inline double eex__share(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : (double)NAN;
}

#endif
