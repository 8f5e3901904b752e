#include "lua/graph_words.h"

#include "lua/args.h"

#include "base/text.h"

#include <lauxlib.h>
#include <string.h>

static const char *const graph[] = {"name", "size", "height", "width", "channels", NULL};
static const char *const conv[] = {"out",    "kernel", "stride",     "pad",
                                   "groups", "bias",   "transforms", NULL};
static const char *const max_pool[] = {"kernel", "stride", "pad", NULL};
static const char *const pool[] = {"functional", NULL};
static const char *const linear[] = {"out", "bias", "init_std", NULL};
static const char *const gate[] = {"point", "blocks", "heads", "family", "channels", NULL};
static const char *const gene[] = {"name", "kind", "values", NULL};
static const char *const node[] = {"id",     "name", "kind",       "block",    "h",   "w",    "c",
                                   "inputs", "macs", "trunk_macs", "gateable", "act", "exit", NULL};
static const char *const parameter[] = {"name", "shape", "trainable", NULL};
static const char *const exits[] = {"point", "blocks",     "logits", "trunk",
                                    "gate",  "cumulative", NULL};

static const struct {
    const char *name; /* in messages */
    const char *const *fields;
} tables[] = {
    [EEX__OF_GRAPH] = {"graph", graph},
    [EEX__OF_CONV] = {"conv", conv},
    [EEX__OF_MAX_POOL] = {"max_pool", max_pool},
    [EEX__OF_POOL] = {"pool", pool},
    [EEX__OF_LINEAR] = {"linear", linear},
    [EEX__OF_GATE] = {"gate", gate},
    [EEX__OF_GENE] = {"gene", gene},
    [EEX__OF_NODE] = {"node", node},
    [EEX__OF_PARAMETER] = {"parameter", parameter},
    [EEX__OF_EXIT] = {"exit", exits},
};
_Static_assert(sizeof tables / sizeof *tables == EEX__GRAPH_TABLES, "a row a table");

const char *const *eex__graph_fields(eex__graph_table table)
{
    return tables[table].fields;
}

/* ---- methods ---- */

#define NONE -1, false, ""

static const eex__graph_method methods[] = {
    {"eex.graph", "", EEX__OF_GRAPH, false, ""},
    {"input", "", NONE},
    {"block", "name", NONE},
    {"conv", "x, name, ", EEX__OF_CONV, false, ""},
    {"batch_norm", "x, name", NONE},
    {"act", "x, name, kind, ", EEX__OF_POOL, false, ""},
    {"add", "x, y, name", NONE},
    {"scale", "x, factors, name", NONE},
    {"concat", "x, y, name", NONE},
    {"max_pool", "x, name, ", EEX__OF_MAX_POOL, false, ""},
    {"global_pool", "x, name, ", EEX__OF_POOL, false, ""},
    {"flatten", "x, name, ", EEX__OF_POOL, false, ""},
    {"dropout", "x, name, p", NONE},
    {"linear", "x, name, ", EEX__OF_LINEAR, false, ""},
    {"gene", "", EEX__OF_GENE, false, ""},
    {"choice", "gene, numbers", NONE},
    {"present", "gene, from", NONE},
    {"resolution", "gene", NONE},
    {"finish", "x", NONE},
    {"name", "", NONE},
    {"layers", "", NONE},
    {"nodes", "", NONE},
    {"parameters", "", NONE},
    {"parameter_count", "", NONE},
    {"cost", "convention", NONE},
    {"exits", "convention", NONE},
    {"points", "saliency", NONE},
    {"genes", "", NONE},
    {"canonical", "genome", NONE},
    {"smallest", "", NONE},
    {"largest", "", NONE},
    {"derive", "genome", NONE},
    {"with_gates", "", EEX__OF_GATE, true, ", act"},
};

const eex__graph_method *eex__graph_methods(int *count)
{
    *count = sizeof methods / sizeof *methods;
    return methods;
}

const char *eex__graph_push_method(lua_State *L, const eex__graph_method *m)
{
    const bool method = !strchr(m->name, '.');
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    luaL_addstring(&b, method ? "g:" : "");
    luaL_addstring(&b, m->name);
    luaL_addstring(&b, method ? "(" : " ");
    luaL_addstring(&b, m->before);
    if (m->table >= 0) {
        const char *const *fields = tables[m->table].fields;
        luaL_addstring(&b, m->list ? "{ { " : "{ ");
        for (int i = 0; fields[i]; i++) {
            luaL_addstring(&b, i ? ", " : "");
            luaL_addstring(&b, fields[i]);
        }
        luaL_addstring(&b, m->list ? " }, ... }" : " }");
    }
    luaL_addstring(&b, m->behind);
    luaL_addstring(&b, method ? ")" : "");
    luaL_pushresult(&b);
    return lua_tostring(L, -1);
}

/* The row with the name that is most like it; NULL: none is. */
static const eex__graph_method *nearest(const char *name)
{
    enum { ROWS = sizeof methods / sizeof *methods };
    const char *names[ROWS];
    for (int i = 0; i < ROWS; i++)
        names[i] = methods[i].name;
    const char *near = eex_text_nearest(name, names, ROWS);
    for (int i = 0; near && i < ROWS; i++)
        if (strcmp(near, names[i]) == 0)
            return &methods[i];
    return NULL;
}

/* __index: upvalue 1 has the methods. */
static int find_method(lua_State *L)
{
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL || lua_type(L, 2) != LUA_TSTRING)
        return 1;
    const eex__graph_method *near = nearest(lua_tostring(L, 2));
    eex_lua_where(L);
    lua_pushfstring(L, "g:%s: graphs have no such method", lua_tostring(L, 2));
    lua_pushstring(L, near ? ", did you mean " : "");
    if (near)
        eex__graph_push_method(L, near);
    lua_pushstring(L, near ? "?" : "");
    lua_concat(L, near ? 5 : 4);
    return lua_error(L);
}

void eex__graph_guard_methods(lua_State *L)
{
    lua_pushcclosure(L, find_method, 1);
}

/* ---- what is returned ---- */

/* __index: called for what the table itself does not have. Upvalue: the kind of table. */
static int no_such_field(lua_State *L)
{
    const int table = (int)lua_tointeger(L, lua_upvalueindex(1));
    lua_settop(L, 2);
    if (lua_type(L, 2) == LUA_TSTRING)
        eex_args_check_name(L, tables[table].name, lua_tostring(L, 2), tables[table].fields);
    lua_pushnil(L);
    return 1;
}

void eex__graph_guard(lua_State *L, eex__graph_table table)
{
    lua_pushfstring(L, "eex.graph.%s", tables[table].name);
    const char *name = lua_tostring(L, -1);
    if (luaL_newmetatable(L, name)) {
        lua_pushinteger(L, (lua_Integer)table);
        lua_pushcclosure(L, no_such_field, 1);
        lua_setfield(L, -2, "__index");
        lua_pushliteral(L, "fields"); /* what getmetatable says, and eex.inspect looks for */
        lua_setfield(L, -2, "__metatable");
    }
    lua_setmetatable(L, -3);
    lua_pop(L, 1);
}
