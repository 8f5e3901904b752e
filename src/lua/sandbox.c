#include "lua/sandbox.h"

#include "lua/sandbox_impl.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/status.h"
#include "base/text.h"

#include <lauxlib.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    INSTRUCTIONS = 100,         /* between two looks at the interrupt flag */
    LARGE = 1 << 20,            /* bytes */
    LARGEST = 4,                /* one value takes at most this part of the memory */
    MAX_SCRIPT = 16 << 20,      /* bytes */
    DEFAULT_MEMORY = 1024 << 20 /* bytes */
};

/* ---- memory ---- */

static void *allocate(void *data, void *block, size_t old, size_t size)
{
    eex__lua *s = data;
    if (!block)
        old = 0; /* Lua passes the kind of object then */
    if (size == 0) {
        free(block);
        s->used -= old;
        return NULL;
    }
    if (size > old && size >= LARGE && eex_interrupted())
        return NULL; /* a hundred instructions that each fill that much take long */
    if (size > old &&
        (size > s->limit / LARGEST || s->used > s->limit || size - old > s->limit - s->used)) {
        s->full = true;
        s->single = size > s->limit / LARGEST;
        return NULL;
    }
    void *moved = realloc(block, size);
    if (moved)
        s->used = s->used - old + size;
    return moved;
}

eex__lua *eex__lua_of(lua_State *L)
{
    void *data;
    lua_getallocf(L, &data);
    return data;
}

/* ---- interrupting ---- */

/* A script may catch the error; so from the first one on every instruction raises it again, until
 * the stack is unwound. Coroutines inherit the hook. Calls are seen too: a hundred calls of C
 * functions may take long. */
static void interrupt_hook(lua_State *L, lua_Debug *at)
{
    int wanted = eex_interrupted() ? 1 : INSTRUCTIONS;
    if (lua_gethookcount(L) != wanted)
        lua_sethook(L, interrupt_hook, LUA_MASKCALL | LUA_MASKCOUNT, wanted);
    if (wanted == 1)
        luaL_error(L, "interrupted");
}

/* ---- calling ---- */

/* Turns any error value into text and leaves the traceback to those who ask for details. */
static int describe_error(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TSTRING) {
        if (!luaL_callmeta(L, 1, "__tostring") || lua_type(L, -1) != LUA_TSTRING)
            lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
        lua_replace(L, 1);
        lua_settop(L, 1);
    }
    if (eex_log_get_level() >= EEX_LOG_DEBUG) {
        luaL_traceback(L, L, NULL, 1);
        eex_log_debug("%s", lua_tostring(L, -1));
        lua_settop(L, 1);
    }
    return 1;
}

static int report(lua_State *L, int status)
{
    eex__lua *s = eex__lua_of(L);
    const char *message = lua_tostring(L, -1); /* text: no conversion, no allocation */
    /* `require` and scripts pass the error on as an ordinary one */
    bool out_of_memory =
        status == LUA_ERRMEM || (message && strcmp(message, "not enough memory") == 0);
    int code;
    if (eex_interrupted())
        code = eex_fail(EEX_EINTERRUPTED, "interrupted while the script was running");
    else if (out_of_memory && s->full && s->single)
        code = eex_fail(EEX_ESCRIPT,
                        "a single value takes more than %zu of the script's %zu MiB of memory",
                        s->limit / LARGEST >> 20, s->limit >> 20);
    else if (out_of_memory && s->full)
        code = eex_fail(EEX_ESCRIPT, "the script needs more than its %zu MiB of memory",
                        s->limit >> 20);
    else if (out_of_memory)
        code = eex_fail(EEX_ENOMEM, "out of memory while the script was running");
    else if (message && strstr(message, "out of memory")) /* eex's own, through eex_lua_raise */
        code = eex_fail(EEX_ENOMEM, "%s", message);
    else
        code = eex_fail(EEX_ESCRIPT, "%s", message ? message : "(error without a message)");
    s->full = false;
    return code;
}

/* What a script has filled its memory with is free again for the next one. Lua itself collects when
 * it finds no room, but leaves objects with finalizers, and all that they hold, to a later time;
 * those go with the second round. */
static void clear_up(lua_State *L)
{
    lua_gc(L, LUA_GCCOLLECT);
    lua_gc(L, LUA_GCCOLLECT);
}

int eex_lua_call(lua_State *L, int arguments, int results)
{
    int base = lua_gettop(L) - arguments;
    if (eex_interrupted()) {
        lua_settop(L, base - 1);
        return eex_fail(EEX_EINTERRUPTED, "interrupted before the script ran");
    }
    if (!lua_checkstack(L, LUA_MINSTACK)) {
        lua_settop(L, base - 1);
        return eex_fail(EEX_ENOMEM, "Lua: the stack is full");
    }
    lua_pushcfunction(L, describe_error);
    lua_insert(L, base);
    int status = lua_pcall(L, arguments, results, base);
    lua_remove(L, base);
    if (status == LUA_OK)
        return EEX_OK;
    const bool full = eex__lua_of(L)->full;
    int code = report(L, status);
    lua_settop(L, base - 1);
    if (full)
        clear_up(L);
    return code;
}

bool eex_lua_trusts(lua_State *L)
{
    return eex__lua_of(L)->trust;
}

FILE *eex_lua_out(lua_State *L)
{
    return eex__lua_of(L)->print;
}

