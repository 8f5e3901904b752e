/* One device: what it sends, and what is sent to it. */
#include "net/server_impl.h"

#include "base/status.h"

#include <stdio.h>
#include <string.h>

enum { LEAVING_SECONDS = 2, PRINT = 12, TEXT = 2 * PRINT + 1 };

static size_t unread(const eex__session *s)
{
    return s->in_size - s->in_at;
}

static size_t unsent(const eex__session *s)
{
    return s->out_size - s->out_at;
}

/* Nobody waits for them any more; who does not go by himself would have others wait for them. */
static void drop_rows(eex_server *server, const eex__session *s)
{
    if (server->queue && s->taken > s->answered)
        (void)eex_queue_drop(server->queue, (int)(s - server->session));
}

void eex__session_close(eex_server *server, eex__session *s)
{
    drop_rows(server, s);
    server->figures.bytes_in += s->link.in;
    server->figures.bytes_out += s->link.out;
    eex__link_close(&s->link);
    s->link.in = s->link.out = 0;
    s->in_at = s->in_size = s->out_at = s->out_size = 0;
    s->arrived = s->taken = s->answered = 0;
    s->watched = s->held = false;
    s->ready = 0;
    s->state = EEX__FREE;
}

/* ---- leaving ---- */

static void leave(eex_server *server, eex__session *s, double now)
{
    drop_rows(server, s);
    s->state = EEX__LEAVING;
    s->heard = now;
    eex__session_send(server, s, now);
}

void eex__session_goodbye(eex_server *server, eex__session *s, double now)
{
    s->out_size += eex_wire_goodbye(s->out + s->out_size);
    leave(server, s, now);
}

/* There is always room for a refusal behind a window of results. */
static void refuse(eex_server *server, eex__session *s, eex_server_loss why, const char *text,
                   double now)
{
    static const eex_refusal says[EEX_LOSSES] = {
        [EEX_LOSS_VERSION] = EEX_REFUSED_VERSION,   [EEX_LOSS_MODEL] = EEX_REFUSED_MODEL,
        [EEX_LOSS_POLICY] = EEX_REFUSED_POLICY,     [EEX_LOSS_CUT] = EEX_REFUSED_CUT,
        [EEX_LOSS_GARBAGE] = EEX_REFUSED_BEHAVIOUR, [EEX_LOSS_STALLED] = EEX_REFUSED_BEHAVIOUR,
        [EEX_LOSS_FLOODED] = EEX_REFUSED_BEHAVIOUR, [EEX_LOSS_FULL] = EEX_REFUSED_FULL,
        [EEX_LOSS_KEY] = EEX_REFUSED_BEHAVIOUR};
    eex__server_lose(server, s, why, text);
    if (why == EEX_LOSS_FLOODED)
        eex__floods_note(server, s, now);
    s->out_size += eex_wire_refused(s->out + s->out_size, says[why], text);
    leave(server, s, now);
}

/* The connection has failed or was closed. Inside TLS a bad beginning is a bad key. */
static void broken(eex_server *server, eex__session *s, int code)
{
    if (code == EEX_EFORMAT)
        eex__server_lose(server, s, EEX_LOSS_KEY, eex_error());
    else if (s->state == EEX__ARRIVED && !s->held && s->in_size > s->in_at)
        eex__server_lose(server, s, EEX_LOSS_GARBAGE, "it went away within its first message");
    eex__session_close(server, s);
}

/* ---- hello ---- */

static const char *print_hex(char out[TEXT], const uint8_t *print)
{
    for (int i = 0; i < PRINT; i++)
        snprintf(out + 2 * i, 3, "%02x", print[i]);
    return out;
}

/* "predictor 3fe01c", "no predictor" */
static const char *name_predictor(char out[TEXT], const uint8_t *print)
{
    static const uint8_t none[EEX_WIRE_PREDICTOR];
    if (memcmp(print, none, sizeof none) == 0)
        return "no predictor";
    snprintf(out, TEXT, "predictor %02x%02x%02x", print[0], print[1], print[2]);
    return out;
}

