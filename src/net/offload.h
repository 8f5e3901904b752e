/* A network of which the front runs here and the rest on a server: what a program does with images,
 * whether the server answers or not. */
#ifndef EEX_NET_OFFLOAD_H
#define EEX_NET_OFFLOAD_H

#include "core/engine/part.h"
#include "net/follow.h"
#include "net/remote.h"

#include "base/names.h"

/* Who has answered about an image. */
typedef enum eex_answerer {
    EEX_BY_DEVICE,   /* an exit here accepted or rejected it */
    EEX_BY_SERVER,   /* it went on there */
    EEX_BY_FALLBACK, /* it should have, and the last exit here has answered instead */
    EEX_ANSWERERS
} eex_answerer;

const eex_names *eex_answerer_names(void);
const char *eex_answerer_name(eex_answerer by);

typedef struct eex_offload_figures {
    uint64_t by[EEX_ANSWERERS]; /* images */
    eex_remote_figures remote;
    bool follows; /* thresholds follow the bandwidth: */
    eex_follow_figures follow;
} eex_offload_figures;

typedef struct eex_offload eex_offload;

/* What device and server must agree about: the model's network, policy and
 * predictor, cut so. */
int eex_offload_hello(eex_hello *out, const eex_model *model, const eex_payload *payload);

/* The engine is one of the model's, and is borrowed. exit and bits: as eex_onset_new has them;
 * remote: its hello, exits and classes are filled in here. */
int eex_offload_open(eex_offload **out, const eex_model *model, eex_engine *engine, int batch,
                     int exit, int bits, const eex_remote_options *remote);
void eex_offload_close(eex_offload *offload); /* accepts NULL */

/* From now on thresholds follow the bandwidth, which is played (`trace`), or measured where that
 * has none. Takes over both, also on failure. EEX_EINVAL: the settings are for another cut. What is
 * decided behind the cut stays as it is, so the server need not know. */
int eex_offload_follow(eex_offload *offload, eex_adaptation *settings, eex_bandwidths trace);

/* Runs count (1..batch) images through the part here, and asks nobody: before anything is timed. */
int eex_offload_warm_up(eex_offload *offload, eex_result *results, const uint8_t *images,
                        int count);

/* Runs count (1..batch) images: results in their order, and who has answered (by may be NULL). */
int eex_offload_run(eex_offload *offload, eex_result *results, eex_answerer *by,
                    const uint8_t *images, int count);

void eex_offload_look(eex_offload_figures *out, const eex_offload *offload);

#endif