bool eex_lua_typed(lua_State *L, bool typed)
{
    eex__lua *s = eex__lua_of(L);
    const bool before = s->typed;
    s->typed = typed;
    return before;
}

int eex_lua_protect(lua_State *L, lua_CFunction f, void *data)
{
    if (!lua_checkstack(L, 2))
        return eex_fail(EEX_ENOMEM, "Lua: the stack is full");
    lua_pushcfunction(L, f);
    lua_pushlightuserdata(L, data);
    return eex_lua_call(L, 1, 0);
}

/* ---- opening ---- */

static int set_up(lua_State *L)
{
    eex__lua_open_libs(L);
    lua_sethook(L, interrupt_hook, LUA_MASKCALL | LUA_MASKCOUNT, INSTRUCTIONS);
    return 0;
}

static void state_free(eex__lua *s)
{
    if (!s)
        return;
    free(s->shown);
    free(s->folder);
    free(s->library);
    free(s);
}

static int real_path(char **out, const char *path)
{
    *out = realpath(path, NULL);
    return *out ? EEX_OK : eex_fail(EEX_ENOTFOUND, "the folder \"%s\" does not exist", path);
}

static int find_folders(eex__lua *s, const char *folder)
{
    char *library = NULL;
    bool current = !folder || strcmp(folder, ".") == 0;
    s->shown = strdup(current ? "" : folder);
    if (!s->shown)
        return eex_fail(EEX_ENOMEM, "Lua: out of memory");
    eex_text_disarm(s->shown, "");
    EEX_TRY(real_path(&s->folder, current ? "." : folder));
    EEX_TRY(eex_lua_library(&library));
    int code = real_path(&s->library, library);
    free(library);
    return code;
}

int eex_lua_open(lua_State **out, const eex_lua_options *options)
{
    lua_State *L = NULL;
    eex__lua *s = calloc(1, sizeof *s);
    if (!s)
        return eex_fail(EEX_ENOMEM, "Lua: out of memory");
    s->limit = options->memory ? options->memory : DEFAULT_MEMORY;
    s->trust = options->trust;
    s->print = options->print ? options->print : stderr;
    s->expendable = options->expendable;
    s->stop = options->stop;
    int code = find_folders(s, options->folder);
    if (code == EEX_OK && !(L = lua_newstate(allocate, s)))
        code = eex_fail(EEX_ENOMEM, "Lua: out of memory");
    if (code == EEX_OK)
        code = eex_lua_protect(L, set_up, NULL);
    if (code < 0) {
        if (L)
            lua_close(L);
        state_free(s);
        return code;
    }
    if (s->expendable)
        eex_signals_expendable(true);
    *out = L;
    return EEX_OK;
}

int eex_lua_open_for(lua_State **out, const char *path, const eex_lua_options *options)
{
    char *folder = NULL;
    eex_lua_options own = *options;
    EEX_TRY(eex_path_folder(&folder, path));
    own.folder = folder;
    int code = eex_fs_find(path); /* before its folder is missed */
    if (code == EEX_OK)
        code = eex_lua_open(out, &own);
    free(folder);
    return code;
}

void eex_lua_close(lua_State *L)
{
    if (!L)
        return;
    eex__lua *s = eex__lua_of(L);
    lua_close(L);
    if (s->expendable)
        eex_signals_expendable(false);
    state_free(s);
}

/* ---- running a file ---- */

/* Where the program begins: behind a byte order mark and a first line for the shell, whose end
 * stays so that lines keep their numbers. */
static const char *skip_prefix(const char *text)
{
    if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
        text += 3;
    return *text == '#' ? text + strcspn(text, "\n") : text;
}

static int run_text(lua_State *L, const char *text, size_t size, const char *name)
{
    char chunk[PATH_MAX + 1];
    const char *program = skip_prefix(text);
    int status = LUA_ERRMEM;
    if (snprintf(chunk, sizeof chunk, "@%s", name) >= (int)sizeof chunk)
        return eex_fail(EEX_EINVAL, "\"%.60s...\": the path is too long", name);
    eex_text_disarm(chunk, ""); /* messages begin with it */
    if (lua_checkstack(L, LUA_MINSTACK))
        status = eex__lua_load_text(L, program, size - (size_t)(program - text), chunk);
    else
        lua_pushnil(L);
    if (status == LUA_OK)
        return eex_lua_call(L, 0, 1);
    int code = report(L, status);
    lua_pop(L, 1);
    return code;
}

int eex_lua_run_text(lua_State *L, const char *text, const char *name)
{
    return run_text(L, text, strlen(text), name);
}

int eex_lua_run_file(lua_State *L, const char *path)
{
    char *text = NULL;
    size_t size = 0;
    if (eex_fs_is_folder(path))
        return eex_fail(EEX_EINVAL, "\"%s\" is a folder, not a Lua script", path);
    EEX_TRY(eex_fs_read(&text, &size, path, MAX_SCRIPT));
    int code = run_text(L, text, size, path);
    free(text);
    return code;
}

int eex_lua_fail_in(int code, const char *path)
{
    char shown[PATH_MAX + 1];
    snprintf(shown, sizeof shown, "%s", path);
    eex_text_disarm(shown, "");
    const size_t length = strlen(shown);
    const bool has = strncmp(eex_error(), shown, length) == 0 && eex_error()[length] == ':';
    return has ? code : eex_fail_in(code, "%s", path);
}
