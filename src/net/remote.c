#include "net/remote.h"

#include "net/link.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/status.h"

#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IN_ROOM = 64 << 10, OUT_ROOM = 256 << 10, TICK = 100, COMPLAINTS = 5 };
static const double least_rest = 0.05, longest_rest = 5; /* seconds */

/* One call. Rows are numbered through all calls: row i of this one has id first + i. */
typedef struct call {
    eex_result *results;
    bool *answered;
    const unsigned char *rows;
    int count, left; /* left: not answered */
    int next;        /* row to be sent next, among those that are not answered */
    uint64_t first;
    double until;
    double began;   /* when the first row went on this connection; 0: none has */
    uint64_t timed; /* rows that were answered since */
} call;

struct eex_remote {
    eex_remote_options options;
    char host[256], port[8];
    eex__key *key;
    eex__link link;        /* socket -1: not connected */
    bool welcomed, useful; /* useful: it has answered something on this connection */
    int window, under_way; /* rows that were sent on this connection and not answered */
    uint64_t due, sent;    /* answers come in the order of the rows: ids from due to below sent */
    unsigned char *in;     /* (IN_ROOM) */
    size_t in_size;
    unsigned char *out; /* (out_room): out[out_at..out_size) is to be sent */
    size_t out_at, out_size, out_room;
    uint64_t ids;
    double rest, not_before; /* seconds to leave the server alone; until when */
    int complaints;
    eex_remote_figures figures;
};

/* ---- opening and closing ---- */

static int open_remote(eex_remote *r)
{
    const eex_remote_options *o = &r->options;
    EEX_TRY(eex__address_parse(r->host, sizeof r->host, r->port, o->address));
    EEX_TRY(o->key ? eex__key_read(&r->key, o->key, EEX__CALLS)
                   : eex__address_check_bare(r->host, r->port));
    r->out_room = EEX_WIRE_ROW + (size_t)o->hello.row_bytes;
    r->out_room = r->out_room < OUT_ROOM ? OUT_ROOM : r->out_room;
    r->in = malloc(IN_ROOM);
    r->out = malloc(r->out_room);
    return r->in && r->out ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for a connection");
}

int eex_remote_open(eex_remote **out, const eex_remote_options *o)
{
    EEX_NEED(out, "place for the connection");
    *out = NULL;
    EEX_NEED(o, "options");
    EEX_NEED(o->address, "address");
    if (!(o->timeout > 0) || o->hello.row_bytes < 1 || o->hello.row_bytes > EEX_WIRE_ROW_MOST)
        return eex_fail(
            EEX_EINVAL,
            "%s: a timeout of %g s and rows of %llu bytes, expected more than 0 s and 1 "
            "to %d bytes",
            o->address, o->timeout, (unsigned long long)o->hello.row_bytes, EEX_WIRE_ROW_MOST);
    eex_remote *r = calloc(1, sizeof *r);
    if (!r)
        return eex_fail(EEX_ENOMEM, "out of memory for a connection");
    r->options = *o;
    r->link.socket = -1;
    r->rest = least_rest;
    const int code = open_remote(r);
    if (code < 0) {
        eex_remote_close(r);
        return code;
    }
    *out = r;
    return EEX_OK;
}

static void hang_up(eex_remote *r)
{
    r->figures.bytes_in += r->link.in;
    r->figures.bytes_out += r->link.out;
    eex__link_close(&r->link);
    r->link.in = r->link.out = 0;
    r->welcomed = r->useful = false;
    r->window = r->under_way = 0;
    r->due = r->sent = 0;
    r->in_size = r->out_at = r->out_size = 0;
}

void eex_remote_close(eex_remote *r)
{
    if (!r)
        return;
    hang_up(r);
    eex__key_free(r->key);
    free(r->in);
    free(r->out);
    free(r);
}

void eex_remote_look(eex_remote_figures *out, const eex_remote *r)
{
    *out = r->figures;
    out->bytes_in += r->link.in;
    out->bytes_out += r->link.out;
}

/* ---- when it goes wrong ---- */

static void complain(eex_remote *r, const char *what)
{
    snprintf(r->figures.why, sizeof r->figures.why, "%s", what);
    if (r->complaints++ < COMPLAINTS)
        eex_log_warn("server %s: %s%s", r->options.address, what,
                     r->complaints == COMPLAINTS ? " (more of this is only counted)" : "");
}

