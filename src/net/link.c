#include "net/link.h"

#include "net/address.h"

#include "base/status.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void eex__link_close(eex__link *l)
{
    eex__tls_free(l->tls);
    if (l->socket >= 0)
        close(l->socket);
    l->tls = NULL;
    l->socket = -1;
}

int eex__link_accept(eex__link *out, int listener, eex__key *key)
{
    struct sockaddr_storage from;
    socklen_t size = sizeof from;
    *out = (eex__link)EEX__LINK_NONE;
    const int fd = accept4(listener, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
        return eex_fail(EEX_EBUSY, "server: %s", strerror(errno));
    if (fd < 0) /* it may have gone again: others come */
        return EEX_OK;
    out->socket = fd;
    out->events = POLLIN;
    eex__address_name(out->peer, &from, size);
    eex__address_hurry(fd);
    const int code = key ? eex__tls_new(&out->tls, key, fd) : EEX_OK;
    if (code < 0)
        eex__link_close(out);
    return code;
}

static int judge(int number)
{
    if (number == EAGAIN || number == EWOULDBLOCK || number == EINTR)
        return EEX_OK;
    if (number == ECONNRESET || number == EPIPE)
        return eex_fail(EEX_ENOTFOUND, "the other side has closed the connection");
    return eex_fail(EEX_EIO, "connection: %s", strerror(number));
}

int eex__link_read(eex__link *l, void *to, size_t size, size_t *got)
{
    *got = 0;
    if (l->tls) {
        EEX_TRY(eex__tls_read(l->tls, to, size, got, &l->events));
    } else {
        const ssize_t n = recv(l->socket, to, size, 0);
        if (n == 0)
            return eex_fail(EEX_ENOTFOUND, "the other side has closed the connection");
        if (n < 0)
            return judge(errno);
        *got = (size_t)n;
    }
    l->in += *got;
    return EEX_OK;
}

int eex__link_write(eex__link *l, const void *from, size_t size, size_t *put)
{
    *put = 0;
    if (l->tls) {
        EEX_TRY(eex__tls_write(l->tls, from, size, put, &l->events));
    } else {
        const ssize_t n = send(l->socket, from, size, MSG_NOSIGNAL);
        if (n < 0)
            return judge(errno);
        *put = (size_t)n;
    }
    l->out += *put;
    return EEX_OK;
}
