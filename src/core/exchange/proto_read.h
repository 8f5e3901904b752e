/* Reads protobuf's wire format within the bytes that there are. */
#ifndef EEX_CORE_EXCHANGE_PROTO_READ_H
#define EEX_CORE_EXCHANGE_PROTO_READ_H

#include "core/exchange/onnx_file.h"

typedef struct eex__proto_field {
    int number;
    bool within; /* it has content; otherwise a value, of 64 bits at most */
    uint64_t value;
    eex__text content;
} eex__proto_field;

/* The next field of a message, whose rest is left in *message. 1, 0 at the end, EEX_EFORMAT. */
int eex__proto_next(eex__proto_field *out, eex__text *message);

/* The next of packed varints: 1, 0, EEX_EFORMAT. */
int eex__proto_varint(uint64_t *out, eex__text *from);

#endif
