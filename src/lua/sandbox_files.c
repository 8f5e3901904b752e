/* The files that scripts may read: io.open and require. */
#include "lua/args.h"
#include "lua/core.h"
#include "lua/sandbox_impl.h"

#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <limits.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- opening ---- */

static int close_handle(lua_State *L)
{
    luaL_Stream *p = luaL_checkudata(L, 1, LUA_FILEHANDLE);
    return luaL_fileresult(L, fclose(p->f) == 0, NULL);
}

static bool is_below(const char *path, const char *root)
{
    size_t length = strlen(root);
    if (length == 1) /* "/" */
        return true;
    return strncmp(path, root, length) == 0 && (path[length] == '/' || path[length] == 0);
}

/* Paths that leave the root by their spelling are not even looked up: whether such a file exists is
 * no business of a script. */
static bool leaves(const char *path, const char *root)
{
    if (*path == '/' && !is_below(path, root))
        return true;
    for (const char *part = path; part; part = strchr(part, '/')) {
        part += strspn(part, "/");
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == 0))
            return true;
    }
    return false;
}

/* The real path has no links, so the last part must not have become one since. */
static FILE *open_regular(const char *real)
{
    struct stat info;
    int fd = open(real, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return NULL;
    FILE *file = NULL;
    if (fstat(fd, &info) == 0 && !S_ISREG(info.st_mode))
        errno = EINVAL; /* a folder, a pipe, a device */
    else
        file = fdopen(fd, "r");
    if (!file) {
        int saved = errno;
        close(fd);
        errno = saved;
    }
    return file;
}

static void below(char full[PATH_MAX], int *length, const char *root, const char *path)
{
    *length =
        snprintf(full, PATH_MAX, "%s%s%s", *path == '/' ? "" : root, *path == '/' ? "" : "/", path);
}

static int fail_outside(const char *path)
{
    return eex_fail(EEX_ESCRIPT,
                    "\"%s\" is outside the experiment's folder: give --trust to use it", path);
}

int eex__lua_readable(lua_State *L, char *real, const char *path)
{
    const eex__lua *s = eex__lua_of(L);
    char full[PATH_MAX];
    int length;
    if (s->trust)
        length = snprintf(full, sizeof full, "%s", path);
    else
        below(full, &length, s->folder, path);
    if (length >= (int)sizeof full)
        return eex_fail(EEX_EINVAL, "\"%.60s...\": the path is too long", path);
    if (!s->trust && leaves(path, s->folder))
        return fail_outside(path);
    if (!realpath(full, real))
        return eex_fail(errno == ENOENT ? EEX_ENOTFOUND : EEX_EIO, "%s: %s", path, strerror(errno));
    if (!s->trust && !is_below(real, s->folder))
        return fail_outside(path);
    if (s->trust)
        memcpy(real, full, (size_t)length + 1);
    return EEX_OK;
}

FILE *eex__lua_open_below(lua_State *L, const char *root, const char *path, bool *refused)
{
    char full[PATH_MAX], real[PATH_MAX];
    luaL_Stream *handle = lua_newuserdatauv(L, sizeof *handle, 0);
    handle->closef = NULL; /* closed */
    handle->f = NULL;
    luaL_setmetatable(L, LUA_FILEHANDLE);
    *refused = false;
    int length;
    below(full, &length, root, path);
    if (length >= (int)sizeof full) {
        errno = ENAMETOOLONG;
    } else if (leaves(path, root)) {
        *refused = true;
    } else if (realpath(full, real)) {
        *refused = !is_below(real, root);
        if (!*refused && (handle->f = open_regular(real))) {
            handle->closef = close_handle;
            return handle->f;
        }
    }
    if (*refused)
        fail_outside(path);
    else
        eex_fail(EEX_EIO, "%s: %s", path, strerror(errno));
    return NULL;
}

/* ---- io.open ---- */

int eex__lua_io_open(lua_State *L)
{
    const eex__lua *s = eex__lua_of(L);
    size_t length;
    const char *path = luaL_checklstring(L, 1, &length);
    const char *mode = luaL_optstring(L, 2, "r");
    bool refused;
    luaL_argcheck(L, strlen(path) == length, 1, "a path without zeros expected");
    if (strcmp(mode, "r") != 0 && strcmp(mode, "rb") != 0)
        return luaL_error(L, "\"%s\": scripts may only read files: give --trust to write them",
                          path);
    if (eex__lua_open_below(L, s->folder, path, &refused))
        return 1;
    if (refused && is_below(path, s->library) && eex__lua_open_below(L, s->library, path, &refused))
        return 1;
    if (refused)
        eex_lua_raise(L);
    luaL_pushfail(L);
    lua_pushstring(L, eex_error());
    return 2;
}

/* ---- require ---- */

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

static void push_loader(lua_State *L, const char *name)
{
    const eex__lua *s = eex__lua_of(L);
    bool ours = strcmp(name, "eex") == 0 || strncmp(name, "eex.", 4) == 0;
    place at = ours ? (place){s->library, "=", ""} : (place){s->folder, "@", s->shown};
    if (is_module_name(name) &&
        (try_module(L, &at, name, ".lua") || try_module(L, &at, name, "/init.lua")))
        return;
    if (!ours && !lua_isnil(L, lua_upvalueindex(2))) { /* the standard one, for trusted scripts */
        lua_pushvalue(L, lua_upvalueindex(2));
        return;
    }
    eex_lua_where(L);
    lua_pushfstring(L, "there is no module \"%s\" in %s", name,
                    ours ? "the eex library" : "the experiment's folder");
    lua_concat(L, 2);
    lua_error(L);
}

/* require(name): upvalues are the table of loaded modules and the standard require or nil. A module
 * that is being loaded has the value false. */
static int require(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    lua_settop(L, 1);
    if (lua_getfield(L, lua_upvalueindex(1), name) != LUA_TNIL) {
        if (lua_isboolean(L, -1) && !lua_toboolean(L, -1))
            return luaL_error(L, "module \"%s\" requires itself, directly or through others", name);
        return 1;
    }
    push_loader(L, name);
    lua_pushboolean(L, false);
    lua_setfield(L, lua_upvalueindex(1), name);
    lua_pushvalue(L, 1);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK) { /* so that it may be tried again */
        lua_pushnil(L);
        lua_setfield(L, lua_upvalueindex(1), name);
        return lua_error(L);
    }
    if (lua_isnil(L, -1))
        lua_pushboolean(L, true);
    lua_pushvalue(L, -1);
    lua_setfield(L, lua_upvalueindex(1), name);
    return 1;
}

void eex__lua_push_require(lua_State *L)
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
    lua_getglobal(L, "require"); /* nil without trust */
    lua_pushcclosure(L, require, 2);
}
