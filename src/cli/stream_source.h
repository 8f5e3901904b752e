/* Where the frames of `eex stream` come from, by its options. */
#ifndef EEX_CLI_STREAM_SOURCE_H
#define EEX_CLI_STREAM_SOURCE_H

#include "core/data/split.h"
#include "core/frames/frames.h"
#include "core/model/model.h"

enum { EEX__MAX_SHARES = 16 };

typedef struct eex__source_options {
    const char *format, *size, *drop, *fit;
    const char *irrelevant, *ood, *data, *split; /* of simulated video */
    double fps;
    int64_t queue, frames, seed;
    const char *written; /* what --decisions writes, or NULL */
} eex__source_options;

typedef struct eex__source {
    const eex__source_options *o;
    const eex_model *model; /* borrowed */
    const char *run;        /* what the model was called */
    const char *path;       /* "simulated" and the like */
    eex_frame_shape shape;
    bool simulated, input; /* input: the standard one */
    int width, height;     /* of raw frames */
    eex_drop drop;
    double share[EEX__MAX_SHARES];
    int shares; /* at least 1 */
    eex_dataset *data, *foreign;
    eex_index part, foreign_part;
} eex__source;

/* Whether what the path names is there. EEX_ENOTFOUND. */
int eex__source_find(const char *path);

/* Checks the options against each other and opens the data sets. */
int eex__source_open(eex__source *out, const char *run, const char *path, const eex_model *model,
                     const eex__source_options *o);
void eex__source_close(eex__source *source);

/* The frames of share number i; EEX_EINVAL where what is written would replace one of them. alone:
 * nothing else may work while frames are timed, so they are fetched in between. */
int eex__source_frames(eex_frames **out, const eex__source *source, int i, bool alone);

#endif
