/* `require`, and what the modules of the library see. */
#include "lua/args.h"
#include "lua/core.h"
#include "lua/sandbox_impl.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

/* ---- finding ---- */

/* What a module lies below and how its source is called in messages: the library's begins with '='
 * so that mistakes are reported where the library was called. */
typedef struct place {
    const char *root;
    const char *mark, *shown;
} place;

typedef struct reader {
    FILE *file;
    char bytes[4096];
} reader;

static const char *read_chunk(lua_State *L, void *data, size_t *size)
{
    reader *r = data;
    eex__lua_check(L);
    *size = fread(r->bytes, 1, sizeof r->bytes, r->file);
    return *size ? r->bytes : NULL;
}

/* Loads the text of an open file; pushes the function or raises. */
static void load_text(lua_State *L, FILE *file, const char *chunk)
{
    reader r = {.file = file};
    if (lua_load(L, read_chunk, &r, chunk, "t") != LUA_OK)
        lua_error(L);
    if (ferror(file))
        luaL_error(L, "cannot read %s", chunk + 1);
}

/* Tries NAME.lua or NAME/init.lua; pushes its loader and returns true when it is there. */
static bool try_module(lua_State *L, const place *at, const char *name, const char *tail)
{
    bool refused;
    luaL_gsub(L, name, ".", "/");
    lua_pushstring(L, tail);
    lua_concat(L, 2);
    const char *path = lua_tostring(L, -1);
    FILE *file = eex__lua_open_below(L, at->root, path, &refused);
    if (refused)
        eex_lua_raise(L);
    if (!file) {
        lua_pop(L, 2);
        return false;
    }
    const char *slash = *at->shown ? "/" : "";
    const char *chunk = lua_pushfstring(L, "%s%s%s%s", at->mark, at->shown, slash, path);
    load_text(L, file, chunk);
    fclose(file);
    luaL_Stream *handle = luaL_testudata(L, -3, LUA_FILEHANDLE);
    handle->closef = NULL; /* closed now rather than by the collector */
    lua_replace(L, -4);
    lua_pop(L, 2);
    return true;
}

/* Letters, digits, '_' and '-' in parts between single dots. */
static bool is_module_name(const char *name)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    for (;;) {
        size_t part = strspn(name, allowed);
        if (part == 0)
            return false;
        if (!name[part])
            return true;
        if (name[part] != '.')
            return false;
        name += part + 1;
    }
}

/* `require`: the library and the script each have one, with the same modules. Upvalues: */
enum {
    LOADED = 1,   /* modules by name; false: it is being loaded */
    STANDARD = 2, /* the standard require, for trusted scripts, or nil */
    LIBRARY = 3,  /* the globals of the library */
    COPIES = 4,   /* what the script is given for tables of the library, by these; nil: itself */
    UPVALUES = 4
};

static bool is_ours(const char *name)
{
    return strcmp(name, "eex") == 0 || strncmp(name, "eex.", 4) == 0;
}

static void push_loader(lua_State *L, const char *name)
{
    const eex__lua *s = eex__lua_of(L);
    const bool ours = is_ours(name);
    place at = ours ? (place){s->library, "=", ""} : (place){s->folder, "@", s->shown};
    if (is_module_name(name) &&
        (try_module(L, &at, name, ".lua") || try_module(L, &at, name, "/init.lua"))) {
        if (ours) {
            lua_pushvalue(L, lua_upvalueindex(LIBRARY));
            lua_setupvalue(L, -2, 1); /* _ENV */
        }
        return;
    }
    if (!ours && !lua_isnil(L, lua_upvalueindex(STANDARD))) {
        lua_pushvalue(L, lua_upvalueindex(STANDARD));
        return;
    }
    eex_lua_where(L);
    lua_pushfstring(L, "there is no module \"%s\" in %s", luaL_gsub(L, name, "\n", "?"),
                    ours ? "the eex library" : "the experiment's folder");
    lua_remove(L, -2);
    lua_concat(L, 2);
    lua_error(L);
}

/* ---- require ---- */

/* Puts the script's copy in the place of the library's table on the top, with copies of the tables
 * in it; the same one each time. */
static void copy(lua_State *L, int copies)
{
    luaL_checkstack(L, 8, NULL);
    const int from = lua_gettop(L);
    lua_pushvalue(L, from);
    if (lua_rawget(L, copies) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, from);
        lua_pushvalue(L, -2);
        lua_rawset(L, copies);
        for (lua_pushnil(L); lua_next(L, from);) {
            if (lua_istable(L, -1))
                copy(L, copies);
            lua_pushvalue(L, -2);
            lua_insert(L, -2);
            lua_rawset(L, from + 1);
        }
        if (lua_getmetatable(L, from))
            lua_setmetatable(L, from + 1);
    }
    lua_replace(L, from);
}

/* The same for a module. What the script puts into it the library never sees. Where the memory does
 * not suffice, all that there are remain the copies that were there before. */
static void give_copy(lua_State *L)
{
    lua_pushvalue(L, -1);
    if (lua_rawget(L, lua_upvalueindex(COPIES)) != LUA_TNIL) {
        lua_replace(L, -2);
        return;
    }
    lua_pop(L, 1);
    eex__lua_push_copy(L, lua_upvalueindex(COPIES));
    lua_insert(L, -2);
    copy(L, lua_gettop(L) - 1);
    lua_insert(L, -2);
    lua_replace(L, lua_upvalueindex(COPIES));
}

