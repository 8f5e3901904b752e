/* Values of a sweep as `--set` takes them: text. */
#include "lua/lua_sweep_impl.h"

#include "base/status.h"

#include <ctype.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 8 };

_Noreturn void eex__sweep_no_memory(lua_State *L)
{
    eex_fail(EEX_ENOMEM, "out of memory for a sweep");
    eex_lua_raise(L);
}

void eex__sweep_keep(lua_State *L, char **out, const char *text)
{
    *out = strdup(text);
    if (!*out)
        eex__sweep_no_memory(L);
}

static void put_quoted(luaL_Buffer *b, const char *text, size_t length)
{
    luaL_addchar(b, '"');
    for (size_t i = 0; i < length; i++) {
        char escaped[8];
        if (isprint((unsigned char)text[i]) && text[i] != '"' && text[i] != '\\') {
            luaL_addchar(b, text[i]);
            continue;
        }
        snprintf(escaped, sizeof escaped, "\\%03d", (unsigned char)text[i]);
        luaL_addstring(b, escaped);
    }
    luaL_addchar(b, '"');
}

/* Whether --set takes the bare text for a string. */
static bool is_plain(lua_State *L, const char *text)
{
    if (!*text || strchr("{\"'", *text) || strcmp(text, "true") == 0 ||
        strcmp(text, "false") == 0 || strcmp(text, "nil") == 0)
        return false;
    for (const char *c = text; *c; c++)
        if (!isprint((unsigned char)*c))
            return false;
    if (lua_stringtonumber(L, text) == 0)
        return true;
    lua_pop(L, 1);
    return false;
}

/* A list or a table as Lua writes it. */
static void push_table(lua_State *L, int index, int depth)
{
    const lua_Integer length = (lua_Integer)lua_rawlen(L, index);
    const eex_args list = {L, index, "a value of a sweep"};
    int parts = 0;
    eex_args_list(&list); /* nothing else has a place in --set's text */
    luaL_checkstack(L, 16, NULL);
    lua_pushliteral(L, "{");
    for (lua_Integer i = 1; i <= length; i++, parts++) {
        lua_pushstring(L, parts ? "," : "");
        lua_rawgeti(L, index, i);
        eex__sweep_push_text(L, lua_gettop(L), depth + 1);
        lua_remove(L, -2);
        lua_concat(L, 3);
    }
    lua_pushliteral(L, "}");
    lua_concat(L, 2);
}

/* Of those that read back the same, the shorter one. */
static void push_number(lua_State *L, int index)
{
    char text[64];
    const double value = (double)lua_tonumber(L, index);
    if (lua_isinteger(L, index)) {
        snprintf(text, sizeof text, "%lld", (long long)lua_tointeger(L, index));
    } else {
        snprintf(text, sizeof text, "%.15g", value);
        if (strtod(text, NULL) != value)
            snprintf(text, sizeof text, "%.17g", value);
    }
    lua_pushstring(L, text);
}

static void push_string(lua_State *L, int index, int depth)
{
    size_t length;
    luaL_Buffer b;
    const char *text = lua_tolstring(L, index, &length);
    if (depth == 0 && strlen(text) == length && is_plain(L, text)) {
        lua_pushvalue(L, index);
        return;
    }
    luaL_buffinit(L, &b);
    put_quoted(&b, text, length);
    luaL_pushresult(&b);
}

/* The value at `index` as text, on top of the stack; nested strings are quoted. */
void eex__sweep_push_text(lua_State *L, int index, int depth)
{
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN:
        lua_pushstring(L, lua_toboolean(L, index) ? "true" : "false");
        return;
    case LUA_TNUMBER:
        push_number(L, index);
        return;
    case LUA_TSTRING:
        push_string(L, index, depth);
        return;
    case LUA_TTABLE:
        if (depth < DEPTH && lua_getmetatable(L, index) == 0) {
            push_table(L, index, depth);
            return;
        }
        break;
    default:
        break;
    }
    luaL_error(L,
               "a value of a sweep is a number, a text, true, false or a list of these, got a %s",
               luaL_typename(L, index));
}

void eex__sweep_keep_value(lua_State *L, char **out, int index)
{
    eex__sweep_push_text(L, lua_absindex(L, index), 0);
    eex__sweep_keep(L, out, lua_tostring(L, -1));
    lua_pop(L, 1);
}
