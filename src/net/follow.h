/* Thresholds of the device's part that follow the bandwidth of the link to the server: before each
 * batch those of the settings (core/model/adaptation.h) for what the link does at that moment. */
#ifndef EEX_NET_FOLLOW_H
#define EEX_NET_FOLLOW_H

#include "core/engine/engine.h"
#include "core/model/adaptation.h"
#include "net/remote.h"

typedef struct eex_follow_figures {
    bool played;                /* from a trace of bandwidths; else measured */
    uint64_t images, batches;   /* so far; what follows is 0 without any */
    double bits;                /* a second, of the last batch */
    double least, most, mean;   /* likewise; mean: over images */
    uint64_t changes;           /* how often thresholds changed, the first ones not counted */
    uint64_t measured;          /* batches whose exchange with the server was timed */
    double required;            /* milliseconds */
    double expected;            /* mean latency of an image by the forecast, milliseconds */
    double took;                /* mean of what an image's batch took */
    double expected_sent, sent; /* the fraction of images that goes on */
} eex_follow_figures;

typedef struct eex_follow eex_follow;

/* Takes over the settings and the trace, also on failure. trace: bandwidths that are played from
 * the first batch on; one without any: they are measured. The engine runs the device's part, and is
 * borrowed. */
int eex_follow_new(eex_follow **out, eex_adaptation *settings, eex_bandwidths trace,
                   eex_engine *engine);
void eex_follow_free(eex_follow *follow); /* accepts NULL */

/* In front of a batch: other thresholds, where the bandwidth has moved by more than a twentieth. */
int eex_follow_begin(eex_follow *follow);

/* Behind it: `sent` of its `count` images were to go on, it took so many seconds, and these are the
 * figures of the connection before and behind it. */
void eex_follow_end(eex_follow *follow, int count, int sent, double seconds,
                    const eex_remote_figures *before, const eex_remote_figures *behind);

void eex_follow_look(eex_follow_figures *out, const eex_follow *follow);

#endif
