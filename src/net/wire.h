/* The messages between a device and a server that run parts of one network (docs/co-inference.md):
 * how they are written and read. Nothing here knows of sockets; what is read may be anything.
 *
 * A message is a header of 8 bytes, the body's size (4) and its kind (1), three zeros, and then the
 * body. Numbers are little-endian, floats IEEE 754 binary32. What a kind's size may be is known
 * from its header on, so that nobody waits, or gets memory, for what a header merely promises. */
#ifndef EEX_NET_WIRE_H
#define EEX_NET_WIRE_H

#include "device/decide.h"

#include "base/sha256.h"

#include <stddef.h>
#include <stdint.h>

enum {
    EEX_WIRE_VERSION = 1,
    EEX_WIRE_HEADER = 8,
    EEX_WIRE_HELLO_MOST = 256, /* the body of a hello of any version */
    EEX_WIRE_TEXT = 400,       /* of a refusal */
    EEX_WIRE_PREDICTOR = 3,    /* bytes that tell predictors apart */
    /* Whole messages. */
    EEX_WIRE_HELLO = EEX_WIRE_HEADER + 88,
    EEX_WIRE_WELCOME = EEX_WIRE_HEADER + 8,
    EEX_WIRE_REFUSED_MOST = EEX_WIRE_HEADER + 4 + EEX_WIRE_TEXT,
    EEX_WIRE_ROW = EEX_WIRE_HEADER + 8, /* and the payload */
    EEX_WIRE_RESULT = EEX_WIRE_HEADER + 28,
    EEX_WIRE_GOODBYE = EEX_WIRE_HEADER
};
enum { EEX_WIRE_ROW_MOST = 1 << 28 }; /* bytes of a payload */

typedef enum eex_message_kind {
    EEX_HELLO = 1, /* device: who it is; the first message */
    EEX_WELCOME,   /* server: go on */
    EEX_REFUSED,   /* server: why not; the last message */
    EEX_ROW,       /* device: what passed the cut, of one sample */
    EEX_RESULT,    /* server: what became of it */
    EEX_GOODBYE    /* server: it ends, or the device was idle; the last message */
} eex_message_kind;

typedef enum eex_refusal {
    EEX_REFUSED_VERSION = 1, /* of the protocol */
    EEX_REFUSED_MODEL,       /* another network, other weights, another precision */
    EEX_REFUSED_POLICY,      /* other thresholds behind the cut */
    EEX_REFUSED_CUT,         /* cut elsewhere, or another payload */
    EEX_REFUSED_BEHAVIOUR,   /* garbage, flooding, stalling */
    EEX_REFUSED_FULL         /* as many devices as it serves are there */
} eex_refusal;

/* What both sides must agree about. */
typedef struct eex_hello {
    uint16_t version;
    uint16_t exit;                         /* behind which the network is cut, from 0 */
    uint8_t bits;                          /* of the payload's codes; 0: float32 */
    uint8_t predictor[EEX_WIRE_PREDICTOR]; /* zeros: none; else what its fingerprint begins with */
    uint64_t row_bytes;                    /* of the payload of a sample */
    uint8_t model[EEX_SHA256_BYTES];       /* model_print.h */
    uint8_t policy[EEX_SHA256_BYTES]; /* likewise, behind the cut, with all of the predictor's */
} eex_hello;

typedef struct eex_message {
    eex_message_kind kind;
    union {
        eex_hello hello; /* of another version: that number, and zeros */
        struct {
            uint16_t version;
            uint16_t window; /* rows that may be under way at once, at least 1 */
        } welcome;
        struct {
            int why;                      /* an eex_refusal, or what a later version may say */
            char text[EEX_WIRE_TEXT + 1]; /* disarmed */
        } refused;
        struct {
            uint64_t id;
            const unsigned char *payload; /* (row_bytes), within the bytes that were read */
        } row;
        struct {
            uint64_t id;
            eex_result result; /* exit and class are whatever was sent */
        } result;
    } as;
} eex_message;

/* ---- reading ---- */

typedef enum eex_sender { EEX_FROM_DEVICE, EEX_FROM_SERVER } eex_sender;

/* Reads the message that bytes[0..size) begin with. *used: its size; 0: it is not all there yet. A
 * device says hello first, with row_bytes 0, and then sends rows with so many bytes of payload.
 * EEX_EFORMAT says what is wrong, as soon as the header tells. */
int eex_wire_read(eex_message *out, size_t *used, const unsigned char *bytes, size_t size,
                  eex_sender sender, uint64_t row_bytes);

/* ---- writing: each returns the bytes that it has written ---- */

size_t eex_wire_hello(unsigned char *out, const eex_hello *hello);
size_t eex_wire_welcome(unsigned char *out, int window);
size_t eex_wire_refused(unsigned char *out, eex_refusal why, const char *text); /* cut if long */
size_t eex_wire_row(unsigned char *out, uint64_t id, const unsigned char *payload, size_t bytes);
size_t eex_wire_result(unsigned char *out, uint64_t id, const eex_result *result);
size_t eex_wire_goodbye(unsigned char *out);

#endif
