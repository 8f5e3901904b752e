/* Addresses of sockets, for the files of this room. */
#ifndef EEX_NET_ADDRESS_H
#define EEX_NET_ADDRESS_H

#include "net/link.h"

#include <sys/socket.h>

/* "127.0.0.1:7531", "[::1]:7531". */
void eex__address_name(char out[EEX__ADDRESS], const struct sockaddr_storage *at, socklen_t size);

/* Whether only this machine can be there. */
bool eex__address_is_loopback(const struct sockaddr *at);

/* Small messages go at once, they do not wait for more. */
void eex__address_hurry(int socket);

#endif
