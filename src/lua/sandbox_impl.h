/* What the sandbox's files share. */
#ifndef EEX_LUA_SANDBOX_IMPL_H
#define EEX_LUA_SANDBOX_IMPL_H

#include "lua/sandbox.h"

#include "base/signals.h"

#include <lauxlib.h>

/* One a Lua state; also the data of its allocator. */
typedef struct eex__lua {
    size_t used, limit; /* what objects hold outside Lua is in `used`, too: see eex__lua_held */
    int threads;        /* of the models and runs that are open */
    bool full;          /* the limit was reached */
    bool single;        /* by one value alone */
    bool trust;         /* see eex_lua_options */
    bool expendable;    /* likewise */
    char *shown;   /* the script's folder as messages show it: as it was given, "" when current */
    char *folder;  /* its real path */
    char *library; /* real path of the Lua library */
    FILE *print;
    eex_lua_stopper *stop;
    bool typed;         /* what runs was typed by a person at the prompt */
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

/* What an object of the script holds outside Lua, on the host and on devices: every userdata that
 * holds any has one of these, takes what it wants before it is made, where that can be told, and
 * gives it back when the object goes. With trust nobody counts. */
typedef struct eex__lua_held {
    size_t bytes;
    int threads;
} eex__lua_held;

/* How many bytes the script's objects may still take, SIZE_MAX with trust. */
size_t eex__lua_room(lua_State *L);

/* Counts bytes as the object's. What nobody refers to any more is collected before anything is
 * refused; then EEX_ESCRIPT: `why` ("the labels do not fit"), the limit and the remedy. */
int eex__lua_take(lua_State *L, eex__lua_held *held, size_t bytes, const char *why);
/* Threads of a device likewise; 0: as many as it opens with. */
int eex__lua_take_threads(lua_State *L, eex__lua_held *held, int threads);
void eex__lua_give_back(lua_State *L, eex__lua_held *held);
/* EEX_ESCRIPT with that message. */
int eex__lua_too_large(lua_State *L, const char *why);

/* Like luaL_loadbufferx with text, and Ctrl-C ends it. */
int eex__lua_load_text(lua_State *L, const char *text, size_t size, const char *name);

/* Adds to the table on the top what only the prelude calls. */
void eex__lua_set_host(lua_State *L);

/* Puts the standard library into the state, as far as it is allowed. Raises. */
void eex__lua_open_libs(lua_State *L);

/* Makes `require`. All other globals are there: the library sees them as they are then. Raises. */
void eex__lua_open_require(lua_State *L);

/* Pushes a table with the same fields. */
void eex__lua_push_copy(lua_State *L, int index);

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
