/* The files that scripts may read: io.open, and what others open for them. */
#include "lua/args.h"
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
    const char *path = eex_lua_text(L, 1);
    const char *mode = eex_lua_text_or(L, 2, "r");
    bool refused;
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
