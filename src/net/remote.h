/* The device's end of a network that is cut (core/engine/part.h): rows go to a server, results come
 * back, in order, each once. Whatever happens on the way, the caller is never kept waiting for
 * longer than it has said, and never gets an error of the network: rows without an answer have
 * none, and `why` of the figures says why. */
#ifndef EEX_NET_REMOTE_H
#define EEX_NET_REMOTE_H

#include "net/wire.h"

#include <stdbool.h>

typedef struct eex_remote_options {
    const char *address; /* "HOST:PORT", "[IPV6]:PORT" */
    const char *key;     /* a file; NULL: bare TCP, to this machine's loopback alone */
    double timeout;      /* seconds that a call may take, connecting included */
    eex_hello hello;     /* what the server must agree about */
    int exits, classes;  /* of the network: what answers may say */
} eex_remote_options;

/* Of all calls so far. */
typedef struct eex_remote_figures {
    uint64_t rows, answered;      /* that were to be sent; that the server has answered */
    uint64_t sent;                /* rows on the wire, those again that were sent again */
    uint64_t connections, broken; /* that were welcomed; of these, that broke off */
    uint64_t away, late, refused; /* calls that found no server; that ran out of time; noes */
    uint64_t bytes_in, bytes_out; /* of connections, without what TLS adds */
    uint64_t timed;               /* rows answered in `seconds`: */
    double seconds; /* of all calls, from when their first row went until their last answer, on one
                     * connection; or until their time was over */
    char why[512];  /* what was last wrong; "" */
} eex_remote_figures;

typedef struct eex_remote eex_remote;

/* Calls nobody yet. EEX_EINVAL: no address, or without a key that of
 * another machine; EEX_EFORMAT, EEX_ENOTFOUND: no key. */
int eex_remote_open(eex_remote **out, const eex_remote_options *options);
void eex_remote_close(eex_remote *remote); /* accepts NULL */

/* Asks about `count` rows, hello.row_bytes each. answered[i] says whether results[i] came in time;
 * a row that was under way when the connection broke is sent again as long as there is time. A
 * server that is away or says no is left alone for a while, from 0.05 s doubling to 5 s, in which
 * calls return at once. EEX_EINVAL alone. */
int eex_remote_ask(eex_remote *remote, eex_result *results, bool *answered,
                   const unsigned char *rows, int count);

void eex_remote_look(eex_remote_figures *out, const eex_remote *remote);

#endif
