/* What somebody at the other end of a connection does, as a text of bytes: each says what comes
 * next. The connection itself is no socket but memory (talk.c stands in for src/net/link.c), so
 * that a conversation takes microseconds, and time passes as the text has it. */
#ifndef EEX_TESTS_NET_TALK_H
#define EEX_TESTS_NET_TALK_H

#include "net/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TALK_MOST = 1 << 14 }; /* bytes in a direction */

/* Bytes that went one way on a connection. */
typedef struct talk_stream {
    unsigned char bytes[TALK_MOST];
    size_t size, at; /* at: what the other end has had */
} talk_stream;

typedef struct talk {
    const uint8_t *text;
    size_t left;
    talk_stream in, out; /* in: to the side that is tested */
    size_t room;         /* bytes that it may send before it has to wait */
    bool closed;         /* by the other end, behind what is still to be read */
    double now;
    void (*heard)(void); /* is told when something was read; NULL */
} talk;

/* The one that goes on. */
extern talk *talk_current;

/* The next byte of the text; 0 behind its end. */
unsigned talk_next(talk *t);

/* Room in `in` for a message of that size; NULL: it is full. What is written there is said with
 * talk_say. */
unsigned char *talk_room(talk *t, size_t size);
void talk_say(talk *t, size_t size);

/* Bytes of the text as they are. */
void talk_say_raw(talk *t, size_t size);

/* A bit of what was said last is another, if nobody has heard it. */
void talk_spoil(talk *t, size_t size);

/* The next whole message of a stream; its payload lies in the stream. False: there is none. */
bool talk_message(eex_message *out, talk_stream *stream, eex_sender sender, uint64_t row_bytes);

/* Says what is wrong and ends the process. */
void talk_fail(const char *what);

/* What a fuzzer of conversations plays; no text makes it call talk_fail. */
void talk_play(const uint8_t *text, size_t size);

#endif
