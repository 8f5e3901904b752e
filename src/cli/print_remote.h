/* What is said of a device that leaves the rest of its network to a server, and of that server. */
#ifndef EEX_CLI_PRINT_REMOTE_H
#define EEX_CLI_PRINT_REMOTE_H

#include "net/offload.h"
#include "net/server.h"

#include "base/buffer.h"
#include "base/json.h"

/* ---- of a device ---- */

/* A member "remote" of an object: who has answered, bytes on the wire, and what went wrong. */
void eex__remote_json(eex_json *j, const eex_offload_figures *figures, const char *address);

/* The same as a line of its own, as messages, and as paragraphs of a report. */
int eex__remote_print_json(const eex_offload_figures *figures, const char *address);
int eex__remote_log(const eex_offload_figures *figures, const char *address);
void eex__remote_put(eex_buffer *out, const eex_offload_figures *figures, const char *address);

/* ---- of a server ---- */

typedef struct eex__server_facts {
    const eex_model *model;
    const eex_server *server;
    eex_payload payload;
    eex_hello hello;
    int sessions;
    double alone; /* rows a second of its part in full batches */
    bool tls;
} eex__server_facts;

/* Where it listens and for whom; how it goes (`event` is "figures" or "ended"). */
int eex__server_print_begin(const eex__server_facts *facts, bool json);
int eex__server_print(const eex_server_figures *figures, const char *event, bool json);

#endif
