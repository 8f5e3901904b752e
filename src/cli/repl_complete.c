/* What Tab offers: eex.complete knows. */
#include "cli/repl_impl.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

typedef struct completion {
    const eex_repl *repl;
    const char *line, *word;
    char **out;
    size_t room, count;
} completion;

static int collect(lua_State *L)
{
    completion *c = lua_touserdata(L, 1);
    eex_lua_push_module(L, "eex.complete");
    lua_pushstring(L, c->line);
    lua_pushstring(L, c->word);
    eex__repl_push_names(c->repl);
    lua_call(L, 3, 1);
    luaL_checktype(L, -1, LUA_TTABLE);
    for (lua_Integer i = 1; c->count < c->room && lua_rawgeti(L, -1, i) == LUA_TSTRING; i++) {
        char *match = strdup(lua_tostring(L, -1));
        lua_pop(L, 1);
        if (!match)
            break;
        c->out[c->count++] = match;
    }
    return 0;
}

size_t eex__repl_complete(void *context, char **out, size_t room, const char *line,
                          const char *word)
{
    completion c = {context, line, word, out, room, 0};
    (void)eex__repl_protect(c.repl, collect, &c); /* there is nothing to offer */
    return c.count;
}
