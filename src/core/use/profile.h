/* Profiles: where the time of a network goes, layer by layer and exit by exit, and how much of what
 * exits save on paper they save in time. */
#ifndef EEX_CORE_USE_PROFILE_H
#define EEX_CORE_USE_PROFILE_H

#include "core/engine/engine.h"

enum { EEX_PROFILE_BATCHES = 2 };

/* What one operation of the lowered network does and takes. */
typedef struct eex_profile_op {
    const char *name;                  /* of the node it came from; borrowed from the model */
    const char *kind;                  /* "conv", "depthwise", "linear", "pool", ...: static */
    int segment;                       /* the exit it leads to, from 0 */
    double macs;                       /* of one input */
    double bytes[EEX_PROFILE_BATCHES]; /* read and written for `rows` of them, caches left out */
    double ms[EEX_PROFILE_BATCHES];    /* of `rows` inputs, all of which get there */
} eex_profile_op;

/* Base and adaptive network on the same images, in turns (race.h). */
typedef struct eex_profile_speed {
    int batch, images;     /* images 0: not measured */
    eex_latency base, own; /* milliseconds of one image */
    eex_speedup realised;  /* by the clock: mean of the base over mean of the network */
    double theoretical;    /* the same in MACs, everything executed, for the same images */
} eex_profile_speed;

typedef struct eex_profile {
    int exits, ops;
    int batches, batch[EEX_PROFILE_BATCHES]; /* 1, and what was asked for unless that is 1, too */
    int rows[EEX_PROFILE_BATCHES];           /* inputs of a batch that pass the network together */
    eex_profile_op *op;
    double exit_ms[EEX_MAX_EXITS];                /* of one image that leaves at each exit */
    double exit_macs[EEX_MAX_EXITS];              /* likewise, everything executed */
    double share[EEX_MAX_EXITS];                  /* fraction of the images that leaves there */
    double accuracy[EEX_MAX_EXITS];               /* of those; NAN: none do */
    int images;                                   /* behind these */
    double base_ms, base_macs;                    /* NAN: no base */
    eex_profile_speed speed[EEX_PROFILE_BATCHES]; /* like `batch` */
    int rounds;                                   /* behind all times */
    bool disturbed;                               /* rounds of any of them disagree: base/laps.h */
} eex_profile;

typedef struct eex_profile_options {
    const eex_model *model, *base; /* on a device; base may be NULL */
    const uint8_t *images;         /* (count, H, W, C), at least 1 */
    const int32_t *labels;         /* (count) */
    int count;
    int batch;  /* at most count */
    int rounds; /* of each measurement, at least EEX_LAPS_ROUNDS_MIN; lower quartiles are told */
} eex_profile_options;

/* Measures everything, and warns once where rounds disagree. EEX_EINTERRUPTED once a signal came.
 */
int eex_profile_new(eex_profile **out, const eex_profile_options *options);
void eex_profile_free(eex_profile *profile); /* accepts NULL */

/* What an operation is called, how many multiply-accumulates it does for one input, and how many
 * bytes it reads and writes for a batch. */
const char *eex_profile_kind(const eex_op *op);
double eex_profile_macs(const eex_op *op);
double eex_profile_bytes(const eex_op *op, int batch);

#endif
