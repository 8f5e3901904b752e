/* What a server needs is taken once, when it opens. */
#include "net/server_impl.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    BUFFERS = 64 << 20, /* bytes of all sessions together, where a window of one row allows it */
    MOST_WINDOW = 64,
    BATCHES = 4,          /* of room in the queue */
    MORE_DESCRIPTORS = 16 /* than are open, and than devices: the server's own */
};

/* Rows of a device that may be under way at once. */
static int choose_window(const eex_server *server)
{
    const size_t sessions = (size_t)server->options.sessions;
    const size_t rows = BUFFERS / sessions / server->row_message;
    return rows < 1 ? 1 : rows > MOST_WINDOW ? MOST_WINDOW : (int)rows;
}

static void give_out(eex_server *server)
{
    for (int i = 0; i < server->options.sessions; i++) {
        const size_t at = (size_t)i;
        eex__session *s = &server->session[i];
        s->in = server->buffers + at * (server->in_room + server->out_room);
        s->out = s->in + server->in_room;
        s->ticket = server->tickets + at * (size_t)server->window;
        s->link.socket = -1;
    }
}

static int allocate(eex_server *server)
{
    const size_t sessions = (size_t)server->options.sessions;
    server->row_message = EEX_WIRE_ROW + eex_rest_payload(server->rest)->bytes;
    server->window = choose_window(server);
    const size_t window = (size_t)server->window;
    server->in_room = (window + 1) * server->row_message + EEX_WIRE_HELLO;
    server->out_room =
        EEX_WIRE_WELCOME + window * EEX_WIRE_RESULT + EEX_WIRE_REFUSED_MOST + EEX_WIRE_GOODBYE;
    server->session = calloc(sessions, sizeof *server->session);
    server->tickets = calloc(sessions * window, sizeof *server->tickets);
    server->buffers = calloc(sessions, server->in_room + server->out_room);
    if (!server->session || !server->tickets || !server->buffers)
        return eex_fail(EEX_ENOMEM, "server: out of memory for %zu devices with %d rows each",
                        sessions, server->window);
    give_out(server);
    return EEX_OK;
}

static int open_queue(eex_server *server)
{
    const eex_queue_runner runner = eex__server_runner(server);
    const eex_queue_options how = {.queue = BATCHES * server->options.batch};
    EEX_TRY(eex_queue_new(&server->queue, &runner));
    return eex_queue_open(server->queue, &how);
}

/* Descriptors that the process has open: a GPU's driver alone has dozens. */
static size_t open_descriptors(void)
{
    eex_fs_names names;
    size_t count = 64;
    if (eex_fs_list(&names, "/proc/self/fd") == EEX_OK) {
        count = names.count;
        eex_fs_names_free(&names);
    }
    return count;
}

/* A device is a descriptor. Where the process may have more than it does, it gets them. */
static int room_for_devices(int sessions)
{
    struct rlimit limit;
    const rlim_t needed = (rlim_t)sessions + open_descriptors() + MORE_DESCRIPTORS;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= needed)
        return EEX_OK;
    limit.rlim_cur = needed;
    if (limit.rlim_max >= needed && setrlimit(RLIMIT_NOFILE, &limit) == 0)
        return EEX_OK;
    return eex_fail(EEX_EINVAL,
                    "server: %d devices at once need %ju file descriptors, this process may have "
                    "%ju: serve fewer (--sessions), or raise the limit (ulimit -n)",
                    sessions, (uintmax_t)needed, (uintmax_t)limit.rlim_max);
}

static int open_server(eex_server *server)
{
    const eex_server_options *o = &server->options;
    EEX_TRY(room_for_devices(o->sessions));
    server->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    server->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (server->bell < 0)
        return eex_fail(EEX_EIO, "server: %s", strerror(errno));
    if (o->key)
        EEX_TRY(eex__key_read(&server->key, o->key, EEX__SERVES));
    EEX_TRY(allocate(server));
    EEX_TRY(open_queue(server));
    EEX_TRY(eex__link_listen(&server->listener, &server->port, server->name, o->address, o->port,
                             o->key != NULL));
    return eex__server_wait_open(server);
}

static int check(const eex_server_options *o)
{
    EEX_NEED(o->address, "address");
    if (o->sessions < 1 || o->sessions > EEX_SERVER_MOST_SESSIONS)
        return eex_fail(EEX_EINVAL, "server: for %d devices, expected 1 to %d", o->sessions,
                        EEX_SERVER_MOST_SESSIONS);
    if (o->batch < 1 || o->batch > EEX_QUEUE_MAX / BATCHES)
        return eex_fail(EEX_EINVAL, "server: batches of %d, expected 1 to %d", o->batch,
                        EEX_QUEUE_MAX / BATCHES);
    if (!(o->patience > 0) || !(o->idle > 0))
        return eex_fail(EEX_EINVAL, "server: it has to have some patience: %g s, idle %g s",
                        o->patience, o->idle);
    return EEX_OK;
}

int eex_server_open(eex_server **out, const eex_server_options *o, eex_rest *rest)
{
    EEX_NEED(out, "place for the server");
    *out = NULL;
    EEX_NEED(o, "options");
    EEX_NEED(rest, "server's part of a network");
    EEX_TRY(check(o));
    eex_server *server = calloc(1, sizeof *server);
    if (!server)
        return eex_fail(EEX_ENOMEM, "out of memory for a server");
    *server = (eex_server){.options = *o,
                           .rest = rest,
                           .listener = -1,
                           .bell = -1,
                           .waits = -1,
                           .spare = -1,
                           .began = eex_clock_seconds()};
    const int code = open_server(server);
    if (code < 0) {
        eex_server_close(server);
        return code;
    }
    *out = server;
    return EEX_OK;
}

void eex_server_close(eex_server *server)
{
    if (!server)
        return;
    eex_queue_free(server->queue);
    server->queue = NULL;
    for (int i = 0;
         i < server->options.sessions && server->session && server->tickets && server->buffers; i++)
        eex__session_close(server, &server->session[i]);
    if (server->listener >= 0)
        close(server->listener);
    if (server->bell >= 0)
        close(server->bell);
    if (server->spare >= 0)
        close(server->spare);
    eex__server_wait_close(server);
    eex__key_free(server->key);
    free(server->session);
    free(server->tickets);
    free(server->buffers);
    free(server);
}
