#include "core/exchange/proto.h"

#include <string.h>

enum { VARINT = 0, LENGTH = 2, FIXED32 = 5 };

static void put_varint(eex_buffer *out, uint64_t value)
{
    for (; value > 0x7f; value >>= 7)
        eex_buffer_putc(out, (char)(value | 0x80));
    eex_buffer_putc(out, (char)value);
}

static void put_tag(eex_buffer *out, int field, int type)
{
    put_varint(out, (uint64_t)field << 3 | (uint64_t)type);
}

void eex__proto_int(eex_buffer *out, int field, int64_t value)
{
    put_tag(out, field, VARINT);
    put_varint(out, (uint64_t)value);
}

void eex__proto_float(eex_buffer *out, int field, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_tag(out, field, FIXED32);
    for (int i = 0; i < 4; i++)
        eex_buffer_putc(out, (char)(bits >> (8 * i)));
}

void eex__proto_bytes(eex_buffer *out, int field, const void *data, size_t size)
{
    put_tag(out, field, LENGTH);
    put_varint(out, size);
    eex_buffer_append(out, data, size);
}

void eex__proto_text(eex_buffer *out, int field, const char *text)
{
    eex__proto_bytes(out, field, text, strlen(text));
}

/* Five bytes hold any such length, and readers take leading zeros; so the content needs no buffer
 * of its own. */
enum { ROOM = 5 };

size_t eex__proto_open(eex_buffer *out, int field)
{
    put_tag(out, field, LENGTH);
    eex_buffer_fill(out, 0, ROOM);
    return out->size;
}

void eex__proto_close(eex_buffer *out, size_t opened)
{
    uint64_t length = out->size - opened;
    if (out->failed)
        return;
    for (int i = 0; i < ROOM; i++, length >>= 7)
        out->data[opened - ROOM + (size_t)i] = (char)((length & 0x7f) | (i < ROOM - 1 ? 0x80 : 0));
}