/* The server is left alone, each time for longer. */
static void leave_alone(eex_remote *r, double now)
{
    hang_up(r);
    r->not_before = now + r->rest;
    r->rest = 2 * r->rest < longest_rest ? 2 * r->rest : longest_rest;
}

/* A connection that was good gets another try at once, and only then a rest. */
static void break_off(eex_remote *r, const char *what)
{
    complain(r, what);
    r->figures.broken += r->welcomed;
    if (r->useful)
        hang_up(r);
    else
        leave_alone(r, eex_clock_seconds());
}

/* ---- what comes ---- */

/* The row that an answer is for; -1: of an earlier call, whose time was over. */
static int row_of(const call *c, uint64_t id)
{
    return id >= c->first ? (int)(id - c->first) : -1;
}

/* A network that has come to nothing answers NaN, here as there. */
static bool can_be(const eex_result *r)
{
    return !(r->confidence < 0 || r->confidence > 1 || r->margin < 0 || r->margin > 1 ||
             isinf(r->entropy));
}

static int take_result(eex_remote *r, call *c, uint64_t id, const eex_result *result)
{
    const int row = row_of(c, id);
    if (r->under_way == 0 || id < r->due || id >= r->sent || (row >= 0 && c->answered[row]))
        return eex_fail(EEX_EFORMAT, "it answers what was not asked");
    if (result->top < 0 || result->top >= r->options.classes ||
        result->exit <= r->options.hello.exit || result->exit >= r->options.exits)
        return eex_fail(EEX_EFORMAT, "it answers class %d at exit %d, which the network has not",
                        result->top, result->exit + 1);
    if (!can_be(result))
        return eex_fail(EEX_EFORMAT, "it answers with confidence %g, margin %g and entropy %g",
                        (double)result->confidence, (double)result->margin,
                        (double)result->entropy);
    r->due = id + 1;
    r->under_way--;
    r->useful = true;
    if (row < 0)
        return EEX_OK;
    c->results[row] = *result;
    c->answered[row] = true;
    c->left--;
    c->timed++;
    r->figures.answered++;
    r->rest = least_rest;
    return EEX_OK;
}

static int take_message(eex_remote *r, call *c, const eex_message *m)
{
    switch (m->kind) {
    case EEX_WELCOME:
        if (r->welcomed)
            return eex_fail(EEX_EFORMAT, "it says welcome twice");
        if (m->as.welcome.version != EEX_WIRE_VERSION)
            return eex_fail(EEX_EFORMAT, "it speaks version %d of the protocol, this device %d",
                            m->as.welcome.version, EEX_WIRE_VERSION);
        r->welcomed = true;
        r->window = m->as.welcome.window;
        r->figures.connections++;
        return EEX_OK;
    case EEX_RESULT:
        return take_result(r, c, m->as.result.id, &m->as.result.result);
    case EEX_REFUSED:
        r->figures.refused++;
        r->welcomed = r->useful = false; /* a no is not asked again at once */
        return eex_fail(EEX_EUNSUPPORTED, "it says no: %s", m->as.refused.text);
    default:
        return eex_fail(EEX_ENOTFOUND, "it says goodbye");
    }
}

static int take_messages(eex_remote *r, call *c)
{
    size_t at = 0, used;
    int code;
    do {
        eex_message m;
        code = eex_wire_read(&m, &used, r->in + at, r->in_size - at, EEX_FROM_SERVER, 0);
        if (code == EEX_OK && used > 0)
            code = take_message(r, c, &m);
        at += used;
    } while (code == EEX_OK && used > 0);
    memmove(r->in, r->in + at, r->in_size - at);
    r->in_size -= at;
    return code;
}

/* Also what had come before it broke off is taken. */
static int receive(eex_remote *r, call *c)
{
    size_t got;
    do {
        const int code = eex__link_read(&r->link, r->in + r->in_size, IN_ROOM - r->in_size, &got);
        if (code < 0)
            return code;
        r->in_size += got;
        EEX_TRY(take_messages(r, c));
    } while (got > 0 && c->left > 0);
    return EEX_OK;
}

/* ---- what goes ---- */