/* What device and server do not agree about, with both sides' words; EEX_LOSSES: nothing. */
static eex_server_loss compare(char *text, size_t size, const eex_hello *ours,
                               const eex_hello *theirs)
{
    char a[TEXT], b[TEXT];
    if (theirs->version != ours->version) {
        snprintf(text, size,
                 "it speaks version %d of the protocol, this server version %d: both need the same "
                 "eex",
                 theirs->version, ours->version);
        return EEX_LOSS_VERSION;
    }
    if (memcmp(theirs->model, ours->model, sizeof ours->model) != 0) {
        snprintf(text, size, "the device has model %s, this server model %s", //
                 print_hex(a, theirs->model), print_hex(b, ours->model));
        return EEX_LOSS_MODEL;
    }
    if (memcmp(theirs->predictor, ours->predictor, sizeof ours->predictor) != 0) {
        snprintf(text, size,
                 "the device has %s, this server %s: both need the same one beside the model, or "
                 "--no-predictor",
                 name_predictor(a, theirs->predictor), name_predictor(b, ours->predictor));
        return EEX_LOSS_POLICY;
    }
    if (theirs->exit != ours->exit || theirs->bits != ours->bits ||
        theirs->row_bytes != ours->row_bytes) {
        snprintf(text, size,
                 "the device cuts behind exit %d and sends %llu bytes (%d bits) a sample, this "
                 "server goes on behind exit %d from %llu bytes (%d bits)",
                 theirs->exit + 1, (unsigned long long)theirs->row_bytes,
                 theirs->bits ? theirs->bits : 32, ours->exit + 1,
                 (unsigned long long)ours->row_bytes, ours->bits ? ours->bits : 32);
        return EEX_LOSS_CUT;
    }
    if (memcmp(theirs->policy, ours->policy, sizeof ours->policy) != 0) {
        snprintf(text, size,
                 "the device has policy %s behind the cut, this server %s: both need the same "
                 "--policy",
                 print_hex(a, theirs->policy), print_hex(b, ours->policy));
        return EEX_LOSS_POLICY;
    }
    return EEX_LOSSES;
}

/* A device with a key begins with a record of TLS: 22, then version 3.x, whatever x. */
static bool speaks_tls(const eex_server *server, const eex__session *s)
{
    const unsigned char *at = s->in + s->in_at;
    return !server->key && unread(s) >= 2 && at[0] == 22 && at[1] == 3;
}

static void hear_hello(eex_server *server, eex__session *s, double now)
{
    eex_message message;
    size_t used;
    char text[EEX_WIRE_TEXT];
    if (eex_wire_read(&message, &used, s->in + s->in_at, unread(s), EEX_FROM_DEVICE, 0) < 0) {
        if (speaks_tls(server, s)) {
            eex__server_lose(server, s, EEX_LOSS_KEY,
                             "it calls over TLS, with a key, and this server has none: --key FILE "
                             "on both sides, or on neither");
            eex__session_close(server, s);
            return;
        }
        snprintf(text, sizeof text, "%s", eex_error());
        refuse(server, s, EEX_LOSS_GARBAGE, text, now);
        return;
    }
    if (used == 0)
        return;
    const eex_server_loss why =
        compare(text, sizeof text, &server->options.hello, &message.as.hello);
    if (why != EEX_LOSSES) {
        refuse(server, s, why, text, now);
        return;
    }
    s->held = eex__floods_hold(server, s, now);
    if (s->held)
        return;
    s->in_at += used;
    s->state = EEX__WELCOMED;
    s->heard = now;
    server->figures.welcomed++;
    s->out_size += eex_wire_welcome(s->out + s->out_size, server->window);
    eex__session_send(server, s, now);
}

/* ---- receiving ---- */

/* Rows that are all there, or begun, from where reading is. */
static uint64_t whole_rows(const eex_server *server, const eex__session *s)
{
    return unread(s) / server->row_message;
}

static bool has_part(const eex_server *server, const eex__session *s)
{
    return unread(s) % server->row_message != 0;
}

/* A device that keeps to its window never has more under way than that: what it waits for is in the
 * buffer, in the queue, or among the results that it has not taken. */
static bool floods(const eex_server *server, const eex__session *s)
{
    const uint64_t begun = whole_rows(server, s) + (has_part(server, s) ? 1 : 0);
    const uint64_t waits = unsent(s) / EEX_WIRE_RESULT;
    return s->taken + begun - s->answered + waits > (uint64_t)server->window;
}

static int receive(const eex_server *server, eex__session *s)
{
    size_t got = 1;
    if (s->in_at > 0) {
        memmove(s->in, s->in + s->in_at, unread(s));
        s->in_size -= s->in_at;
        s->in_at = 0;
    }
    while (got > 0 && s->in_size < server->in_room) {
        const size_t room = server->in_room - s->in_size;
        EEX_TRY(eex__link_read(&s->link, s->in + s->in_size, room, &got));
        s->in_size += got;
        if (!s->link.tls && got < room) /* that was all; TLS gives a record at a time */
            break;
    }
    return EEX_OK;
}

