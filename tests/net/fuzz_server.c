/* What a device may say to a server, well and badly, in any pieces and with any pauses: one end of
 * the conversation is src/net/session.c, the other a text (talk.h). Whatever comes,
 *
 *  - rows are taken in the order in which the device sent them, none twice, none that is not whole,
 *    and never more are under way than the window;
 *  - what is sent is a welcome, then answers to those rows in their order, then at most one refusal
 *    or goodbye, and nothing behind it;
 *  - a device that is silent, does not read, or is sent away is gone in the end. */
#include "net/server_impl.h"
#include "talk.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_ROW = 24, MOST_WINDOW = 6, SILENCE = 40 };
static const double patience = 5, idle = 20;

typedef struct device {
    talk talk;
    eex_server server;
    eex__session session;
    eex__ticket ticket[MOST_WINDOW];
    talk_stream asked; /* what the device has said: read here as the server should */
    bool hello;        /* of which the hello was read */
    uint64_t ids[TALK_MOST / EEX_WIRE_ROW], rows, answers;
    bool welcomed, over; /* what was sent to it */
    uint64_t lost;
} device;

/* ---- what stands behind a session ---- */

static device *current;

int eex_queue_drop(eex_queue *queue, int lane)
{
    talk_fail("there is no queue");
    return lane;
}

void eex__server_lose(eex_server *server, const eex__session *s, eex_server_loss why,
                      const char *text)
{
    if (why >= EEX_LOSSES || !*text)
        talk_fail("a device is sent away without a reason");
    current->lost++;
}

/* ---- a device ---- */

static void say_hello(device *d, bool spoilt)
{
    unsigned char *to = talk_room(&d->talk, EEX_WIRE_HELLO);
    if (!to)
        return;
    talk_say(&d->talk, eex_wire_hello(to, &d->server.options.hello));
    if (spoilt)
        talk_spoil(&d->talk, EEX_WIRE_HELLO);
}

static void say_rows(device *d, unsigned count)
{
    unsigned char payload[MOST_ROW];
    for (; count > 0; count--) {
        unsigned char *to = talk_room(&d->talk, d->server.row_message);
        if (!to)
            return;
        const uint64_t id = talk_next(&d->talk) * 0x0101010101010101ULL;
        memset(payload, (int)(id & 0xff) ^ (int)(d->talk.in.size & 0xff), sizeof payload);
        talk_say(&d->talk,
                 eex_wire_row(to, id, payload, (size_t)d->server.options.hello.row_bytes));
    }
}

/* Half a row, of which the rest may come, or not. */
static void say_part(device *d)
{
    const size_t before = d->talk.in.size;
    say_rows(d, 1);
    if (d->talk.in.size > before)
        d->talk.in.size = before + 1 + talk_next(&d->talk) % (d->server.row_message - 1);
}

static void arrive(device *d)
{
    eex__session *s = &d->session;
    d->talk.in.size = d->talk.in.at = d->talk.out.size = d->talk.out.at = 0;
    d->talk.closed = false;
    d->talk.room = TALK_MOST;
    d->asked.at = d->asked.size = 0;
    d->hello = d->welcomed = d->over = false;
    d->rows = d->answers = 0;
    s->link = (eex__link){.socket = 3, .peer = "127.0.0.1:5"};
    s->state = EEX__ARRIVED;
    s->name++;
    s->heard = s->wrote = d->talk.now;
}

static void say_something(device *d)
{
    switch (talk_next(&d->talk) % 12) {
    case 0:
    case 1:
        say_hello(d, false);
        break;
    case 2:
        say_hello(d, true);
        break;
    case 3:
    case 4:
        say_rows(d, 1 + talk_next(&d->talk) % 4);
        break;
    case 5:
        say_part(d);
        break;
    case 6:
        talk_say_raw(&d->talk, talk_next(&d->talk) % 40);
        break;
    case 7:
        d->talk.closed = true;
        break;
    case 8:
        d->talk.room = talk_next(&d->talk) * 2;
        break;
    case 9:
        d->talk.now += talk_next(&d->talk) / 8.0;
        break;
    default:
        d->talk.room = TALK_MOST;
    }
}

/* ---- what the server must have heard ---- */

/* The next row that is to be taken, of what the device has said. */
static bool next_row(device *d, eex_message *m)
{
    memcpy(d->asked.bytes, d->talk.in.bytes, d->talk.in.size);
    d->asked.size = d->talk.in.size;
    if (!d->hello && !(talk_message(m, &d->asked, EEX_FROM_DEVICE, 0) && m->kind == EEX_HELLO))
        return false;
    d->hello = true;
    return talk_message(m, &d->asked, EEX_FROM_DEVICE, d->server.options.hello.row_bytes) &&
           m->kind == EEX_ROW;
}

static void check_row(device *d, const unsigned char *payload)
{
    const eex__session *s = &d->session;
    const size_t bytes = (size_t)d->server.options.hello.row_bytes;
    eex_message m;
    if (payload < s->in || payload + bytes > s->in + s->in_size)
        talk_fail("a row lies outside of what was received");
    if (!next_row(d, &m) || memcmp(m.as.row.payload, payload, bytes) != 0 ||
        m.as.row.id != s->ticket[s->taken % (uint64_t)d->server.window].id)
        talk_fail("a row is taken that the device has not sent");
    d->ids[d->rows++] = m.as.row.id;
}

