/* How one value of one sample is written into a payload and read from it. */
#ifndef EEX_CORE_ENGINE_PART_IMPL_H
#define EEX_CORE_ENGINE_PART_IMPL_H

#include "core/engine/engine.h"
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
void eex__pack(unsigned char *out, const eex__packing *packing, const unsigned char *row);
void eex__unpack(unsigned char *row, const eex__packing *packing, const unsigned char *in);

#endif
