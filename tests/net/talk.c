#include "talk.h"

#include "net/link.h"
#include "support/rounds.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/status.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

talk *talk_current;

void talk_fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    abort();
}

/* ---- what the other end says ---- */

unsigned talk_next(talk *t)
{
    if (t->left == 0)
        return 0;
    t->left--;
    return *t->text++;
}

unsigned char *talk_room(talk *t, size_t size)
{
    talk_stream *s = &t->in;
    return !t->closed && size <= TALK_MOST - s->size ? s->bytes + s->size : NULL;
}

void talk_say(talk *t, size_t size)
{
    t->in.size += size;
}

void talk_say_raw(talk *t, size_t size)
{
    unsigned char *to = talk_room(t, size);
    for (size_t i = 0; to && i < size; i++)
        to[i] = (unsigned char)talk_next(t);
    talk_say(t, to ? size : 0);
}

void talk_spoil(talk *t, size_t size)
{
    const unsigned place = talk_next(t), bit = talk_next(t);
    if (size > 0 && size <= t->in.size - t->in.at)
        t->in.bytes[t->in.size - size + place % size] ^= (unsigned char)(1u << bit % 8);
}

bool talk_message(eex_message *out, talk_stream *s, eex_sender sender, uint64_t row_bytes)
{
    size_t used;
    if (eex_wire_read(out, &used, s->bytes + s->at, s->size - s->at, sender, row_bytes) < 0)
        return false;
    s->at += used;
    return used > 0;
}

/* ---- instead of src/net/link.c ---- */

void eex__link_close(eex__link *l)
{
    l->socket = -1;
}

int eex__link_read(eex__link *l, void *to, size_t size, size_t *got)
{
    talk *t = talk_current;
    const size_t there = t->in.size - (size_t)l->in;
    *got = 0;
    if (l->socket < 0)
        talk_fail("a connection is read that is none");
    if (there == 0 || size == 0)
        return there == 0 && t->closed
                   ? eex_fail(EEX_ENOTFOUND, "the other side has closed the connection")
                   : EEX_OK;
    *got = there < size ? there : size;
    memcpy(to, t->in.bytes + l->in, *got);
    l->in += *got;
    t->in.at = (size_t)l->in;
    if (t->heard)
        t->heard();
    return EEX_OK;
}

int eex__link_write(eex__link *l, const void *from, size_t size, size_t *put)
{
    talk *t = talk_current;
    talk_stream *s = &t->out;
    *put = size < t->room ? size : t->room;
    if (l->socket < 0)
        talk_fail("something is sent on a connection that is none");
    if (*put > TALK_MOST - s->size) {
        *put = 0;
        return eex_fail(EEX_EIO, "connection: the text is over");
    }
    memcpy(s->bytes + s->size, from, *put);
    s->size += *put;
    t->room -= *put;
    l->out += *put;
    return EEX_OK;
}

/* ---- instead of the clock ---- */

double __wrap_eex_clock_seconds(void);
double __wrap_eex_clock_seconds(void)
{
    return talk_current ? talk_current->now : 0;
}

/* ---- texts ---- */

#ifdef EEX_GUIDED

#include "support/guided.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    eex_log_set_level(EEX_LOG_ERROR);
    talk_play(data, size);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    return LLVMFuzzerMutate(data, size, room);
}

#else

/* What is said of the others would be said millions of times.
 *
 * fuzz_net_server or fuzz_net_device [--seed N] [--round N] [--rounds N] [--seconds N] */
int main(int argc, char **argv)
{
    enum { MOST_TEXT = 400 };
    uint8_t text[MOST_TEXT];
    eex_rng rng;
    test_rounds rounds = {.seed = 1};
    eex_log_set_level(EEX_LOG_ERROR);
    for (int i = 1; i < argc; i++)
        if (!test_rounds_take(&rounds, argc, argv, &i))
            return 2;
    while (test_rounds_next(&rounds, &rng)) {
        const size_t size = 1 + eex_rng_below(&rng, MOST_TEXT);
        for (size_t i = 0; i < size; i++)
            text[i] = (uint8_t)eex_rng_below(&rng, 256);
        talk_play(text, size);
    }
    printf("%" PRIu64 " conversations\n", test_rounds_done(&rounds));
    return 0;
}

#endif