/* A script may have by name what it finds under that name in `eex`, which describes it; the rest is
 * for the library alone, whose functions hand out what it works with. */
static bool is_given(lua_State *L, const char *name)
{
    const int module = lua_gettop(L);
    if (strcmp(name, "eex.core") == 0)
        return true;
    eex_lua_push_module(L, "eex");
    for (const char *at = name + strlen("eex"); *at && lua_istable(L, -1);) {
        const size_t part = strcspn(++at, ".");
        lua_pushlstring(L, at, part);
        lua_rawget(L, -2);
        at += part;
    }
    const bool found = lua_rawequal(L, -1, module);
    lua_settop(L, module);
    return found;
}

static void give_module(lua_State *L, const char *name)
{
    if (!eex_lua_trusts(L) && !is_given(L, name)) {
        eex_lua_where(L);
        lua_pushfstring(L,
                        "the module \"%s\" is for the library alone: what scripts may use is in "
                        "require \"eex\", unless --trust is given",
                        name);
        lua_concat(L, 2);
        lua_error(L);
    }
    if (lua_istable(L, -1))
        give_copy(L);
}

static void load_module(lua_State *L, const char *name)
{
    push_loader(L, name);
    lua_pushboolean(L, false);
    lua_setfield(L, lua_upvalueindex(LOADED), name);
    lua_pushvalue(L, 1);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK) { /* so that it may be tried again */
        lua_pushnil(L);
        lua_setfield(L, lua_upvalueindex(LOADED), name);
        lua_error(L);
    }
    if (lua_isnil(L, -1))
        lua_pushboolean(L, true);
    lua_pushvalue(L, -1);
    lua_setfield(L, lua_upvalueindex(LOADED), name);
}

static int require(lua_State *L)
{
    const char *name = eex_lua_text(L, 1);
    lua_settop(L, 1);
    if (lua_getfield(L, lua_upvalueindex(LOADED), name) == LUA_TNIL)
        load_module(L, name);
    else if (lua_isboolean(L, -1) && !lua_toboolean(L, -1))
        return luaL_error(L, "module \"%s\" requires itself, directly or through others", name);
    if (is_ours(name) && lua_istable(L, lua_upvalueindex(COPIES)))
        give_module(L, name);
    return 1;
}

/* ---- what the library sees ---- */

static void push_loaded(lua_State *L)
{
    static const char *const standard[] = {"_G",   "coroutine", "table", "string", "utf8",
                                           "math", "io",        "os",    "debug",  NULL};
    lua_newtable(L);
    for (int i = 0; standard[i]; i++) {
        lua_getglobal(L, standard[i]);
        lua_setfield(L, -2, standard[i]);
    }
    lua_pushcfunction(L, eex_lua_open_core);
    lua_call(L, 0, 1);
    lua_setfield(L, -2, "eex.core");
}

void eex__lua_push_copy(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, index);) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
}

/* Pushes the globals of the library: what there is now, also where a script changes it later. "_G"
 * remains what the script has. */
static void push_library(lua_State *L)
{
    lua_pushglobaltable(L);
    eex__lua_push_copy(L, -1);
    const int globals = lua_gettop(L) - 1, library = globals + 1;
    for (lua_pushnil(L); lua_next(L, globals); lua_pop(L, 1)) {
        if (!lua_istable(L, -1) || lua_rawequal(L, -1, globals))
            continue;
        lua_pushvalue(L, -2);
        eex__lua_push_copy(L, -2);
        lua_rawset(L, library);
    }
    lua_remove(L, globals);
}

/* Keys of the registry: the two functions, which no global changes. */
static const char of_library, of_script;

/* Takes the upvalues and leaves the function, which is in the registry, too. */
static void make_require(lua_State *L, const char *key)
{
    lua_pushcclosure(L, require, UPVALUES);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

void eex__lua_open_require(lua_State *L)
{
    const int base = lua_gettop(L), library = base + LIBRARY;
    push_loaded(L);
    lua_getglobal(L, "require"); /* nil without trust */
    push_library(L);
    lua_newtable(L);
    for (int i = 1; i <= UPVALUES; i++)
        lua_pushvalue(L, base + i);
    make_require(L, &of_script);
    lua_pushvalue(L, -1);
    lua_setfield(L, library, "require_given");
    lua_setglobal(L, "require");
    lua_pushvalue(L, library);
    for (int i = 1; i < COPIES; i++)
        lua_pushvalue(L, base + i);
    lua_pushnil(L);
    make_require(L, &of_library);
    lua_setfield(L, -2, "require");
    lua_settop(L, base);
}

static void push_from(lua_State *L, const char *key, const char *name)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, key);
    lua_pushstring(L, name);
    lua_call(L, 1, 1);
}

void eex_lua_push_module(lua_State *L, const char *name)
{
    push_from(L, &of_library, name);
}

void eex_lua_push_given(lua_State *L, const char *name)
{
    push_from(L, &of_script, name);
}
