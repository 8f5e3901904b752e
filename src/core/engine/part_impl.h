/* What both parts of a network need: what passes the cut, and how a value of a sample is written
 * into a payload and read from it. */
#ifndef EEX_CORE_ENGINE_PART_IMPL_H
#define EEX_CORE_ENGINE_PART_IMPL_H

#include "core/engine/part.h"
#include "core/plan/passing.h"
#include "core/plan/quantise.h"

#include <stdbool.h>
#include <stddef.h>

/* Codes stand for levels between low and high. Where the network itself has quantised a value, in
 * as many bits, these are those of its node, which both sides know, and nothing is lost; else the
 * sample's least and largest element, which go in front of its codes. */
typedef struct eex__packing {
    size_t elements;
    int bits; /* 1 to 8; 0: float32 */
    bool known;
    float low, high; /* where they are known */
} eex__packing;

int eex__packing_of(eex__packing *out, const eex_engine *engine, const eex_passing *value,
                    int bits);
size_t eex__packed_bytes(const eex__packing *packing);
/* Of the value as it is in memory. */
size_t eex__unpacked_bytes(const eex__packing *packing);
void eex__pack(unsigned char *out, const eex__packing *packing, const unsigned char *row);
void eex__unpack(unsigned char *row, const eex__packing *packing, const unsigned char *in);

typedef struct eex__part {
    eex_engine *engine;
    eex_payload payload;
    eex__packing *packing;  /* (payload.values) */
    unsigned char *staging; /* (batch of the walk) rows of the widest value */
} eex__part;

/* eex__part_close also after a failure. */
int eex__part_open(eex__part *out, eex_engine *engine, eex_plan_side side, int exit, int bits);
void eex__part_close(eex__part *part);
/* Bytes for the predictor's bits, at the end of a payload. */
size_t eex__part_gate_bytes(const eex_payload *payload);

#endif
