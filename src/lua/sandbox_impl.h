/* What the sandbox's files share. */
#ifndef EEX_LUA_SANDBOX_IMPL_H
#define EEX_LUA_SANDBOX_IMPL_H

#include "lua/sandbox.h"

#include "base/signals.h"

#include <lauxlib.h>

/* One a Lua state; also the data of its allocator. */
typedef struct eex__lua {
    size_t used, limit; /* what objects hold outside Lua is in `used`, too: see eex__lua_room */
    int threads;        /* of the models that are open */
    bool full;          /* the limit was reached */
    bool single;        /* by one value alone */
    bool trust;         /* see eex_lua_options */
    bool expendable;    /* likewise */
    char *shown;   /* the script's folder as messages show it: as it was given, "" when current */
    char *folder;  /* its real path */
    char *library; /* real path of the Lua library */
    FILE *print;
    int graphs, models; /* that are alive: see lua_graph.c and lua_model.c */
} eex__lua;

eex__lua *eex__lua_of(lua_State *L);

/* For C functions that may run long, where no hook sees them. */
static inline void eex__lua_check(lua_State *L)
{
    if (eex_interrupted())
        luaL_error(L, "interrupted");
}

/* The same after so many steps that it costs nothing. */
static inline void eex__lua_poll(lua_State *L, unsigned *steps)
{
    if (++*steps % 1024 == 0)
        eex__lua_check(L);
}

/* Puts our own versions of what is in a library that is open in its place. Raise. */
void eex__lua_open_base(lua_State *L);
void eex__lua_open_string(lua_State *L);
void eex__lua_open_table(lua_State *L);

/* How many bytes objects of the script may still hold outside Lua, SIZE_MAX with trust. What they
 * do hold they add to `used`, and take away when they go. */
size_t eex__lua_room(lua_State *L);

/* Like luaL_loadbufferx with text, and Ctrl-C ends it. */
int eex__lua_load_text(lua_State *L, const char *text, size_t size, const char *name);

/* Adds to the table on the top what only the prelude calls. */
void eex__lua_set_host(lua_State *L);

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
