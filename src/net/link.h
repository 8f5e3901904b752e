/* Connections: bytes over TCP that never block, inside TLS where there is a key. */
#ifndef EEX_NET_LINK_H
#define EEX_NET_LINK_H

#include "net/tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EEX__ADDRESS = 96 }; /* "[2001:db8::1]:7531" and a NUL */

typedef struct eex__link {
    int socket;       /* -1: none */
    eex__tls *tls;    /* NULL: bare TCP */
    short events;     /* of poll, that reading waits for: not always POLLIN inside TLS */
    uint64_t in, out; /* bytes, without what TLS adds */
    char peer[EEX__ADDRESS];
} eex__link;

#define EEX__LINK_NONE \
    {                  \
        .socket = -1   \
    }

/* "HOST:PORT", "[::1]:PORT": the caller's buffers. EEX_EINVAL. */
int eex__address_parse(char *host, size_t room, char port[8], const char *text);

/* EEX_EINVAL: this is another machine, which is never called without a key. */
int eex__address_check_bare(const char *host, const char *port);

/* A socket that listens; port 0: any free one. *port says which, name what it is called.
 * EEX_EINVAL: `remote` is not allowed and the address is not this machine's loopback. */
int eex__link_listen(int *out, int *port, char name[EEX__ADDRESS], const char *address, int wanted,
                     bool remote);

/* The next one that calls; *out->socket is -1 where there is none. */
int eex__link_accept(eex__link *out, int listener, eex__key *key);

/* Calls; waits up to `seconds`, until a signal came. EEX_EINVAL: the other side is on another
 * machine, and there is no key. */
int eex__link_call(eex__link *out, const char *host, const char *port, eex__key *key,
                   double seconds);
void eex__link_close(eex__link *link); /* leaves none */

/* As eex__tls_read and eex__tls_write: what can be had at once. EEX_ENOTFOUND: it was closed. */
int eex__link_read(eex__link *link, void *to, size_t size, size_t *got);
int eex__link_write(eex__link *link, const void *from, size_t size, size_t *put);

#endif
