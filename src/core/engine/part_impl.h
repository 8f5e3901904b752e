/* How one value of one sample is written into a payload and read from it. */
#ifndef EEX_CORE_ENGINE_PART_IMPL_H
#define EEX_CORE_ENGINE_PART_IMPL_H

#include "core/plan/passing.h"
#include "core/plan/quantise.h"

#include <stddef.h>

/* bits: 1 to 8, or 0 for float32. */
size_t eex__packed_bytes(const eex_passing *value, int bits);
void eex__pack(unsigned char *out, const eex_passing *value, const unsigned char *row, int bits);
void eex__unpack(unsigned char *row, const eex_passing *value, const unsigned char *in, int bits);

#endif
