/* What the server's files share. */
#ifndef EEX_NET_SERVER_IMPL_H
#define EEX_NET_SERVER_IMPL_H

#include "core/engine/queue.h"
#include "net/link.h"
#include "net/server.h"

typedef enum eex__session_state {
    EEX__FREE,
    EEX__ARRIVED,  /* has not said hello */
    EEX__WELCOMED, /* sends rows */
    EEX__LEAVING   /* gets what is still to be sent, and is closed */
} eex__session_state;

/* A row whose answer is owed. */
typedef struct eex__ticket {
    uint64_t id; /* the device's */
    double arrived;
} eex__ticket;

/* One device. Rows lie in `in` until there is room for them in the queue; as they are answered in
 * the order of their arrival, a ring of tickets remembers them: arrived >= taken >= answered, and
 * never more than a window apart. */
typedef struct eex__session {
    eex__session_state state;
    uint64_t name; /* no other session ever has it */
    eex__link link;
    unsigned char *in; /* (in_room of the server): in[in_at..in_size) is unread */
    size_t in_at, in_size;
    unsigned char *out; /* (out_room): out[out_at..out_size) is to be sent */
    size_t out_at, out_size;
    eex__ticket *ticket; /* (window) */
    uint64_t arrived, taken, answered;
    double heard; /* when it came, its last message was complete, or the next one began */
    double wrote; /* when something was last sent, or began to wait for it */
    bool watched; /* by server_wait.c, for these events of epoll */
    uint32_t watched_for;
    uint32_t ready; /* events that have come in this turn; 0: none */
    bool held;      /* has said hello, and waits for its welcome (floods.c); is not read */
} eex__session;

/* Who has flooded. */
enum { EEX__FLOODS = 16 };
typedef struct eex__flood {
    char peer[EEX__ADDRESS];
    double until; /* its address waits */
} eex__flood;

struct eex_server {
    eex_server_options options;
    eex_rest *rest;
    eex__key *key;
    eex_queue *queue;
    int listener, bell; /* bell: an eventfd, rung when a batch is done */
    int spare;          /* a descriptor, to be given up where there are no others */
    int port, window;
    char name[EEX__ADDRESS];
    size_t row_message;       /* bytes */
    size_t in_room, out_room; /* bytes of a session */
    eex__session *session;    /* (sessions) */
    unsigned char *buffers;   /* of all sessions */
    eex__ticket *tickets;
    int waits;                    /* an epoll */
    struct epoll_event *happened; /* (sessions + 2) */
    bool called;                  /* somebody has, in this turn */
    double deaf;                  /* until then nobody is listened to */
    bool listening;               /* what the kernel believes of that */
    int turn;                     /* session that is asked first for rows */
    bool draining;
    _Atomic uint64_t batches, finished; /* counted by the queue's thread; finished: rows */
    uint64_t delivered;                 /* rows whose results were taken from the queue */
    eex__flood flood[EEX__FLOODS];      /* the last ones */
    uint64_t floods;
    uint64_t names, told_rows;
    uint64_t complaints;
    double began;
    eex_server_figures figures;
};

/* ---- sessions (session.c): `now` is eex_clock_seconds ---- */

/* Takes what has come, and answers a hello. Whatever is wrong with it ends the session alone. */
void eex__session_receive(eex_server *server, eex__session *s, double now);

/* Sends what can be sent; closes one that leaves and has everything. */
void eex__session_send(eex_server *server, eex__session *s, double now);

/* Whether the next row is all there: *payload points to it. The caller takes it, or leaves it. */
bool eex__session_row(eex_server *server, eex__session *s, const unsigned char **payload,
                      double now);
void eex__session_take(eex_server *server, eex__session *s);

/* The answer to the oldest row that was taken. */
void eex__session_answer(eex_server *server, eex__session *s, const eex_result *result, double now);

/* Ends it where it has waited for too long. */
void eex__session_watch(eex_server *server, eex__session *s, double now);

/* What is to be sent goes, and then it is closed. */
void eex__session_goodbye(eex_server *server, eex__session *s, double now);
void eex__session_close(eex_server *server, eex__session *s);

/* ---- who floods (floods.c) ---- */

void eex__floods_note(eex_server *server, const eex__session *s, double now);
/* Whether it comes from where somebody has flooded just now. */
bool eex__floods_hold(const eex_server *server, const eex__session *s, double now);

/* ---- of the loop ---- */

/* Behind the listener and the bell, and closed also after a failure. */
int eex__server_wait_open(eex_server *server);
void eex__server_wait_close(eex_server *server);

/* Until something has happened: session.ready and server.called say what. */
void eex__server_wait(eex_server *server, int timeout_ms);

/* What stands behind its queue. */
eex_queue_runner eex__server_runner(eex_server *server);

/* Counts and says that a device is sent away. */
void eex__server_lose(eex_server *server, const eex__session *s, eex_server_loss why,
                      const char *text);

#endif
