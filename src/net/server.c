/* The loop that serves: waits for sockets and for the bell of a batch, receives, hands rows to the
 * queue in turns, sends. */
#include "net/server_impl.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    TICK = 100,         /* milliseconds: how late a signal or a stall may be noticed */
    DEAF = 1,           /* seconds that nobody is listened to who could not be let in */
    COMPLAINTS = 20,    /* about devices, before they are only counted */
    TAKEN_AT_ONCE = 64, /* results */
    RESULT_WAIT = 1000, /* milliseconds for results whose batch is done: they come at once */
    DRAIN_SECONDS = 5,
};

EEX_NAMES_TABLE(eex_server_loss, EEX_LOSSES, [EEX_LOSS_VERSION] = "version",
                [EEX_LOSS_MODEL] = "model", [EEX_LOSS_POLICY] = "policy", [EEX_LOSS_CUT] = "cut",
                [EEX_LOSS_GARBAGE] = "garbage", [EEX_LOSS_STALLED] = "stalled",
                [EEX_LOSS_FLOODED] = "flooded", [EEX_LOSS_FULL] = "full", [EEX_LOSS_KEY] = "key");

void eex__server_lose(eex_server *server, const eex__session *s, eex_server_loss why,
                      const char *text)
{
    server->figures.lost[why]++;
    if (server->complaints++ < COMPLAINTS)
        eex_log_warn("%s is sent away (%s): %s%s", s->link.peer,
                     eex_name_of(eex_server_loss_names(), (int)why), text,
                     server->complaints == COMPLAINTS ? " (more of these are only counted)" : "");
}

const char *eex_server_name(const eex_server *server)
{
    return server ? server->name : "";
}

int eex_server_port(const eex_server *server)
{
    return server ? server->port : 0;
}

int eex_server_window(const eex_server *server)
{
    return server ? server->window : 0;
}

void eex_server_look(eex_server_figures *out, const eex_server *server)
{
    *out = server->figures;
    out->batches = server->batches;
    out->seconds = eex_clock_seconds() - server->began;
    for (int i = 0; i < server->options.sessions; i++) {
        const eex__session *s = &server->session[i];
        out->open += s->state == EEX__WELCOMED;
        out->bytes_in += s->link.in;
        out->bytes_out += s->link.out;
    }
}

/* ---- devices that come ---- */

static eex__session *free_session(eex_server *server)
{
    for (int i = 0; i < server->options.sessions; i++)
        if (server->session[i].state == EEX__FREE)
            return &server->session[i];
    return NULL;
}

/* One that there is no room for is told so, if it can be told at once. */
static void turn_away(eex_server *server, eex__link *link, const char *why)
{
    server->figures.connections++;
    unsigned char text[EEX_WIRE_REFUSED_MOST];
    const eex__session stranger = {.link = *link};
    size_t put;
    eex__server_lose(server, &stranger, EEX_LOSS_FULL, why);
    if (!server->key)
        (void)eex__link_write(link, text, eex_wire_refused(text, EEX_REFUSED_FULL, why), &put);
    eex__link_close(link);
}

/* Without a descriptor nobody can be let in, or told so, and who calls would be announced again and
 * again. The one that is kept for that makes room for a moment; where that is not enough, all wait
 * outside for a while. False: nobody was turned away, for the kernel says that there is no room
 * before it looks whether somebody is there. */
static bool turn_away_without_room(eex_server *server, double now)
{
    eex__link link;
    if (server->spare >= 0)
        close(server->spare);
    const int code = eex__link_accept(&link, server->listener, NULL);
    const bool somebody = code == EEX_OK && link.socket >= 0;
    if (somebody)
        turn_away(server, &link, "the server has no room for another connection");
    server->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (code < 0)
        server->deaf = now + DEAF;
    return somebody;
}

static void accept_all(eex_server *server, double now)
{
    for (int i = 0; i < server->options.sessions; i++) {
        eex__link link;
        const int code = eex__link_accept(&link, server->listener, server->key);
        if (code == EEX_EBUSY && turn_away_without_room(server, now))
            continue;
        if (code < 0 || link.socket < 0)
            return;
        eex__session *s = free_session(server);
        if (!s) {
            turn_away(server, &link, "as many devices as this server takes are there");
            continue;
        }
        server->figures.connections++;
        s->link = link;
        s->state = EEX__ARRIVED;
        s->name = ++server->names;
        s->heard = s->wrote = now;
    }
}

/* ---- rows to the queue, results from it ---- */

/* So many rows of one device are in the queue at once, running ones among them: few where there are
 * many devices, so that one that sends a lot does not fill batches that others wait for. */
static uint64_t share(const eex_server *server)
{
    int devices = 1;
    for (int i = 0; i < server->options.sessions; i++)
        devices += server->session[i].state == EEX__WELCOMED;
    const int rows = 2 * server->options.batch / devices;
    return rows > 1 ? (uint64_t)rows : 1;
}

