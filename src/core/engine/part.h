/* A network that is cut behind an exit, so that two machines run it: the device as far as the cut,
 * the server from there (device-edge co-inference: Section III-A of the paper on early exit
 * prediction, which cuts at the last early exit). What passes the cut is the payload; float32 goes
 * as it is, and then both parts together give the bits of the engine that runs it all.
 *
 * Both are made of an engine of the whole network, which may be used besides, or of one that has
 * that part alone (eex_inference.part), cut behind the same exit. They borrow it, and are for one
 * thread at a time. */
#ifndef EEX_CORE_ENGINE_PART_H
#define EEX_CORE_ENGINE_PART_H

#include "core/engine/engine.h"

/* What passes a cut. A row is one sample: the values of plan/passing.h one behind the other, each
 * (H, W, C) float32 in little-endian order; or, in few bits, the least and the largest of its
 * elements (2 float32) and codes between them (plan/quantise.h), or the codes alone where the
 * network has quantised the value in as many bits: then nothing is lost. So what a sample becomes
 * does not depend on who is beside it.
 *
 * Where the engine has a predictor, which sees images alone, the device asks it for both parts: at
 * the end of a row is a bit for each gate behind the cut, from the lowest of a byte on, 1 where it
 * is to be computed. */
typedef struct eex_payload {
    int exit;     /* behind which the network is cut */
    int bits;     /* of a code, 1 to 8; 0: float32 */
    int values;   /* that pass */
    int gates;    /* behind the cut that a predictor is asked about; 0 without one */
    size_t bytes; /* of a row */
} eex_payload;

/* Cut behind `exit`; -1: the last early one. EEX_EINVAL: there is none, or nothing would be left
 * behind it, or there are no codes of so many bits. */
int eex_engine_payload(eex_payload *out, const eex_engine *engine, int exit, int bits);

/* Bits that lose nothing: those in which the network has quantised all that passes the cut, as
 * behind a bottleneck; else 0. `exit` as above, EEX_EINVAL too. */
int eex_engine_payload_bits(int *out, const eex_engine *engine, int exit);

/* ---- the device's part ---- */

typedef struct eex_onset eex_onset;

int eex_onset_new(eex_onset **out, eex_engine *engine, int exit, int bits);
void eex_onset_free(eex_onset *front); /* accepts NULL */

/* Runs count (1..batch of the engine) images as far as the cut. results[0..count) say how each
 * left; those of samples that nobody has accepted or rejected say what the last exit here thinks of
 * them, as if it had accepted. *stay (0..count) is how many these are. The gate at the cut is
 * computed for all who reach it, because its answer may be needed; whom the predictor would let
 * skip it stays, whatever it says. */
int eex_onset_run(eex_onset *front, eex_result *results, const uint8_t *images, int count,
                  int *stay);

/* Borrowed. Which images stayed, and their rows, until the next run. */
const eex_payload *eex_onset_payload(const eex_onset *front);
const int32_t *eex_onset_index(const eex_onset *front);      /* (stay) strictly increasing */
const unsigned char *eex_onset_rows(const eex_onset *front); /* (stay, payload.bytes) */

/* ---- the server's part ---- */

typedef struct eex_rest eex_rest;

int eex_rest_new(eex_rest **out, eex_engine *engine, int exit, int bits);
void eex_rest_free(eex_rest *rest); /* accepts NULL */
const eex_payload *eex_rest_payload(const eex_rest *rest);

/* What becomes of count (1..batch of the engine) rows behind the cut, whatever bytes they are. */
int eex_rest_run(eex_rest *rest, eex_result *results, const unsigned char *rows, int count);

#endif
