/* Every allocation of a Lua state and of a script's graph fails once. */
#include "lua/lua_graph.h"
#include "lua/sandbox.h"
#include "support/memory.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <lauxlib.h>

static const char program[] = "local core = require 'eex.core'\n"
                              "local g = core.graph { name = 'g', size = 4 }\n"
                              "local x = g:conv(g:input(), 'c', { out = 4, kernel = 3 })\n"
                              "x = g:act(g:batch_norm(x, 'b'), 'a', 'relu')\n"
                              "x = g:linear(g:global_pool(x, 'p'), 'l', { out = 3 })\n"
                              "g = g:finish(x)\n"
                              "assert(#g:points('all') == 3)\n"
                              "return g:with_gates { { point = 'a', blocks = 1 } }";

static int script(void)
{
    lua_State *L = NULL;
    EEX_TRY(eex_lua_open(&L, &(eex_lua_options){.memory = 8 << 20}));
    int code = EEX_OK;
    if (luaL_loadbufferx(L, program, sizeof program - 1, "=program", "t") != LUA_OK)
        code = eex_fail(EEX_ENOMEM, "%s", "out of memory for the program");
    if (code == EEX_OK)
        code = eex_lua_call(L, 0, 1);
    if (code == EEX_OK)
        cr_expect(eex_lua_finished(L, -1) != NULL);
    eex_lua_close(L);
    return code;
}

Test(lua_memory, every_failure_is_reported)
{
    cr_assert_gt(test_fail_each_allocation(script), 20);
}
