#include "core/exchange/proto_read.h"

#include "base/status.h"

enum { VARINT = 0, FIXED64 = 1, LENGTH = 2, FIXED32 = 5 };

static int broken(const char *what)
{
    return eex_fail(EEX_EFORMAT, "%s: the file is damaged, or no ONNX file", what);
}

int eex__proto_varint(uint64_t *out, eex__text *from)
{
    uint64_t value = 0;
    if (from->size == 0)
        return 0;
    for (int shift = 0; shift < 64; shift += 7) {
        if (from->size == 0)
            return broken("a number goes on behind its message");
        const uint8_t byte = (uint8_t)*from->at++;
        from->size--;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *out = value;
            return 1;
        }
    }
    return broken("a number of more than 64 bits");
}

static int read_fixed(uint64_t *out, eex__text *from, size_t bytes)
{
    *out = 0;
    if (from->size < bytes)
        return broken("a number goes on behind its message");
    for (size_t i = 0; i < bytes; i++)
        *out |= (uint64_t)(uint8_t)from->at[i] << (8 * i);
    from->at += bytes;
    from->size -= bytes;
    return 1;
}

static int read_content(eex__proto_field *f, eex__text *message)
{
    if (eex__proto_varint(&f->value, message) != 1 || f->value > message->size)
        return broken("a field is longer than its message");
    f->within = true;
    f->content = (eex__text){message->at, (size_t)f->value};
    message->at += f->value;
    message->size -= (size_t)f->value;
    return 1;
}

int eex__proto_next(eex__proto_field *f, eex__text *message)
{
    uint64_t tag = 0;
    const int code = eex__proto_varint(&tag, message);
    if (code != 1)
        return code;
    if (tag >> 3 == 0 || tag >> 3 > 1 << 20)
        return broken("a field without a number");
    *f = (eex__proto_field){.number = (int)(tag >> 3)};
    switch (tag & 7) {
    case VARINT:
        return eex__proto_varint(&f->value, message) == 1 ? 1 : broken("a field without a value");
    case FIXED64:
        return read_fixed(&f->value, message, 8);
    case FIXED32:
        return read_fixed(&f->value, message, 4);
    case LENGTH:
        return read_content(f, message);
    default:
        return broken("a field of a kind that is not used");
    }
}
