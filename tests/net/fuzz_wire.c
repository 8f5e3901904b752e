/* Messages that were damaged on purpose, in streams of them: the decoder must end, and look at
 * nothing beyond what it was given.
 *
 * fuzz_net_wire [--seed N] [--round N] [--rounds N] [--seconds N]
 *
 * A round is a stream of good messages of either side of which bytes are changed, left out or
 * doubled; it is read in pieces, each from memory of exactly its size, as sockets give it. Whatever
 * counts as a message must be what is written as those bytes again, but for bytes that carry
 * nothing. A round that crashes is named, and so called begins with it.
 *
 * scripts/fuzz_guided.sh makes another program of it, which keeps what reaches new code
 * (libFuzzer). */
#include "net/wire.h"
#include "support/rounds.h"

#include "base/rng.h"
#include "base/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STREAM = 4096, MOST_ROW = 64 };

typedef struct fuzz {
    eex_rng rng;
    unsigned char stream[STREAM];
    size_t size;
    uint64_t row_bytes;
    eex_sender sender;
} fuzz;

static uint64_t below(fuzz *f, uint64_t limit)
{
    return eex_rng_below(&f->rng, limit);
}

static void put_from_device(fuzz *f)
{
    unsigned char payload[MOST_ROW];
    eex_hello h = {.version = (uint16_t)(1 + below(f, 8) / 7), .row_bytes = f->row_bytes};
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (unsigned char)below(f, 256);
    const bool row = f->row_bytes ? below(f, 16) > 0 : below(f, 8) == 0;
    f->size += row ? eex_wire_row(f->stream + f->size, below(f, UINT64_MAX), payload,
                                  f->row_bytes ? (size_t)f->row_bytes : MOST_ROW)
                   : eex_wire_hello(f->stream + f->size, &h);
}

static void put_from_server(fuzz *f)
{
    const eex_result r = {.top = (int32_t)below(f, 10), .decision = EEX_ACCEPT, .margin = 0.5f};
    unsigned char *to = f->stream + f->size;
    switch (below(f, 4)) {
    case 0:
        f->size += eex_wire_welcome(to, 1 + (int)below(f, 100));
        break;
    case 1:
        f->size += eex_wire_refused(to, EEX_REFUSED_CUT, "no\033");
        break;
    case 2:
        f->size += eex_wire_goodbye(to);
        break;
    default:
        f->size += eex_wire_result(to, below(f, UINT64_MAX), &r);
    }
}

static void damage(fuzz *f)
{
    for (uint64_t n = below(f, 6); n > 0 && f->size > 1; n--) {
        const size_t at = below(f, f->size);
        switch (below(f, 4)) {
        case 0:
            f->stream[at] = (unsigned char)below(f, 256);
            break;
        case 1:
            f->stream[at] ^= (unsigned char)(1u << below(f, 8));
            break;
        case 2:
            memmove(f->stream + at, f->stream + at + 1, f->size - at - 1);
            f->size--;
            break;
        default:
            f->size = at + 1;
        }
    }
}

static void make(fuzz *f)
{
    f->size = 0;
    f->sender = below(f, 2) ? EEX_FROM_DEVICE : EEX_FROM_SERVER;
    f->row_bytes = below(f, MOST_ROW + 1);
    for (uint64_t n = 1 + below(f, 6); n > 0 && f->size + 600 < STREAM; n--)
        f->sender == EEX_FROM_DEVICE ? put_from_device(f) : put_from_server(f);
    damage(f);
}

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    abort();
}

/* Everything that it says is used. */
static volatile unsigned touched;

static void touch(const eex_message *m, uint64_t row_bytes)
{
    if (m->kind == EEX_ROW)
        for (uint64_t i = 0; i < row_bytes; i++)
            touched += m->as.row.payload[i];
    if (m->kind == EEX_REFUSED)
        touched += (unsigned)strlen(m->as.refused.text);
    if (m->kind == EEX_RESULT && m->as.result.result.decision == EEX_GO_ON)
        fail("a result that goes on");
    if (m->kind == EEX_WELCOME && m->as.welcome.window == 0)
        fail("a window of nothing");
}

/* The whole stream at once, then what is left of it in pieces: the same messages. Returns how many.
 */
static int read_all(fuzz *f, size_t most)
{
    size_t have = 0, at = 0;
    int count = 0;
    while (have < f->size) {
        have += 1 + below(f, most);
        have = have < f->size ? have : f->size;
        for (size_t used = 1; used > 0; at += used) {
            eex_message m = {0};
            unsigned char *piece = malloc(have - at + (have == at));
            if (!piece)
                exit(1);
            memcpy(piece, f->stream + at, have - at);
            const int code = eex_wire_read(&m, &used, piece, have - at, f->sender, f->row_bytes);
            if (code == EEX_OK && used > have - at)
                fail("more was used than there was");
            if (code == EEX_OK && used > 0)
                touch(&m, f->row_bytes);
            free(piece);
            if (code < 0)
                return count;
            count += used > 0;
        }
    }
    return count;
}

/* Returns how many messages there were. */
static int check(fuzz *f)
{
    const int once = read_all(f, STREAM), pieces = read_all(f, 17);
    if (once != pieces)
        fail("in pieces they are other messages than at once");
    return once;
}

#ifdef EEX_GUIDED

#include "support/guided.h"

/* Two bytes say who sends and how long a row is, the stream follows. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static fuzz f;
    if (size < 2 || size - 2 > STREAM)
        return 0;
    f.sender = data[0] % 2 ? EEX_FROM_DEVICE : EEX_FROM_SERVER;
    f.row_bytes = data[1] % (MOST_ROW + 1);
    f.size = size - 2;
    memcpy(f.stream, data + 2, f.size);
    eex_rng_seed(&f.rng, data[0], size);
    check(&f);
    return 0;
}

/* Now and then another stream of good messages, so that there is always something to damage. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    static fuzz f;
    if (seed % 16 > 0 || room < STREAM + 2)
        return LLVMFuzzerMutate(data, size, room);
    eex_rng_seed(&f.rng, seed, 0);
    make(&f);
    data[0] = f.sender == EEX_FROM_DEVICE;
    data[1] = (uint8_t)f.row_bytes;
    memcpy(data + 2, f.stream, f.size);
    return f.size + 2;
}

#else

int main(int argc, char **argv)
{
    static fuzz f;
    test_rounds rounds = {.seed = 1};
    uint64_t messages = 0;
    for (int i = 1; i < argc; i++)
        if (!test_rounds_take(&rounds, argc, argv, &i))
            return 2;
    while (test_rounds_next(&rounds, &f.rng)) {
        make(&f);
        messages += (uint64_t)check(&f);
    }
    printf("%" PRIu64 " streams, %" PRIu64 " messages\n", test_rounds_done(&rounds), messages);
    return 0;
}

#endif