/* EEX_EBUSY: the queue is full. */
static int submit(eex_server *server, int i, uint64_t most, double now)
{
    eex__session *s = &server->session[i];
    const unsigned char *payload;
    while (s->taken - s->answered < most && eex__session_row(server, s, &payload, now)) {
        const uint64_t id = s->name * (uint64_t)server->options.sessions + (uint64_t)i;
        EEX_TRY(eex_queue_submit_in(server->queue, i, id, payload));
        eex__session_take(server, s);
    }
    return EEX_OK;
}

static int submit_all(eex_server *server, double now)
{
    const uint64_t most = share(server);
    const int sessions = server->options.sessions;
    int code = EEX_OK;
    for (int i = 0; i < sessions && code == EEX_OK; i++)
        code = submit(server, (server->turn + i) % sessions, most, now);
    server->turn = (server->turn + 1) % sessions;
    return code == EEX_EBUSY ? EEX_OK : code;
}

static void answer(eex_server *server, const eex_queue_result *r, double now)
{
    const uint64_t sessions = (uint64_t)server->options.sessions;
    eex__session *s = &server->session[r->id % sessions];
    if (s->state == EEX__WELCOMED && s->name == r->id / sessions)
        eex__session_answer(server, s, &r->result, now);
}

/* The bell rings just before the results can be had: they are waited for. */
static int take_results(eex_server *server, double now)
{
    eex_queue_result results[TAKEN_AT_ONCE];
    uint64_t rung;
    int count;
    if (read(server->bell, &rung, sizeof rung) != (ssize_t)sizeof rung)
        return EEX_OK;
    do {
        const int wait = server->delivered < server->finished ? RESULT_WAIT : 0;
        EEX_TRY(eex_queue_poll(server->queue, results, TAKEN_AT_ONCE, wait, &count));
        for (int i = 0; i < count; i++)
            answer(server, &results[i], now);
        server->delivered += (uint64_t)count;
    } while (count > 0 && server->delivered < server->finished);
    return EEX_OK;
}

/* The queue's: by its thread. */
static int run_batch(void *context, eex_result *results, const uint8_t *rows, int count)
{
    eex_server *server = context;
    const uint64_t one = 1;
    const int code = eex_rest_run(server->rest, results, rows, count);
    if (code == EEX_OK)
        server->finished += (uint64_t)count;
    server->batches++;
    const ssize_t rung = write(server->bell, &one, sizeof one);
    (void)rung; /* it would have to ring 2^64 times to fail */
    return code;
}

/* ---- the loop ---- */

static int serve_once(eex_server *server)
{
    eex__server_wait(server, TICK);
    const double now = eex_clock_seconds();
    for (int i = 0; i < server->options.sessions; i++) {
        eex__session *s = &server->session[i];
        if (s->ready && s->state != EEX__FREE && !server->draining)
            eex__session_receive(server, s, now);
        else if (s->ready & (EPOLLHUP | EPOLLERR) && s->state != EEX__FREE)
            eex__session_close(server, s);
    }
    EEX_TRY(take_results(server, now));
    EEX_TRY(submit_all(server, now));
    for (int i = 0; i < server->options.sessions; i++) {
        eex__session *s = &server->session[i];
        if (s->state != EEX__FREE && s->out_size > s->out_at)
            eex__session_send(server, s, now);
        eex__session_watch(server, s, now);
    }
    if (server->called)
        accept_all(server, now);
    return EEX_OK;
}

static int tell(eex_server *server, const eex_server_listener *l, double *next)
{
    eex_server_figures figures;
    if (!l || l->every <= 0 || eex_clock_seconds() < *next)
        return EEX_OK;
    *next = eex_clock_seconds() + l->every;
    if (server->figures.rows == server->told_rows)
        return EEX_OK;
    server->told_rows = server->figures.rows;
    eex_server_look(&figures, server);
    return l->tell(l->context, &figures);
}

/* Devices whose rows are all answered go; true: nobody is left. */
static bool dismiss(eex_server *server, double now)
{
    bool done = true;
    for (int i = 0; i < server->options.sessions; i++) {
        eex__session *s = &server->session[i];
        if (s->state == EEX__ARRIVED)
            eex__session_close(server, s);
        if (s->state == EEX__WELCOMED && s->arrived == s->answered)
            eex__session_goodbye(server, s, now);
        done = done && s->state == EEX__FREE;
    }
    return done;
}

static int drain(eex_server *server)
{
    const double until = eex_clock_seconds() + DRAIN_SECONDS;
    server->draining = true;
    close(server->listener);
    server->listener = -1;
    while (!dismiss(server, eex_clock_seconds()) && eex_clock_seconds() < until)
        EEX_TRY(serve_once(server));
    return EEX_OK;
}

int eex_server_run(eex_server *server, const eex_server_listener *l)
{
    double next = eex_clock_seconds() + (l ? l->every : 0);
    EEX_NEED(server, "server");
    while (!eex_interrupted()) {
        EEX_TRY(serve_once(server));
        EEX_TRY(tell(server, l, &next));
    }
    return drain(server);
}

eex_queue_runner eex__server_runner(eex_server *server)
{
    return (eex_queue_runner){.name = "server",
                              .image_bytes = eex_rest_payload(server->rest)->bytes,
                              .batch = server->options.batch,
                              .run = run_batch,
                              .context = server,
                              .lanes = server->options.sessions};
}
