/* Where connections come from and go to. */
#include "net/address.h"

#include "base/clock.h"
#include "base/signals.h"
#include "base/status.h"
#include "base/text.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 128, MOST_PORT = 65535, TICK = 100 /* milliseconds, to look at signals */ };

void eex__address_hurry(int socket)
{
    const int on = 1;
    (void)setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

bool eex__address_is_loopback(const struct sockaddr *at)
{
    if (at->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)at;
        return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    }
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)at;
    return at->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

void eex__address_name(char out[EEX__ADDRESS], const struct sockaddr_storage *at, socklen_t size)
{
    char host[64] = "?", port[8] = "?";
    (void)getnameinfo((const struct sockaddr *)at, size, host, sizeof host, port, sizeof port,
                      NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(out, EEX__ADDRESS, at->ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

int eex__address_parse(char *host, size_t room, char port[8], const char *text)
{
    const char *colon = strrchr(text, ':');
    const char *end = colon;
    int64_t number;
    if (colon && *text == '[' && colon[-1] == ']') {
        text++;
        end--;
    } else if (colon && memchr(text, ':', (size_t)(colon - text))) {
        colon = NULL;
    }
    if (!colon || end == text || (size_t)(end - text) >= room)
        return eex_fail(EEX_EINVAL, "\"%s\": expected HOST:PORT or [IPV6]:PORT", text);
    EEX_TRY(eex_text_parse_int(&number, colon + 1, 1, MOST_PORT, "the port of a server"));
    snprintf(host, room, "%.*s", (int)(end - text), text);
    snprintf(port, 8, "%d", (int)number);
    return EEX_OK;
}

static int look_up(struct addrinfo **out, const char *host, const char *port, int flags)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};
    const int error = getaddrinfo(host, port, &hints, out);
    return error == 0 ? EEX_OK
                      : eex_fail(EEX_ENOTFOUND, "%s: no such address: %s", host,
                                 error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
}

/* ---- listening ---- */

static int bind_to(int *out, const struct addrinfo *at, const char *address, int port)
{
    const int on = 1;
    const int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return eex_fail(EEX_EIO, "cannot listen at %s: %s", address, strerror(errno));
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, at->ai_addr, at->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        const int number = errno;
        close(fd);
        return eex_fail(number == EADDRINUSE ? EEX_EBUSY : EEX_EIO,
                        "cannot listen at %s, port %d: %s%s", address, port, strerror(number),
                        number == EADDRINUSE ? " (--port 0 takes any free one)" : "");
    }
    *out = fd;
    return EEX_OK;
}

int eex__link_listen(int *out, int *port, char name[EEX__ADDRESS], const char *address, int wanted,
                     bool remote)
{
    struct addrinfo *found;
    struct sockaddr_storage at;
    socklen_t size = sizeof at;
    char text[8];
    snprintf(text, sizeof text, "%d", wanted);
    EEX_TRY(look_up(&found, address, text, AI_PASSIVE | AI_NUMERICHOST));
    int code = EEX_OK;
    if (!remote && !eex__address_is_loopback(found->ai_addr))
        code = eex_fail(EEX_EINVAL,
                        "%s can be reached from other machines: that goes over TLS alone, with a "
                        "key that the devices have too: --key FILE",
                        address);
    if (code == EEX_OK)
        code = bind_to(out, found, address, wanted);
    freeaddrinfo(found);
    EEX_TRY(code);
    if (getsockname(*out, (struct sockaddr *)&at, &size) != 0) {
        close(*out);
        return eex_fail(EEX_EIO, "cannot listen at %s: %s", address, strerror(errno));
    }
    eex__address_name(name, &at, size);
    *port = (int)strtol(strrchr(name, ':') + 1, NULL, 10);
    return EEX_OK;
}

/* ---- calling ---- */

static int await_connection(int fd, double until)
{
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLOUT};
        int error = 0;
        socklen_t size = sizeof error;
        const double left = until - eex_clock_seconds();
        if (eex_interrupted())
            return eex_fail(EEX_EINTERRUPTED, "interrupted");
        if (left <= 0)
            return eex_fail(EEX_EBUSY, "does not answer");
        const int ms = left < 1e-3 * TICK ? (int)(1e3 * left) + 1 : TICK;
        if (poll(&wait, 1, ms) <= 0)
            continue;
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
            return eex_fail(EEX_ENOTFOUND, "%s", strerror(error ? error : errno));
        return EEX_OK;
    }
}

static int refuse_bare(void)
{
    return eex_fail(EEX_EINVAL, "another machine is called over TLS alone, with the server's "
                                "key: --key FILE");
}

/* A name that nobody knows now may be known, and this machine's, when it is called. */
int eex__address_check_bare(const char *host, const char *port)
{
    struct addrinfo *found;
    bool here = false;
    if (look_up(&found, host, port, 0) < 0)
        return EEX_OK;
    for (const struct addrinfo *at = found; at && !here; at = at->ai_next)
        here = eex__address_is_loopback(at->ai_addr);
    freeaddrinfo(found);
    return here ? EEX_OK : eex_fail_in(refuse_bare(), "%s", host);
}

static int connect_to(eex__link *out, const struct addrinfo *at, eex__key *key, double until)
{
    if (!key && !eex__address_is_loopback(at->ai_addr))
        return refuse_bare();
    out->socket = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    out->events = POLLIN;
    if (out->socket < 0)
        return eex_fail(EEX_EIO, "%s", strerror(errno));
    eex__address_hurry(out->socket);
    if (connect(out->socket, at->ai_addr, at->ai_addrlen) != 0) {
        if (errno != EINPROGRESS)
            return eex_fail(EEX_ENOTFOUND, "%s", strerror(errno));
        EEX_TRY(await_connection(out->socket, until));
    }
    return key ? eex__tls_new(&out->tls, key, out->socket) : EEX_OK;
}

int eex__link_call(eex__link *out, const char *host, const char *port, eex__key *key,
                   double seconds)
{
    const double until = eex_clock_seconds() + seconds;
    struct addrinfo *found;
    *out = (eex__link)EEX__LINK_NONE;
    EEX_TRY(look_up(&found, host, port, 0));
    int code = EEX_ENOTFOUND;
    for (const struct addrinfo *at = found; at && code < 0 && code != EEX_EINTERRUPTED;
         at = at->ai_next) {
        code = connect_to(out, at, key, until);
        if (code < 0)
            eex__link_close(out);
    }
    freeaddrinfo(found);
    snprintf(out->peer, sizeof out->peer, strchr(host, ':') ? "[%.70s]:%s" : "%.70s:%s", host,
             port);
    return code < 0 ? eex_fail_in(code, "%s", out->peer) : EEX_OK;
}
