#include "lua/core.h"

#include "core/graph/cost.h"
#include "lua/args.h"
#include "lua/lua_class.h"
#include "lua/lua_graph.h"
#include "lua/lua_model.h"
#include "lua/lua_run.h"
#include "lua/show.h"
#include "lua/stop.h"

#include <lauxlib.h>
#include <math.h>

enum { MAX_FIELDS = 64 };

/* fail(message): an error at the place in the script, not in the library. */
static int core_fail(lua_State *L)
{
    luaL_checkstring(L, 1);
    eex_lua_where(L);
    lua_pushvalue(L, 1);
    lua_concat(L, 2);
    return lua_error(L);
}

enum { INTEGER, NUMBER, FLAG, TEXT, CHOICE, KINDS };
EEX_NAMES_LOCAL(kind, KINDS, [INTEGER] = "integer", [NUMBER] = "number", [FLAG] = "flag",
                [TEXT] = "text", [CHOICE] = "choice");

static void push_integer(const eex_args *options, const eex_args *spec, const char *name)
{
    lua_Integer min = eex_args_int_or(spec, "min", LUA_MININTEGER, LUA_MAXINTEGER, 0);
    lua_Integer max = eex_args_int_or(spec, "max", LUA_MININTEGER, LUA_MAXINTEGER, LUA_MAXINTEGER);
    lua_pushinteger(options->L, eex_args_int(options, name, min, max));
}

static void push_number(const eex_args *options, const eex_args *spec, const char *name)
{
    double min = eex_args_number_or(spec, "min", -HUGE_VAL, HUGE_VAL, -HUGE_VAL);
    double max = eex_args_number_or(spec, "max", -HUGE_VAL, HUGE_VAL, HUGE_VAL);
    lua_pushnumber(options->L, eex_args_number(options, name, min, max));
}

/* Raw access throughout: a metatable's function could take away what texts are borrowed from. */
static void push_choice(const eex_args *options, const eex_args *spec, const char *name)
{
    enum { MAX_NAMES = 16 };
    const char *list[MAX_NAMES + 1] = {NULL};
    lua_State *L = options->L;
    eex_names names = {list, 0};
    lua_pushliteral(L, "names");
    if (lua_rawget(L, spec->table) != LUA_TTABLE)
        eex_args_refuse(spec, "names", "a list of texts");
    while (names.count < MAX_NAMES &&
           lua_rawgeti(L, -1 - names.count, names.count + 1) == LUA_TSTRING)
        list[names.count++] = lua_tostring(L, -1);
    lua_pushstring(L, list[eex_args_choice(options, name, &names)]);
}

/* One field of `fields`: its kind is the spec's "kind". The result is on the top of the stack. */
static void push_field(const eex_args *options, const eex_args *spec, const char *name)
{
    lua_State *L = options->L;
    const int kind = eex_args_choice(spec, "kind", kind_names());
    if (!eex_args_has(options, name) && eex_args_has(spec, "default")) {
        lua_pushliteral(L, "default");
        lua_rawget(L, spec->table);
    } else if (kind == INTEGER)
        push_integer(options, spec, name);
    else if (kind == NUMBER)
        push_number(options, spec, name);
    else if (kind == FLAG)
        lua_pushboolean(L, eex_args_flag_or(options, name, false));
    else if (kind == TEXT)
        lua_pushstring(L, eex_args_text(options, name, 4096));
    else
        push_choice(options, spec, name);
}

/* fields(path, options, specs): a new table with every field of `specs`, checked, with defaults.
 * specs: {{name = "size", kind = "integer", default = 32, min = 1, max = 1024}, ...}; kinds
 * integer, number, flag, text and choice (with names = {...}). */
static int core_fields(lua_State *L)
{
    const char *known[MAX_FIELDS + 1] = {NULL};
    eex_args options = eex_args_open(L, 2, eex_lua_text(L, 1), true);
    eex_args specs = eex_args_open(L, 3, "specs", false);
    lua_Unsigned count = lua_rawlen(L, specs.table);
    if (count > MAX_FIELDS)
        return luaL_error(L, "specs: at most %d", MAX_FIELDS);
    lua_newtable(L);
    int result = lua_gettop(L);
    for (int i = 0; i < (int)count; i++) {
        eex_args spec = eex_args_member(&specs, i + 1);
        known[i] = eex_args_text(&spec, "name", 64);
        lua_settop(L, result);
    }
    eex_args_known(&options, known);
    luaL_checkstack(L, 40, NULL);
    for (int i = 0; i < (int)count; i++) {
        eex_args spec = eex_args_member(&specs, i + 1);
        push_field(&options, &spec, known[i]);
        lua_setfield(L, result, known[i]);
        lua_settop(L, result);
    }
    return 1;
}

static const eex__lua_function functions[] = {
    {"graph", eex_lua_graph_new, 1},
    {"predictor", eex_lua_graph_predictor, 2},
    {"open", eex_lua_model_open, 2},
    {"run", eex_lua_run_open, 1},
    {"fail", core_fail, EEX__ANY},
    {"fields", core_fields, EEX__ANY},
    {"arguments", eex__lua_arguments, EEX__ANY},
    {"class", eex__lua_class_of, EEX__ANY},
    {"members", eex__lua_class_members, EEX__ANY},
    {"classes", eex__lua_classes, EEX__ANY},
    {"table", eex__lua_show_table, EEX__ANY},
    {"repl", eex__lua_stop, 0},
    {"wrap", eex__lua_show_wrapped, EEX__ANY},
    {"width", eex__lua_show_width, EEX__ANY},
    {"picture", eex__lua_write_picture, EEX__ANY},
    {"described_fields", eex__lua_described_fields, EEX__ANY},
    {"described_methods", eex__lua_described_methods, EEX__ANY},
    {NULL, NULL, 0}};

int eex_lua_open_core(lua_State *L)
{
    eex_lua_graph_register(L);
    eex_lua_model_register(L);
    eex_lua_run_register(L);
    lua_newtable(L);
    eex__lua_set_functions(L, functions);
    lua_createtable(L, EEX_CONVENTIONS, 0);
    for (int i = 0; i < EEX_CONVENTIONS; i++) {
        lua_pushstring(L, eex_convention_name((eex_convention)i));
        lua_seti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "conventions");
    lua_pushliteral(L, EEX_VERSION);
    lua_setfield(L, -2, "version");
    return 1;
}
