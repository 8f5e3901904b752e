/* What a server may say to a device, well and badly, in any pieces and with any pauses: one end of
 * the conversation is src/net/remote.c, the other a text (talk.h). Whatever comes,
 *
 *  - a row has an answer only where the server has answered it, with what the server said, and no
 *    exit, class or score that cannot be;
 *  - never more are under way than the server has said, and none is asked twice;
 *  - a call ends in its time, however the server behaves;
 *  - what is asked are the caller's rows, as they are. */
#include "net/link.h"
#include "net/remote.h"
#include "talk.h"

#include "base/status.h"

#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_ROW = 16,
    MOST_ROWS = 6,
    CLASSES = 5,
    EXITS = 4,
    CUT = 1,
    MOST_IDS = 2048,
    MOST_TOLD = 512,
    LAST_TURN = 9 /* seconds */
};
static const double timeout = 2;

typedef struct server {
    talk talk;
    uint64_t asked[MOST_IDS], asks; /* on this connection, by their ids */
    bool greeted;                   /* the hello of this connection is read */
    size_t row_bytes;
    unsigned char rows[MOST_ROWS * MOST_ROW]; /* of the call that goes on */
    uint64_t first;
    int count;
    talk_stream heard;           /* what the device was told, read here as it should */
    eex_message told[MOST_TOLD]; /* answers that it was given in this call */
    int tells, tells_before;     /* tells_before: on other connections */
    int window;                  /* 0: not said on this connection */
} server;

static server *current;

/* ---- what stands behind a connection ---- */

int eex__address_parse(char *host, size_t room, char port[8], const char *text)
{
    const char *colon = strchr(text, ':');
    snprintf(host, room, "%.*s", (int)(colon - text), text);
    snprintf(port, 8, "%s", colon + 1);
    return EEX_OK;
}

int eex__address_check_bare(const char *host, const char *port)
{
    return *host && *port ? EEX_OK : EEX_EINVAL;
}

struct eex__key {
    int unused;
};

int eex__key_read(eex__key **out, const char *path, eex__role role)
{
    *out = NULL;
    return role == EEX__CALLS ? eex_fail(EEX_ENOTFOUND, "%s: no key", path) : EEX_OK;
}

void eex__key_free(eex__key *key)
{
    if (key)
        talk_fail("there is no key");
}

int eex__link_call(eex__link *out, const char *host, const char *port, eex__key *key,
                   double seconds)
{
    talk *t = &current->talk;
    if (talk_next(t) % 4 == 1) {
        t->now += seconds * (talk_next(t) % 3) / 2;
        return eex_fail(EEX_ENOTFOUND, "%s:%s: nobody answers", host, port);
    }
    t->in.size = t->in.at = t->out.size = t->out.at = 0;
    t->closed = false;
    t->room = TALK_MOST;
    current->heard.size = current->heard.at = 0;
    current->asks = 0;
    current->greeted = false;
    current->window = 0;
    current->tells_before = current->tells;
    *out = (eex__link){.socket = 3, .events = POLLIN};
    return EEX_OK;
}

/* ---- what it is asked ---- */

static bool was_answered(const server *s, uint64_t id)
{
    for (int i = s->tells_before; i < s->tells; i++)
        if (s->told[i].as.result.id == id)
            return true;
    return false;
}

static int under_way(const server *s)
{
    int count = 0;
    for (uint64_t i = 0; i < s->asks; i++)
        count += !was_answered(s, s->asked[i]);
    return count;
}

static void check_row(server *s, const eex_message *m)
{
    const uint64_t id = m->as.row.id;
    if (s->asks == MOST_IDS)
        talk_fail("it asks more than there is");
    for (uint64_t i = 0; i < s->asks; i++)
        if (s->asked[i] == id)
            talk_fail("it asks a row twice on one connection");
    s->asked[s->asks++] = id;
    if (under_way(s) > s->window)
        talk_fail("it asks more than the window has room for");
    if (id >= s->first &&
        (id - s->first >= (uint64_t)s->count ||
         memcmp(m->as.row.payload, s->rows + (id - s->first) * s->row_bytes, s->row_bytes) != 0))
        talk_fail("it asks what is no row of the caller's");
}

