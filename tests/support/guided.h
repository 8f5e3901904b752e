/* What libFuzzer calls, and what it gives; see scripts/fuzz_guided.sh. */
#ifndef EEX_TESTS_SUPPORT_GUIDED_H
#define EEX_TESTS_SUPPORT_GUIDED_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);

#endif