static void note_arrivals(const eex_server *server, eex__session *s, double now)
{
    for (; s->arrived < s->taken + whole_rows(server, s); s->arrived++)
        s->ticket[s->arrived % (uint64_t)server->window].arrived = now;
}

/* Rows of one that is welcome, which have come behind its hello or with it. */
static void hear_rows(eex_server *server, eex__session *s, double now)
{
    if (floods(server, s))
        refuse(server, s, EEX_LOSS_FLOODED, "it has more rows under way than its window", now);
    else
        note_arrivals(server, s, now);
}

void eex__session_receive(eex_server *server, eex__session *s, double now)
{
    const bool began = unread(s) > 0 && has_part(server, s);
    const uint64_t before = s->arrived;
    const int code = receive(server, s);
    if (s->state == EEX__ARRIVED && unread(s) > 0)
        hear_hello(server, s, now); /* also of one that has closed behind it */
    if (s->state == EEX__WELCOMED) {
        hear_rows(server, s, now);
        if (s->state != EEX__WELCOMED)
            return;
        if (!began || s->arrived > before)
            s->heard = now;
    }
    if (s->state == EEX__LEAVING)
        s->in_at = s->in_size = 0;
    if (code < 0 && s->state != EEX__FREE)
        broken(server, s, code);
}

bool eex__session_row(eex_server *server, eex__session *s, const unsigned char **payload,
                      double now)
{
    eex_message message;
    size_t used;
    char text[EEX_WIRE_TEXT];
    if (s->state != EEX__WELCOMED || unread(s) == 0)
        return false;
    if (eex_wire_read(&message, &used, s->in + s->in_at, unread(s), EEX_FROM_DEVICE,
                      server->options.hello.row_bytes) < 0) {
        snprintf(text, sizeof text, "%s", eex_error());
        refuse(server, s, EEX_LOSS_GARBAGE, text, now);
        return false;
    }
    if (used == 0)
        return false;
    s->ticket[s->taken % (uint64_t)server->window].id = message.as.row.id;
    *payload = message.as.row.payload;
    return true;
}

void eex__session_take(eex_server *server, eex__session *s)
{
    s->in_at += server->row_message;
    s->taken++;
}

/* ---- sending ---- */

void eex__session_send(eex_server *server, eex__session *s, double now)
{
    while (unsent(s) > 0) {
        size_t put;
        const int code = eex__link_write(&s->link, s->out + s->out_at, unsent(s), &put);
        if (code < 0) {
            broken(server, s, code);
            return;
        }
        if (put == 0)
            return;
        s->out_at += put;
        s->wrote = now;
    }
    s->out_at = s->out_size = 0;
    if (s->state == EEX__LEAVING)
        eex__session_close(server, s);
}

void eex__session_answer(eex_server *server, eex__session *s, const eex_result *result, double now)
{
    const eex__ticket *t = &s->ticket[s->answered++ % (uint64_t)server->window];
    if (unsent(s) == 0)
        s->wrote = now;
    if (s->out_at > 0) {
        memmove(s->out, s->out + s->out_at, unsent(s));
        s->out_size -= s->out_at;
        s->out_at = 0;
    }
    s->out_size += eex_wire_result(s->out + s->out_size, t->id, result);
    server->figures.rows++;
    eex_histogram_add(&server->figures.ms, 1e3 * (now - t->arrived), 1);
}

/* ---- waiting ---- */

static bool is_quiet(const eex__session *s)
{
    return unread(s) == 0 && s->taken == s->answered && unsent(s) == 0;
}

void eex__session_watch(eex_server *server, eex__session *s, double now)
{
    const double patience = server->options.patience;
    if (s->state == EEX__LEAVING) {
        if (now - s->heard > LEAVING_SECONDS)
            eex__session_close(server, s);
    } else if (s->held) {
        hear_hello(server, s, now); /* it is still there, and welcome once it has waited */
        if (s->state == EEX__WELCOMED)
            hear_rows(server, s, now);
    } else if (s->state == EEX__ARRIVED) {
        if (now - s->heard > patience)
            refuse(server, s, EEX_LOSS_STALLED, "it does not say hello", now);
    } else if (unsent(s) > 0 && now - s->wrote > patience) {
        eex__server_lose(server, s, EEX_LOSS_STALLED, "it does not take its results");
        eex__session_close(server, s);
    } else if (has_part(server, s) && now - s->heard > patience) {
        refuse(server, s, EEX_LOSS_STALLED, "it does not finish its message", now);
    } else if (is_quiet(s) && now - s->heard > server->options.idle) {
        eex__session_goodbye(server, s, now);
    }
}