static void hear(server *s)
{
    eex_message m;
    while (talk_message(&m, &s->talk.out, EEX_FROM_DEVICE, s->greeted ? s->row_bytes : 0)) {
        if (s->greeted)
            check_row(s, &m);
        s->greeted = true;
    }
}

/* ---- what it says ---- */

static void say_welcome(server *s)
{
    unsigned char *to = talk_room(&s->talk, EEX_WIRE_WELCOME);
    if (to)
        talk_say(&s->talk, eex_wire_welcome(to, (int)(talk_next(&s->talk) % 9)));
}

/* Of a row that was asked, mostly. */
static void say_result(server *s, bool odd)
{
    static const float scores[] = {0.5f, 1, 0, -1, NAN, INFINITY, -INFINITY, 3};
    const unsigned which = talk_next(&s->talk), how = talk_next(&s->talk);
    eex_result r = {.top = (int)(how % CLASSES),
                    .exit = (int)(CUT + 1 + how / 8 % (EXITS - CUT - 1)),
                    .decision = how / 64 % 2 ? EEX_REJECT : EEX_ACCEPT,
                    .confidence = 0.25f,
                    .margin = 0.125f,
                    .entropy = 0.5f};
    unsigned char *to = talk_room(&s->talk, EEX_WIRE_RESULT);
    if (!to)
        return;
    if (odd) {
        r.top += (int)(talk_next(&s->talk) % 8) - 4;
        r.exit += (int)(talk_next(&s->talk) % 8) - 4;
        r.confidence = scores[talk_next(&s->talk) % 8];
        r.margin = scores[talk_next(&s->talk) % 8];
        r.entropy = scores[talk_next(&s->talk) % 8];
    }
    const uint64_t id = s->asks && which < 250 ? s->asked[which % s->asks] : s->first + which;
    talk_say(&s->talk, eex_wire_result(to, id, &r));
}

static void say_end(server *s, bool polite)
{
    unsigned char *to = talk_room(&s->talk, EEX_WIRE_REFUSED_MOST);
    if (!to)
        return;
    const eex_refusal why = (eex_refusal)(1 + talk_next(&s->talk) % 7);
    talk_say(&s->talk, polite ? eex_wire_goodbye(to) : eex_wire_refused(to, why, "no\033[31m\n"));
}

static void say_something(server *s)
{
    talk *t = &s->talk;
    switch (talk_next(t) % 16) {
    case 0:
    case 1:
    case 2:
        say_welcome(s);
        break;
    case 3:
    case 4:
    case 5:
    case 6:
        say_result(s, false);
        break;
    case 7:
        say_result(s, true);
        break;
    case 8:
        talk_spoil(t, 16);
        break;
    case 9:
        say_end(s, talk_next(t) % 2);
        break;
    case 10:
        talk_say_raw(t, talk_next(t) % 40);
        break;
    case 11:
        t->closed = true;
        break;
    case 12:
        t->room = talk_next(t);
        break;
    case 13:
        t->now += talk_next(t) / 100.0;
        break;
    default:
        t->room = TALK_MOST;
    }
}

/* The device waits for the server: which says something, while time goes on. */
int __wrap_poll(struct pollfd *list, nfds_t count, int milliseconds);
int __wrap_poll(struct pollfd *list, nfds_t count, int milliseconds)
{
    server *s = current;
    if (count != 1 || list->fd < 0 || milliseconds < 1)
        talk_fail("it waits for nothing");
    hear(s);
    for (unsigned n = talk_next(&s->talk) % 4; n > 0; n--)
        say_something(s);
    s->talk.now += s->talk.left > 0 ? 0.001 : 1e-3 * milliseconds;
    return 1;
}

/* ---- what it must have made of that ---- */

static bool can_be(const eex_result *r)
{
    return r->top >= 0 && r->top < CLASSES && r->exit > CUT && r->exit < EXITS &&
           !(fabsf(r->confidence - 0.5f) > 0.5f) && !(fabsf(r->margin - 0.5f) > 0.5f) &&
           !isinf(r->entropy);
}

