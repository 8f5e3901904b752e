#include "support/script.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <lauxlib.h>
#include <string.h>

static lua_State *const *state;
static const char *before;

void script_in(lua_State *const *L, const char *prelude)
{
    state = L;
    before = prelude;
}

static void load(const char *text, const char *name)
{
    if (luaL_loadbuffer(*state, text, strlen(text), name) != LUA_OK)
        cr_assert_fail("%s", lua_tostring(*state, -1));
}

int script_run(const char *text)
{
    lua_settop(*state, 0);
    load(before, "@prelude.lua");
    cr_assert_eq(eex_lua_call(*state, 0, 0), EEX_OK, "%s", eex_error());
    load(text, "@a.lua");
    return eex_lua_call(*state, 0, 1);
}

void gives(const char *text, const char *wanted)
{
    const int code = script_run(text);
    cr_assert_eq(code, EEX_OK, "%s: %s", text, eex_error());
    const char *got = luaL_tolstring(*state, -1, NULL);
    cr_expect_str_eq(got, wanted, "%s: got %s, not %s", text, got, wanted);
}

void fails(const char *text, const char *part)
{
    const int code = script_run(text);
    cr_expect_eq(code, EEX_ESCRIPT, "%s: got %d", text, code);
    cr_expect(strstr(eex_error(), part), "%s: \"%s\" does not say \"%s\"", text, eex_error(), part);
}
