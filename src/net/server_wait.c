/* What the loop waits for: the bell of a batch, who calls, and the sockets of devices. The kernel
 * keeps the list (epoll), so that it looks at those alone with whom something has happened. */
#include "net/server_impl.h"

#include "base/clock.h"
#include "base/status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { BELL = -1, LISTENER = -2 }; /* others are numbers of sessions */

static int watch(eex_server *server, int how, int socket, uint32_t events, int what)
{
    struct epoll_event event = {.events = events, .data.fd = what};
    return epoll_ctl(server->waits, how, socket, &event) == 0
               ? EEX_OK
               : eex_fail(EEX_EIO, "server: waiting for a socket: %s", strerror(errno));
}

int eex__server_wait_open(eex_server *server)
{
    server->happened = calloc((size_t)server->options.sessions + 2, sizeof *server->happened);
    if (!server->happened)
        return eex_fail(EEX_ENOMEM, "server: out of memory for %d devices",
                        server->options.sessions);
    server->waits = epoll_create1(EPOLL_CLOEXEC);
    if (server->waits < 0)
        return eex_fail(EEX_EIO, "server: %s", strerror(errno));
    EEX_TRY(watch(server, EPOLL_CTL_ADD, server->bell, EPOLLIN, BELL));
    server->listening = true;
    return watch(server, EPOLL_CTL_ADD, server->listener, EPOLLIN, LISTENER);
}

void eex__server_wait_close(eex_server *server)
{
    if (server->waits >= 0)
        close(server->waits);
    free(server->happened);
}

/* A socket that is closed is on no list any more. */
static int keep_watched(eex_server *server, int i)
{
    eex__session *s = &server->session[i];
    uint32_t events = server->draining || s->held ? 0 : (uint32_t)s->link.events;
    if (s->out_size > s->out_at)
        events |= EPOLLOUT;
    if (s->watched && s->watched_for == events)
        return EEX_OK;
    EEX_TRY(watch(server, s->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, s->link.socket, events, i));
    s->watched = true;
    s->watched_for = events;
    return EEX_OK;
}

/* Whom the kernel has no room for goes again. */
static void keep_all_watched(eex_server *server)
{
    for (int i = 0; i < server->options.sessions; i++) {
        eex__session *s = &server->session[i];
        s->ready = 0;
        if (s->state == EEX__FREE || keep_watched(server, i) == EEX_OK)
            continue;
        eex__server_lose(server, s, EEX_LOSS_FULL, eex_error());
        eex__session_close(server, s);
    }
}

/* Whoever calls while nobody is listened to waits outside. */
static void keep_listening(eex_server *server)
{
    const bool listen = eex_clock_seconds() >= server->deaf;
    if (server->listener < 0 || listen == server->listening)
        return;
    if (watch(server, EPOLL_CTL_MOD, server->listener, listen ? EPOLLIN : 0, LISTENER) == EEX_OK)
        server->listening = listen;
}

void eex__server_wait(eex_server *server, int timeout_ms)
{
    keep_all_watched(server);
    keep_listening(server);
    server->called = false;
    const int count =
        epoll_wait(server->waits, server->happened, server->options.sessions + 2, timeout_ms);
    for (int i = 0; i < count; i++) {
        const struct epoll_event *e = &server->happened[i];
        if (e->data.fd == LISTENER)
            server->called = true;
        else if (e->data.fd >= 0)
            server->session[e->data.fd].ready = e->events;
    }
}
