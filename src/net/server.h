/* The server of a network that is cut (core/engine/part.h): takes rows from devices, runs them in
 * batches across all of them, and answers. docs/co-inference.md has the protocol.
 *
 * Memory is taken when it opens and does not depend on what comes: so many sessions, each with room
 * for a window of rows, and a queue. A device that sends what is not the protocol, stalls or floods
 * loses its session, and no other device notices. One thread serves, a second one runs batches. */
#ifndef EEX_NET_SERVER_H
#define EEX_NET_SERVER_H

#include "core/engine/part.h"
#include "core/use/histogram.h"
#include "net/wire.h"

#include "base/names.h"

enum { EEX_SERVER_MOST_SESSIONS = 4096, EEX_SERVER_ADDRESS = 96 };

typedef struct eex_server_options {
    const char *address; /* to listen at */
    int port;            /* 0: any free one */
    const char *key;     /* a file; NULL: bare TCP, on this machine's loopback alone */
    int sessions;        /* devices at once, 1 to EEX_SERVER_MOST_SESSIONS */
    int batch;           /* rows that run at once, at most the engine's batch */
    double patience; /* seconds: for a hello, for the rest of a message, for who does not read */
    double idle;     /* seconds after which a device that says nothing may call again */
    eex_hello hello; /* what devices must agree about */
} eex_server_options;

/* Why devices were sent away. */
typedef enum eex_server_loss {
    EEX_LOSS_VERSION,
    EEX_LOSS_MODEL,
    EEX_LOSS_POLICY,
    EEX_LOSS_CUT,
    EEX_LOSS_GARBAGE,
    EEX_LOSS_STALLED,
    EEX_LOSS_FLOODED,
    EEX_LOSS_FULL,
    EEX_LOSS_KEY, /* a missing or wrong one */
    EEX_LOSSES
} eex_server_loss;

const eex_names *eex_server_loss_names(void);

typedef struct eex_server_figures {
    double seconds;                 /* since it was opened */
    int open;                       /* devices that are there and were welcomed */
    uint64_t connections, welcomed; /* so far */
    uint64_t lost[EEX_LOSSES];      /* sent away, by why */
    uint64_t rows, batches;         /* answered; run */
    uint64_t bytes_in, bytes_out;   /* of connections, without what TLS adds */
    eex_histogram ms;               /* from a row's last byte until its answer is ready to go */
} eex_server_figures;

/* Is told every `every` seconds while something goes on; a failure ends the server. */
typedef struct eex_server_listener {
    int (*tell)(void *context, const eex_server_figures *figures);
    void *context;
    double every; /* 0: never */
} eex_server_listener;

typedef struct eex_server eex_server;

/* `rest` is borrowed. EEX_EINVAL, EEX_EBUSY: the port is taken; EEX_ENOMEM. */
int eex_server_open(eex_server **out, const eex_server_options *options, eex_rest *rest);
void eex_server_close(eex_server *server); /* accepts NULL */

/* Where it listens: "127.0.0.1:7531". Borrowed. */
const char *eex_server_name(const eex_server *server);
int eex_server_port(const eex_server *server);
int eex_server_window(const eex_server *server); /* rows of a device that may be under way */

/* Serves until a signal comes; then it takes no more, answers what it has, says goodbye and returns
 * EEX_OK. `listener` may be NULL. */
int eex_server_run(eex_server *server, const eex_server_listener *listener);

/* As they are now; for the thread that serves, or behind it. */
void eex_server_look(eex_server_figures *out, const eex_server *server);

#endif
