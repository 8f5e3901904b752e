#include "net/wire.h"

#include "base/status.h"
#include "base/text.h"

#include <string.h>

static const char magic[8] = {'E', 'E', 'X', 'C', 'O', 'I', 'N', 'F'};

enum { HELLO_START = sizeof magic + 2 }; /* what hellos of all versions begin with */

/* ---- numbers ---- */

static unsigned char *put(unsigned char *to, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        *to++ = (unsigned char)(value >> 8 * i);
    return to;
}

static uint64_t get(const unsigned char **from, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)(*from)[i] << 8 * i;
    *from += bytes;
    return value;
}

static unsigned char *put_float(unsigned char *to, float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return put(to, bits, 4);
}

static float get_float(const unsigned char **from)
{
    const uint32_t bits = (uint32_t)get(from, 4);
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* ---- writing ---- */

static unsigned char *put_header(unsigned char *to, eex_message_kind kind, size_t body)
{
    to = put(to, body, 4);
    to = put(to, kind, 1);
    return put(to, 0, 3);
}

size_t eex_wire_hello(unsigned char *out, const eex_hello *h)
{
    unsigned char *to = put_header(out, EEX_HELLO, EEX_WIRE_HELLO - EEX_WIRE_HEADER);
    memcpy(to, magic, sizeof magic);
    to = put(to + sizeof magic, h->version, 2);
    to = put(to, h->exit, 2);
    to = put(to, h->bits, 1);
    memcpy(to, h->predictor, sizeof h->predictor);
    to = put(to + sizeof h->predictor, h->row_bytes, 8);
    memcpy(to, h->model, sizeof h->model);
    memcpy(to + sizeof h->model, h->policy, sizeof h->policy);
    return EEX_WIRE_HELLO;
}

size_t eex_wire_welcome(unsigned char *out, int window)
{
    unsigned char *to = put_header(out, EEX_WELCOME, EEX_WIRE_WELCOME - EEX_WIRE_HEADER);
    to = put(to, EEX_WIRE_VERSION, 2);
    to = put(to, (uint64_t)window, 2);
    put(to, 0, 4);
    return EEX_WIRE_WELCOME;
}

size_t eex_wire_refused(unsigned char *out, eex_refusal why, const char *text)
{
    const size_t length = strnlen(text, EEX_WIRE_TEXT);
    unsigned char *to = put_header(out, EEX_REFUSED, 4 + length);
    to = put(to, why, 4);
    memcpy(to, text, length);
    return EEX_WIRE_HEADER + 4 + length;
}

size_t eex_wire_row(unsigned char *out, uint64_t id, const unsigned char *payload, size_t bytes)
{
    unsigned char *to = put_header(out, EEX_ROW, 8 + bytes);
    to = put(to, id, 8);
    memcpy(to, payload, bytes);
    return EEX_WIRE_ROW + bytes;
}

size_t eex_wire_result(unsigned char *out, uint64_t id, const eex_result *r)
{
    unsigned char *to = put_header(out, EEX_RESULT, EEX_WIRE_RESULT - EEX_WIRE_HEADER);
    to = put(to, id, 8);
    to = put(to, (uint32_t)r->top, 4);
    to = put(to, (uint16_t)r->exit, 2);
    to = put(to, r->decision, 1);
    to = put(to, 0, 1);
    to = put_float(to, r->confidence);
    to = put_float(to, r->margin);
    put_float(to, r->entropy);
    return EEX_WIRE_RESULT;
}

size_t eex_wire_goodbye(unsigned char *out)
{
    put_header(out, EEX_GOODBYE, 0);
    return EEX_WIRE_GOODBYE;
}

/* ---- reading ---- */

/* What the body of a kind may have: least and most bytes. */
typedef struct range {
    const char *name;
    eex_sender sender;
    uint64_t least, most;
} range;

static const range ranges[] = {
    [EEX_HELLO] = {"hello", EEX_FROM_DEVICE, HELLO_START, EEX_WIRE_HELLO_MOST},
    [EEX_WELCOME] = {"welcome", EEX_FROM_SERVER, 8, 8},
    [EEX_REFUSED] = {"refusal", EEX_FROM_SERVER, 4, 4 + EEX_WIRE_TEXT},
    [EEX_ROW] = {"row", EEX_FROM_DEVICE, 8, 8}, /* and the payload */
    [EEX_RESULT] = {"result", EEX_FROM_SERVER, 28, 28},
    [EEX_GOODBYE] = {"goodbye", EEX_FROM_SERVER, 0, 0},
};
_Static_assert(sizeof ranges / sizeof *ranges == EEX_GOODBYE + 1, "every kind has a range");

static int check_header(uint64_t body, unsigned kind, uint64_t zeros, eex_sender sender,
                        uint64_t row_bytes)
{
    if (kind < EEX_HELLO || kind > EEX_GOODBYE || zeros != 0 || ranges[kind].sender != sender)
        return eex_fail(EEX_EFORMAT,
                        "no message of the protocol: its header says kind %u and %llu bytes", kind,
                        (unsigned long long)body);
    if (kind == EEX_ROW && row_bytes == 0)
        return eex_fail(EEX_EFORMAT, "a row before the hello");
    if (kind == EEX_HELLO && row_bytes > 0)
        return eex_fail(EEX_EFORMAT, "it says hello twice");
    const range *r = &ranges[kind];
    const uint64_t payload = kind == EEX_ROW ? row_bytes : 0;
    if (body < r->least + payload || body > r->most + payload)
        return eex_fail(EEX_EFORMAT, "a %s of %llu bytes, expected %llu to %llu", r->name,
                        (unsigned long long)body, (unsigned long long)(r->least + payload),
                        (unsigned long long)(r->most + payload));
    return EEX_OK;
}

static int read_hello(eex_hello *out, const unsigned char *at, uint64_t body)
{
    *out = (eex_hello){.version = 0};
    if (memcmp(at, magic, sizeof magic) != 0)
        return eex_fail(EEX_EFORMAT, "a hello that does not begin as one");
    at += sizeof magic;
    out->version = (uint16_t)get(&at, 2);
    if (out->version != EEX_WIRE_VERSION)
        return EEX_OK;
    if (body != EEX_WIRE_HELLO - EEX_WIRE_HEADER)
        return eex_fail(EEX_EFORMAT, "a hello of %llu bytes, expected %d", (unsigned long long)body,
                        EEX_WIRE_HELLO - EEX_WIRE_HEADER);
    out->exit = (uint16_t)get(&at, 2);
    out->bits = (uint8_t)get(&at, 1);
    memcpy(out->predictor, at, sizeof out->predictor);
    at += sizeof out->predictor;
    out->row_bytes = get(&at, 8);
    memcpy(out->model, at, sizeof out->model);
    memcpy(out->policy, at + sizeof out->model, sizeof out->policy);
    return EEX_OK;
}

static int read_welcome(eex_message *out, const unsigned char *at)
{
    out->as.welcome.version = (uint16_t)get(&at, 2);
    out->as.welcome.window = (uint16_t)get(&at, 2);
    return out->as.welcome.window > 0 ? EEX_OK
                                      : eex_fail(EEX_EFORMAT, "a welcome with room for no row");
}

static int read_refused(eex_message *out, const unsigned char *at, uint64_t body)
{
    const size_t length = (size_t)body - 4;
    out->as.refused.why = (int)(get(&at, 4) & INT32_MAX);
    memcpy(out->as.refused.text, at, length);
    out->as.refused.text[length] = '\0';
    eex_text_disarm(out->as.refused.text, "");
    return EEX_OK;
}

static int read_result(eex_message *out, const unsigned char *at)
{
    eex_result *r = &out->as.result.result;
    out->as.result.id = get(&at, 8);
    r->top = (int32_t)(uint32_t)get(&at, 4);
    r->exit = (int32_t)get(&at, 2);
    const unsigned decision = (unsigned)get(&at, 1);
    at++;
    r->confidence = get_float(&at);
    r->margin = get_float(&at);
    r->entropy = get_float(&at);
    r->decision = decision == EEX_REJECT ? EEX_REJECT : EEX_ACCEPT;
    if (decision != EEX_ACCEPT && decision != EEX_REJECT)
        return eex_fail(EEX_EFORMAT, "a result that decides %u", decision);
    return EEX_OK;
}

static int read_body(eex_message *out, const unsigned char *at, uint64_t body)
{
    switch (out->kind) {
    case EEX_HELLO:
        return read_hello(&out->as.hello, at, body);
    case EEX_WELCOME:
        return read_welcome(out, at);
    case EEX_REFUSED:
        return read_refused(out, at, body);
    case EEX_RESULT:
        return read_result(out, at);
    case EEX_ROW:
        out->as.row.id = get(&at, 8);
        out->as.row.payload = at;
        return EEX_OK;
    default:
        return EEX_OK;
    }
}

int eex_wire_read(eex_message *out, size_t *used, const unsigned char *bytes, size_t size,
                  eex_sender sender, uint64_t row_bytes)
{
    *used = 0;
    if (size < EEX_WIRE_HEADER)
        return EEX_OK;
    const unsigned char *at = bytes;
    const uint64_t body = get(&at, 4);
    const unsigned kind = (unsigned)get(&at, 1);
    EEX_TRY(check_header(body, kind, get(&at, 3), sender, row_bytes));
    if (size - EEX_WIRE_HEADER < body)
        return EEX_OK;
    out->kind = (eex_message_kind)kind;
    EEX_TRY(read_body(out, at, body));
    *used = EEX_WIRE_HEADER + (size_t)body;
    return EEX_OK;
}
