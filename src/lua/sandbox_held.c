/* What a script's objects hold outside Lua: bytes and threads. */
#include "lua/sandbox_impl.h"

#include "base/processors.h"
#include "base/status.h"

#include <stdint.h>

enum {
    THREADS_EACH = 16, /* of a state's objects, for each processor; at least */
    MIN_THREADS = 64,
    LUAS_PART = 64 /* of the memory, one part is left to Lua itself: where its own allocator finds
                    * no room it frees no objects, for their finalisers may not run then */
};

size_t eex__lua_room(lua_State *L)
{
    const eex__lua *s = eex__lua_of(L);
    return s->trust ? SIZE_MAX : s->limit > s->used ? s->limit - s->used : 0;
}

int eex__lua_too_large(lua_State *L, const char *why)
{
    return eex_fail(EEX_ESCRIPT,
                    "%s. A script's objects hold at most %zu MiB with all else that it has: "
                    "model:close() gives some back, what is referred to no more goes by itself, "
                    "--trust lifts the limit",
                    why, eex__lua_of(L)->limit >> 20);
}

int eex__lua_take(lua_State *L, eex__lua_held *held, size_t bytes, const char *why)
{
    if (eex__lua_of(L)->trust)
        return EEX_OK;
    const size_t spare = eex__lua_of(L)->limit / LUAS_PART, room = eex__lua_room(L);
    if (room < spare || bytes > room - spare)
        lua_gc(L, LUA_GCCOLLECT);
    if (bytes > eex__lua_room(L))
        return eex__lua_too_large(L, why);
    held->bytes += bytes;
    eex__lua_of(L)->used += bytes;
    return EEX_OK;
}

int eex__lua_take_threads(lua_State *L, eex__lua_held *held, int threads)
{
    eex__lua *s = eex__lua_of(L);
    const int processors = eex_processors(), wanted = threads ? threads : processors;
    const int most =
        processors > MIN_THREADS / THREADS_EACH ? processors * THREADS_EACH : MIN_THREADS;
    if (!s->trust && wanted > most - s->threads)
        lua_gc(L, LUA_GCCOLLECT);
    if (!s->trust && wanted > most - s->threads)
        return eex_fail(EEX_ESCRIPT,
                        "threads: %d more than the %d that the script's models have, %d at most: "
                        "model:close() ends some, --trust lifts the limit",
                        wanted, s->threads, most);
    held->threads += wanted;
    s->threads += wanted;
    return EEX_OK;
}

void eex__lua_give_back(lua_State *L, eex__lua_held *held)
{
    eex__lua_of(L)->used -= held->bytes;
    eex__lua_of(L)->threads -= held->threads;
    *held = (eex__lua_held){0};
}
