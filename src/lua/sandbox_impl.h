/* What the sandbox's files share. */
#ifndef EEX_LUA_SANDBOX_IMPL_H
#define EEX_LUA_SANDBOX_IMPL_H

#include "lua/sandbox.h"

/* One a Lua state; also the data of its allocator. */
typedef struct eex__lua {
    size_t used, limit;
    bool full;     /* the limit was reached */
    bool trust;    /* see eex_lua_options */
    char *shown;   /* the script's folder as messages show it: as it was given, "" when current */
    char *folder;  /* its real path */
    char *library; /* real path of the Lua library */
    FILE *print;
    int graphs, models; /* that are alive: see lua_graph.c and lua_model.c */
} eex__lua;

eex__lua *eex__lua_of(lua_State *L);

/* Puts the standard library into the state, as far as it is allowed. Raises. */
void eex__lua_open_libs(lua_State *L);

/* Pushes the function `require`. Raises. */
void eex__lua_push_require(lua_State *L);

/* io.open for untrusted scripts. */
int eex__lua_io_open(lua_State *L);

/* Opens a file for reading through a Lua file handle, which is pushed before anything can fail.
 * `root` (a real path) and what lies below it may be read. Returns NULL with the message set when
 * it cannot be opened; *refused tells a file that may not be read from one that is not there. */
FILE *eex__lua_open_below(lua_State *L, const char *root, const char *path, bool *refused);

/* For files that others open: whether the script may read `path`, and where that is, links resolved
 * (with trust: as it was given). `real` has room for PATH_MAX bytes. EEX_ESCRIPT: it may not;
 * EEX_ENOTFOUND: there is nothing. */
int eex__lua_readable(lua_State *L, char *real, const char *path);

#endif