/* What has come is noted before the device does anything with it. */
static void note(void)
{
    server *s = current;
    talk_stream *heard = &s->heard;
    eex_message m;
    hear(s);
    memcpy(heard->bytes + heard->size, s->talk.in.bytes + heard->size, s->talk.in.at - heard->size);
    heard->size = s->talk.in.at;
    while (talk_message(&m, heard, EEX_FROM_SERVER, 0)) {
        if (m.kind == EEX_RESULT && s->tells < MOST_TOLD)
            s->told[s->tells++] = m;
        if (m.kind == EEX_WELCOME && s->window == 0)
            s->window = m.as.welcome.window;
    }
}

static bool was_told(const server *s, uint64_t id, const eex_result *r)
{
    for (int i = 0; i < s->tells; i++) {
        const eex_result *t = &s->told[i].as.result.result;
        if (s->told[i].as.result.id == id && t->top == r->top && t->exit == r->exit &&
            t->decision == r->decision &&
            memcmp(&t->confidence, &r->confidence, 3 * sizeof t->confidence) == 0)
            return true;
    }
    return false;
}

static void check_answers(const server *s, const eex_result *results, const bool *answered)
{
    for (int i = 0; i < s->count; i++) {
        if (!answered[i])
            continue;
        if (!can_be(&results[i]))
            talk_fail("a row has an answer that cannot be");
        if (!was_told(s, s->first + (uint64_t)i, &results[i]))
            talk_fail("a row has an answer that nobody gave");
    }
}

/* ---- conversations ---- */

/* Answers of before the last connection are of no use; what was asked on it may still be answered.
 */
static void forget(server *s)
{
    s->tells -= s->tells_before;
    memmove(s->told, s->told + s->tells_before, (size_t)s->tells * sizeof *s->told);
    s->tells_before = 0;
}

static void call(server *s, eex_remote *remote)
{
    eex_result results[MOST_ROWS];
    bool answered[MOST_ROWS];
    const double before = s->talk.now;
    eex_remote_figures figures;
    uint64_t answers = 0;
    eex_remote_look(&figures, remote);
    const uint64_t answered_before = figures.answered;
    s->count = 1 + (int)(talk_next(&s->talk) % MOST_ROWS);
    forget(s);
    for (size_t i = 0; i < sizeof s->rows; i++)
        s->rows[i] = (unsigned char)(i * 7 + s->first);
    if (eex_remote_ask(remote, results, answered, s->rows, s->count) < 0)
        talk_fail("a call fails");
    if (s->talk.now > before + timeout + LAST_TURN)
        talk_fail("a call does not end in its time");
    check_answers(s, results, answered);
    eex_remote_look(&figures, remote);
    s->first += (uint64_t)s->count;
    for (int i = 0; i < s->count; i++)
        answers += answered[i];
    if (figures.answered != answered_before + answers || figures.rows != s->first ||
        strpbrk(figures.why, "\033\n"))
        talk_fail("wrong figures");
}

void talk_play(const uint8_t *text, size_t size)
{
    static server s;
    eex_remote *remote;
    memset(&s, 0, sizeof s);
    current = &s;
    talk_current = &s.talk;
    s.talk.text = text;
    s.talk.left = size;
    s.talk.now = 100;
    s.talk.heard = note;
    s.row_bytes = 1 + talk_next(&s.talk) % MOST_ROW;
    const eex_remote_options options = {
        .address = "127.0.0.1:7531",
        .timeout = timeout,
        .exits = EXITS,
        .classes = CLASSES,
        .hello = {.version = EEX_WIRE_VERSION, .exit = CUT, .row_bytes = s.row_bytes}};
    if (eex_remote_open(&remote, &options) < 0)
        talk_fail("it cannot be opened");
    while (s.talk.left > 0) {
        call(&s, remote);
        s.talk.now += talk_next(&s.talk) / 100.0;
    }
    eex_remote_close(remote);
}
