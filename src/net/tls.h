/* TLS 1.3 with a key that both sides have (RFC 8446, external pre-shared keys with an ephemeral
 * Diffie-Hellman exchange), by OpenSSL, which is known here alone. No certificates, no tickets, no
 * early data: nothing can be replayed, and what was recorded stays closed when the key gets out. */
#ifndef EEX_NET_TLS_H
#define EEX_NET_TLS_H

#include <stddef.h>

typedef struct eex__key eex__key; /* the pre-shared key, ready for one role */
typedef struct eex__tls eex__tls; /* one connection */

typedef enum eex__role { EEX__SERVES, EEX__CALLS } eex__role;

/* Reads a key from its file: 64 hexadecimal digits, as `openssl rand -hex 32` writes them. A file
 * that others may read is refused with EEX_EINVAL. */
int eex__key_read(eex__key **out, const char *path, eex__role role);
void eex__key_free(eex__key *key); /* accepts NULL */

/* On a connected socket that does not block; borrows both. */
int eex__tls_new(eex__tls **out, eex__key *key, int socket);
void eex__tls_free(eex__tls *tls); /* says that it is the end; accepts NULL */

/* Both shake hands first. *got and *put may be 0: it would have to wait, for *events of poll.
 * EEX_ENOTFOUND: the other side has closed; EEX_EFORMAT: it has not the key, or it is no TLS;
 * EEX_EIO. */
int eex__tls_read(eex__tls *tls, void *to, size_t size, size_t *got, short *events);
int eex__tls_write(eex__tls *tls, const void *from, size_t size, size_t *put, short *events);

#endif
