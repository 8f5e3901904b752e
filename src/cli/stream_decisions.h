/* `eex stream --decisions`: a JSON line a frame, as soon as it is known what became of it. */
#ifndef EEX_CLI_STREAM_DECISIONS_H
#define EEX_CLI_STREAM_DECISIONS_H

#include "core/model/model.h"
#include "core/use/stream.h"
#include "net/offload.h"

#include "base/buffer.h"

typedef struct eex__decisions {
    const char *path;       /* for messages */
    const eex_model *model; /* borrowed */
    eex_answerer *by;       /* (batch) who answered, filled by whoever runs them; NULL: here */
    double irrelevant;      /* share of irrelevant frames; NAN: it does not tell streams apart */
    eex_buffer lines;       /* those that are not written yet */
    int file;
    bool open, own, gone; /* own: a file made here; gone: nobody reads them any more */
    int64_t kept;         /* bytes of whole lines in a file of our own */
    uint64_t count;       /* lines that were written */
    eex_stream_listener listener;
} eex__decisions;

/* What --decisions names may be written; before any work. NULL: EEX_OK. */
int eex__decisions_check(const char *path, bool force);

/* "-" is the standard output; from then on the standard error takes all else that is printed.
 * batch: 0 where nobody but the engine here answers. */
int eex__decisions_open(eex__decisions *out, const char *path, const eex_model *model, int batch);
int eex__decisions_close(eex__decisions *d); /* accepts {0} */

#endif
