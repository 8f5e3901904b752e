/* What a cut network costs on either side: what the latency model (policy/link.h) is told. */
#ifndef EEX_CORE_ENGINE_PART_COSTS_H
#define EEX_CORE_ENGINE_PART_COSTS_H

#include "core/engine/part.h"
#include "core/graph/cost.h"
#include "core/policy/link.h"

/* The model cut behind `exit` (-1: the last early one), as eex_engine_payload has it: out->exits is
 * that exit's number, from 1, and one more for the end. What lies between the exit's point and what
 * passes it, an encoder, is the device's; the end's own gate is none. No predictor is charged.
 * `bytes` are those of a payload with codes of so many bits, 0 for float32. */
int eex_part_costs(eex_parts *out, const eex_model *model, int exit, int bits,
                   eex_convention convention);

/* eex_engine_payload_bits of a model. */
int eex_part_bits(int *out, const eex_model *model, int exit);

#endif
