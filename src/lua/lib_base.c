/* Our own versions of functions of the base library, and what the prelude is made of: load and
 * collectgarbage look for an interrupt, formats have a limit, what is printed waits for a pipe
 * without being deaf. */
#include "lua/sandbox_impl.h"

#include "base/text.h"

#include <lualib.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    TEXT_PIECE = 32 << 10,   /* bytes that are compiled between two looks */
    WRITE_PIECE = 2048,      /* a pipe that is ready takes it, and what the buffer has, whole */
    WAIT = 100,              /* milliseconds */
    COLLECT_PIECE = 1 << 10, /* KiB of work between two looks */
    MAX_FORMAT = 64 << 10    /* bytes */
};

/* ---- load ---- */

typedef struct text {
    const char *at;
    size_t left;
} text;

static const char *read_text(lua_State *L, void *data, size_t *size)
{
    text *t = data;
    const char *piece = t->at;
    eex__lua_check(L);
    *size = t->left < TEXT_PIECE ? t->left : TEXT_PIECE;
    t->at += *size;
    t->left -= *size;
    return *size ? piece : NULL;
}

int eex__lua_load_text(lua_State *L, const char *at, size_t size, const char *name)
{
    text t = {at, size};
    return lua_load(L, read_text, &t, name, "t");
}

/* What a script loads: a text, or what a function gives. */
typedef struct loading {
    text text;
    bool begun, binary;
} loading;

/* Bytecode is not looked at, whatever the mode: for lua_load there is nothing where it begins. An
 * error in here would be seen by the message handlers of who called. */
static const char *without_binary(loading *l, const char *piece, size_t *size)
{
    l->binary = !l->begun && *size > 0 && piece[0] == LUA_SIGNATURE[0];
    l->begun = true;
    if (l->binary)
        *size = 0;
    return l->binary ? NULL : piece;
}

static const char *read_chunk(lua_State *L, void *data, size_t *size)
{
    loading *l = data;
    const char *piece = read_text(L, &l->text, size);
    return without_binary(l, piece, size);
}

enum { HELD = 5 }; /* the slot that keeps a piece alive while it is read */

/* From the function at index 1. */
static const char *read_pieces(lua_State *L, void *data, size_t *size)
{
    eex__lua_check(L);
    luaL_checkstack(L, 2, "too many nested functions");
    lua_pushvalue(L, 1);
    lua_call(L, 0, 1);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        *size = 0;
        return NULL;
    }
    if (!lua_isstring(L, -1))
        luaL_error(L, "reader function must return a string");
    lua_replace(L, HELD);
    const char *piece = lua_tolstring(L, HELD, size);
    return without_binary(data, piece, size);
}

/* load(chunk [, name [, mode [, env]]]): text only; other modes are as wrong for a text as Lua
 * finds them. */
static int base_load(lua_State *L)
{
    const bool has_env = !lua_isnone(L, 4);
    const char *given = luaL_optstring(L, 3, "bt"), *mode = strchr(given, 't') ? "t" : given;
    size_t size = 0;
    const char *chunk = lua_tolstring(L, 1, &size);
    loading l = {.text = {chunk, size}};
    int status;
    if (chunk) {
        status = lua_load(L, read_chunk, &l, luaL_optstring(L, 2, chunk), mode);
    } else {
        const char *name = luaL_optstring(L, 2, "=(load)");
        luaL_checktype(L, 1, LUA_TFUNCTION);
        lua_settop(L, HELD);
        status = lua_load(L, read_pieces, &l, name, mode);
    }
    if (l.binary) {
        lua_pop(L, 1);
        lua_pushliteral(L, "attempt to load a binary chunk: scripts load text only: give --trust "
                           "to load others");
        status = LUA_ERRSYNTAX;
    }
    if (status != LUA_OK) {
        luaL_pushfail(L);
        lua_insert(L, -2);
        return 2;
    }
    if (has_env) {
        lua_pushvalue(L, 4);
        if (!lua_setupvalue(L, -2, 1))
            lua_pop(L, 1);
    }
    return 1;
}

/* ---- collecting ---- */

/* What is garbage when it is called is gone afterwards: the cycle under way may have seen it alive,
 * the next one has not. */
