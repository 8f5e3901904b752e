#include "cli/help_lua.h"

#include "lua/sandbox.h"

#include "base/status.h"

#include <lauxlib.h>
#include <stdio.h>

/* print(require("eex.help")[name]()) */
static int print_text(lua_State *L)
{
    const char *name = lua_touserdata(L, 1);
    eex_lua_push_module(L, "eex.help");
    lua_getfield(L, -1, name);
    lua_call(L, 0, 1);
    fputs(luaL_checkstring(L, -1), stdout);
    return 0;
}

static int print(char *name)
{
    const eex_lua_options options = {.print = stdout};
    lua_State *L = NULL;
    EEX_TRY(eex_lua_open(&L, &options));
    const int code = eex_lua_protect(L, print_text, name);
    eex_lua_close(L);
    return code;
}

int eex_help_lua(void)
{
    char name[] = "all";
    return print(name);
}

int eex_help_lua_page(void)
{
    char name[] = "page";
    return print(name);
}