/* Rows into the buffer, as far as the window and the buffer have room. */
static void fill(eex_remote *r, call *c)
{
    const size_t bytes = (size_t)r->options.hello.row_bytes;
    if (r->out_at == r->out_size)
        r->out_at = r->out_size = 0;
    while (r->welcomed && r->under_way < r->window && c->next < c->count &&
           r->out_room - r->out_size >= EEX_WIRE_ROW + bytes) {
        const int row = c->next++;
        if (c->answered[row])
            continue;
        r->out_size += eex_wire_row(r->out + r->out_size, c->first + (uint64_t)row,
                                    c->rows + (size_t)row * bytes, bytes);
        if (c->began == 0)
            c->began = eex_clock_seconds();
        r->under_way++;
        r->sent = c->first + (uint64_t)row + 1;
        r->figures.sent++;
    }
}

static int send_out(eex_remote *r)
{
    size_t put = 1;
    while (put > 0 && r->out_at < r->out_size) {
        EEX_TRY(eex__link_write(&r->link, r->out + r->out_at, r->out_size - r->out_at, &put));
        r->out_at += put;
    }
    return EEX_OK;
}

/* ---- a call ---- */

static void wait_for_it(const eex_remote *r, const call *c)
{
    const double left = 1e3 * (c->until - eex_clock_seconds());
    short events = r->link.events;
    if (r->out_at < r->out_size)
        events |= POLLOUT;
    struct pollfd wait = {.fd = r->link.socket, .events = events};
    if (left > 0)
        (void)poll(&wait, 1, left < TICK ? (int)left + 1 : TICK);
}

static int connect_now(eex_remote *r, call *c)
{
    const double left = c->until - eex_clock_seconds();
    EEX_TRY(eex__link_call(&r->link, r->host, r->port, r->key, left));
    r->out_size = eex_wire_hello(r->out, &r->options.hello);
    c->next = 0;
    c->began = 0;
    c->timed = 0;
    return EEX_OK;
}

static int exchange(eex_remote *r, call *c)
{
    if (r->link.socket < 0)
        EEX_TRY(connect_now(r, c));
    fill(r, c);
    EEX_TRY(send_out(r));
    wait_for_it(r, c);
    return receive(r, c);
}

/* Nothing at all has come in the time of a call: more of that would only cost time. What is still
 * under way after others were answered may come later. */
static void give_up(eex_remote *r, const call *c)
{
    char text[96];
    r->figures.late++;
    snprintf(text, sizeof text, "no answer within %.0f ms", 1e3 * r->options.timeout);
    complain(r, text);
    if (c->left == c->count)
        leave_alone(r, eex_clock_seconds());
}

static void ask(eex_remote *r, call *c)
{
    while (c->left > 0) {
        const double now = eex_clock_seconds();
        if (r->link.socket < 0 && now < r->not_before) {
            r->figures.away++;
            return;
        }
        if (eex_interrupted())
            return;
        if (now >= c->until) {
            give_up(r, c);
            return;
        }
        if (exchange(r, c) < 0)
            break_off(r, eex_error());
    }
}

/* A connection that broke while nobody asked, or on which rows are half sent whose call is over, is
 * made anew. */
static void tidy(eex_remote *r, call *c)
{
    if (r->link.socket < 0)
        return;
    if (r->out_at < r->out_size)
        hang_up(r);
    else if (receive(r, c) < 0)
        hang_up(r);
}

int eex_remote_ask(eex_remote *r, eex_result *results, bool *answered, const unsigned char *rows,
                   int count)
{
    EEX_NEED(r, "connection");
    EEX_NEED(results, "place for the results");
    EEX_NEED(answered, "place for who was answered");
    EEX_NEED(rows, "rows");
    if (count < 1)
        return eex_fail(EEX_EINVAL, "%s: %d rows, expected at least 1", r->options.address, count);
    call c = {.results = results,
              .answered = answered,
              .rows = rows,
              .count = count,
              .left = count,
              .first = r->ids,
              .until = eex_clock_seconds() + r->options.timeout};
    memset(answered, 0, (size_t)count * sizeof *answered);
    tidy(r, &c);
    r->ids += (uint64_t)count;
    r->figures.rows += (uint64_t)count;
    ask(r, &c);
    if (c.began > 0) {
        r->figures.seconds += eex_clock_seconds() - c.began;
        r->figures.timed += c.timed;
    }
    return EEX_OK;
}
