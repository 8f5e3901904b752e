/* Streams: a model on frames that come one after the other, and what is to be said about that, in
 * constant memory. With a second model, both see the very same frames by turns. */
#ifndef EEX_CORE_USE_STREAM_H
#define EEX_CORE_USE_STREAM_H

#include "core/engine/engine.h"
#include "core/frames/frames.h"
#include "core/use/drift.h"
#include "core/use/histogram.h"
#include "core/use/timeline.h"

/* How one model did. A frame's latency is the time that its batch took in the engine. */
typedef struct eex_stream_tally {
    int exits;
    uint64_t frames;
    uint64_t left[EEX_MAX_EXITS], rejected_at[EEX_MAX_EXITS]; /* left: rejected ones too */
    uint64_t rejected, low_rejected, foreign_rejected;        /* by what they were, where known */
    uint64_t labelled, right; /* relevant frames with a label; right: accepted as that */
    double seconds;           /* in the engine, over all frames */
    eex_histogram latency;    /* milliseconds */
} eex_stream_tally;

typedef struct eex_stream {
    uint64_t frames, skipped, dropped; /* classified; not usable; gone in a queue */
    uint64_t relevant, low, foreign;   /* of those classified, where known */
    double seconds; /* from the wait for the first frame to the last one's decision */
    eex_stream_tally model, base, full; /* full: the model with nobody leaving early */
    eex_speedup speedup; /* over the base by the clock: a race on frames of this stream; UNKNOWN
                          * without a base, and where the stream was interrupted or broke off */
    int raced, rounds;   /* frames of that race, and its rounds */
    eex_histogram delay; /* milliseconds from arrival to decision, for frames that arrive */
    eex_timeline timeline;
    bool watched; /* drift is one */
    eex_drift drift;
} eex_stream;

/* What became of one frame. */
typedef struct eex_stream_event {
    uint64_t number;          /* its place in the source, from 0 */
    const eex_frame *frame;   /* NULL: it was dropped by a queue */
    const eex_result *result; /* NULL: not classified */
    int place;                /* among those that were classified together, from 0 */
    double seconds;           /* since the stream began */
    double ms;                /* that its batch took; NAN: not classified */
    double delay_ms;          /* from arrival to decision; NAN: it was fetched when it was wanted */
} eex_stream_event;

/* Who is told of each frame. Frames that were skipped or dropped are told of when the next one is
 * taken, the others when their batch is done. A failure ends the stream. */
typedef struct eex_stream_listener {
    int (*tell)(void *context, const eex_stream_event *event);
    int (*flush)(void *context); /* what was told of is all that is known now */
    void *context;
} eex_stream_listener;

typedef struct eex_stream_options {
    int batch, exits, base_exits; /* of the engines */
    size_t image_bytes;
    uint64_t frames; /* at most; 0: all */
    eex_engine
        *full; /* the model's network without a policy, beside a base; NULL: it does not run */
    /* Who classifies for the model in place of its engine, as that does; NULL: that. */
    int (*classify)(void *context, eex_result *results, const uint8_t *images, int count);
    /* With it: what is run before anything is timed, likewise. NULL: the engine. */
    int (*warm_up)(void *context, eex_result *results, const uint8_t *images, int count);
    void *context;
    const eex_stream_listener *listener; /* borrowed; NULL: nobody */
    bool live;                           /* a batch is what is there, not what will come */
    bool quiet;                          /* no warnings about drift and skipped frames */
} eex_stream_options;

/* Without any figures; the caller frees it. NULL with the message set. */
eex_stream *eex_stream_new(void);

/* Runs both on noise, so that the first frames are not timed while memory is touched and clocks go
 * up. To be done before frames that come at a rate are opened: theirs run from then on. `base` may
 * be NULL. */
int eex_stream_warm_up(eex_engine *model, eex_engine *base, const eex_stream_options *options);

/* Runs until the frames end. `base` may be NULL; else the two race at the end (race.h), on up to
 * 1,024 frames and 32 MiB of them, or one batch where that is more, from all over the stream: not
 * longer than 10 seconds or 5 rounds. Adds to what `s` has; s->drift is begun by the
 * caller who wants it. Warns about skipped frames (the first few) and about drift, and shows
 * progress. When the frames fail or EEX_EINTERRUPTED comes, `s` is complete up to there: what was
 * already taken is classified and counted. */
int eex_stream_run(eex_stream *s, eex_frames *frames, eex_engine *model, eex_engine *base,
                   const eex_stream_options *options);

#endif