static void check_message(device *d, const eex_message *m)
{
    if (d->over)
        talk_fail("something is sent behind the end");
    switch (m->kind) {
    case EEX_WELCOME:
        if (d->welcomed || m->as.welcome.window != d->server.window)
            talk_fail("a wrong welcome");
        d->welcomed = true;
        break;
    case EEX_RESULT:
        if (!d->welcomed || d->answers >= d->rows || m->as.result.id != d->ids[d->answers++])
            talk_fail("an answer out of order");
        break;
    default:
        d->over = true;
    }
}

static void check_sent(device *d)
{
    talk_stream *sent = &d->talk.out;
    size_t used = 1;
    while (used > 0) {
        eex_message m;
        if (eex_wire_read(&m, &used, sent->bytes + sent->at, sent->size - sent->at, EEX_FROM_SERVER,
                          0) < 0)
            talk_fail("what is sent is no message");
        if (used > 0)
            check_message(d, &m);
        sent->at += used;
    }
}

static void check_session(const device *d)
{
    const eex__session *s = &d->session;
    const uint64_t window = (uint64_t)d->server.window;
    if (s->in_at > s->in_size || s->in_size > d->server.in_room || s->out_at > s->out_size ||
        s->out_size > d->server.out_room)
        talk_fail("a buffer holds more than it has");
    const uint64_t waits =
        s->state == EEX__WELCOMED ? (s->out_size - s->out_at) / EEX_WIRE_RESULT : 0;
    if (s->answered > s->taken || s->taken > s->arrived ||
        s->arrived - s->answered + waits > window)
        talk_fail("more rows are under way than the window");
    if (s->state == EEX__FREE && (s->in_size || s->out_size || s->taken || s->link.socket >= 0))
        talk_fail("something is left of one that has gone");
}

/* ---- a turn of the server's loop ---- */

static void take(device *d, uint64_t most)
{
    eex__session *s = &d->session;
    const unsigned char *payload;
    while (s->taken - s->answered < most &&
           eex__session_row(&d->server, s, &payload, d->talk.now)) {
        check_row(d, payload);
        eex__session_take(&d->server, s);
    }
}

static void answer(device *d, unsigned most)
{
    const eex_result result = {.top = 1, .exit = 3, .decision = EEX_ACCEPT, .confidence = 0.5f};
    eex__session *s = &d->session;
    for (; s->state == EEX__WELCOMED && most > 0 && s->answered < s->taken; most--)
        eex__session_answer(&d->server, s, &result, d->talk.now);
}

static void turn(device *d, unsigned answers, unsigned most)
{
    eex__session *s = &d->session;
    if (!s->held && (d->talk.in.size > s->link.in || d->talk.closed))
        eex__session_receive(&d->server, s, d->talk.now);
    check_session(d);
    answer(d, answers);
    take(d, most);
    check_session(d);
    if (s->state != EEX__FREE && s->out_size > s->out_at)
        eex__session_send(&d->server, s, d->talk.now);
    if (s->state != EEX__FREE)
        eex__session_watch(&d->server, s, d->talk.now);
    check_session(d);
    check_sent(d);
}

/* Nothing more comes, and nobody reads. */
static void wait_for_end(device *d)
{
    d->talk.room = 0;
    for (int i = 0; i < SILENCE && d->session.state != EEX__FREE; i++) {
        d->talk.now += 1;
        turn(d, MOST_WINDOW, MOST_WINDOW);
    }
    if (d->session.state != EEX__FREE)
        talk_fail("a device that is silent stays for ever");
}

/* ---- a conversation ---- */

static void begin(device *d, const uint8_t *text, size_t size)
{
    eex_server *v = &d->server;
    d->talk.text = text;
    d->talk.left = size;
    d->talk.now = 100;
    v->options = (eex_server_options){.sessions = 1,
                                      .patience = patience,
                                      .idle = idle,
                                      .hello = {.version = EEX_WIRE_VERSION, .bits = 8}};
    v->options.hello.row_bytes = 1 + talk_next(&d->talk) % MOST_ROW;
    v->window = 1 + (int)(talk_next(&d->talk) % MOST_WINDOW);
    v->row_message = EEX_WIRE_ROW + (size_t)v->options.hello.row_bytes;
    v->in_room = ((size_t)v->window + 1) * v->row_message + EEX_WIRE_HELLO;
    v->out_room = EEX_WIRE_WELCOME + (size_t)v->window * EEX_WIRE_RESULT + EEX_WIRE_REFUSED_MOST +
                  EEX_WIRE_GOODBYE;
    v->session = &d->session;
    d->session = (eex__session){.in = malloc(v->in_room),
                                .out = malloc(v->out_room),
                                .ticket = d->ticket,
                                .link = {.socket = -1}};
    if (!d->session.in || !d->session.out)
        exit(1);
}

void talk_play(const uint8_t *text, size_t size)
{
    static device d;
    memset(&d, 0, sizeof d);
    current = &d;
    talk_current = &d.talk;
    begin(&d, text, size);
    while (d.talk.left > 0) {
        const unsigned how = talk_next(&d.talk);
        if (d.session.state == EEX__FREE)
            arrive(&d);
        for (unsigned i = 0; i < how % 4; i++)
            say_something(&d);
        turn(&d, how / 4 % 8, how / 32);
    }
    wait_for_end(&d);
    free(d.session.in);
    free(d.session.out);
}
