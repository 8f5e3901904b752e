/* Whoever was sent away because he flooded comes again at once, if he is that sort: his address
 * waits for its next welcome. Addresses are few, the oldest is forgotten. */
#include "net/server_impl.h"

#include <string.h>

static const double hold_seconds = 0.2;

/* Of "127.0.0.1:7531", without the port. */
static size_t host_length(const char *peer)
{
    const char *colon = strrchr(peer, ':');
    return colon ? (size_t)(colon - peer) : strlen(peer);
}

static bool is_same_host(const char *a, const char *b)
{
    const size_t length = host_length(a);
    return length == host_length(b) && memcmp(a, b, length) == 0;
}

void eex__floods_note(eex_server *server, const eex__session *s, double now)
{
    eex__flood *f = &server->flood[server->floods++ % EEX__FLOODS];
    memcpy(f->peer, s->link.peer, sizeof f->peer);
    f->until = now + hold_seconds;
}

bool eex__floods_hold(const eex_server *server, const eex__session *s, double now)
{
    for (int i = 0; i < EEX__FLOODS; i++)
        if (now < server->flood[i].until && is_same_host(server->flood[i].peer, s->link.peer))
            return true;
    return false;
}
