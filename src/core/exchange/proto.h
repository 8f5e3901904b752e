/* Writes protobuf's wire format (protobuf.dev/programming-guides/encoding), field by field. Memory
 * failures stick in the buffer. */
#ifndef EEX_CORE_EXCHANGE_PROTO_H
#define EEX_CORE_EXCHANGE_PROTO_H

#include "base/buffer.h"

#include <stdint.h>

void eex__proto_int(eex_buffer *out, int field, int64_t value);
void eex__proto_float(eex_buffer *out, int field, float value);
void eex__proto_bytes(eex_buffer *out, int field, const void *data, size_t size);
void eex__proto_text(eex_buffer *out, int field, const char *text);

/* A message within: what is written between these is its content. It is shorter than 2^32 bytes. */
size_t eex__proto_open(eex_buffer *out, int field);
void eex__proto_close(eex_buffer *out, size_t opened);

#endif