static int host_collect(lua_State *L)
{
    for (int cycles = 0; cycles < 2;) {
        cycles += lua_gc(L, LUA_GCSTEP, COLLECT_PIECE);
        eex__lua_check(L);
    }
    lua_pushinteger(L, 0);
    return 1;
}

/* ---- formats ---- */

/* Upvalues: a function of the standard library, the index of its format. */
static int with_format(lua_State *L)
{
    const int index = (int)lua_tointeger(L, lua_upvalueindex(2));
    size_t length = 0;
    if (lua_type(L, index) == LUA_TSTRING)
        lua_tolstring(L, index, &length);
    luaL_argcheck(L, length <= MAX_FORMAT, index, "a format of more than 64 KiB");
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static void limit_format(lua_State *L, const char *library, const char *function)
{
    lua_getglobal(L, library);
    lua_getfield(L, -1, function);
    lua_pushinteger(L, 1);
    lua_pushcclosure(L, with_format, 2);
    lua_setfield(L, -2, function);
    lua_pop(L, 1);
}

/* ---- printing ---- */

/* Until the stream takes something, or can only fail. */
static void wait_for(lua_State *L, FILE *to)
{
    struct pollfd one = {.fd = fileno(to), .events = POLLOUT};
    while (one.fd >= 0 && poll(&one, 1, WAIT) == 0)
        eex__lua_check(L);
    eex__lua_check(L);
}

/* The beginning of a mark whose end is still to come. */
static void disarm_end(char *bytes, size_t size)
{
    const unsigned char *last = (const unsigned char *)bytes + size - 1;
    if (size && (*last == 0xc2 || *last == 0xe2))
        bytes[size - 1] = '?';
    else if (size > 1 && last[-1] == 0xe2 && (*last == 0x80 || *last == 0x81))
        bytes[size - 2] = bytes[size - 1] = '?';
}

/* What somebody else's script prints does not reach into the terminal; to a file or a pipe it goes
 * as it is. */
static void put(FILE *to, const char *bytes, size_t size, bool disarmed)
{
    char clean[WRITE_PIECE + 1];
    if (!disarmed) {
        fwrite(bytes, 1, size, to); /* whether it went well the stream remembers */
        return;
    }
    for (size_t i = 0; i < size; i++)
        clean[i] = bytes[i] ? bytes[i] : '?';
    clean[size] = '\0';
    if ((unsigned char)clean[0] >= 0x80 && (unsigned char)clean[0] < 0xa0)
        clean[0] = '?'; /* the second half of one that was begun before */
    disarm_end(clean, size);
    eex_text_disarm(clean, "\n\t");
    fwrite(clean, 1, size, to);
}

static int host_write(lua_State *L)
{
    FILE *to = eex__lua_of(L)->print;
    const bool disarmed = !eex_lua_trusts(L) && isatty(fileno(to));
    for (int i = 1; i <= lua_gettop(L); i++) {
        size_t size;
        const char *bytes = luaL_checklstring(L, i, &size);
        while (size > 0) {
            size_t piece = size < WRITE_PIECE ? size : WRITE_PIECE;
            for (int k = 0; k < 3 && piece < size && ((unsigned char)bytes[piece] & 0xc0) == 0x80;
                 k++)
                piece--; /* to where a character begins */
            wait_for(L, to);
            put(to, bytes, piece, disarmed);
            bytes += piece;
            size -= piece;
        }
    }
    return 0;
}

static int host_interrupted(lua_State *L)
{
    lua_pushboolean(L, eex_interrupted());
    return 1;
}

void eex__lua_set_host(lua_State *L)
{
    static const luaL_Reg host[] = {{"interrupted", host_interrupted}, {"write", host_write},
                                    {"collect", host_collect},         {"load", base_load},
                                    {"open", eex__lua_io_open},        {NULL, NULL}};
    luaL_setfuncs(L, host, 0);
}

void eex__lua_open_base(lua_State *L)
{
    limit_format(L, LUA_STRLIBNAME, "format");
    limit_format(L, LUA_STRLIBNAME, "pack");
    limit_format(L, LUA_STRLIBNAME, "packsize");
    limit_format(L, LUA_STRLIBNAME, "unpack");
    limit_format(L, LUA_OSLIBNAME, "date");
}
