/* The functions of `string` that could run long where no hook sees them: they look for an interrupt
 * on their way. What they do is what Lua 5.4 says. */
#include "lua/pattern.h"
#include "lua/sandbox_impl.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdint.h>
#include <string.h>

enum { PIECE = 4 << 20 /* bytes that are copied between two looks */ };

/* ---- a subject and a pattern ---- */

static eex__matcher matcher(lua_State *L, int subject, int pattern)
{
    size_t length, size;
    const char *s = luaL_checklstring(L, subject, &length);
    const char *p = luaL_checklstring(L, pattern, &size);
    return (eex__matcher){.L = L, .begin = s, .end = s + length, .pattern = p, .behind = p + size};
}

/* '^' at the front is no part of what matches. */
static bool take_anchor(eex__matcher *m)
{
    const bool anchored = m->pattern < m->behind && *m->pattern == '^';
    m->pattern += anchored;
    return anchored;
}

/* Where to begin, from 0, may be behind the end. */
static size_t begin_at(lua_State *L, int index, size_t length)
{
    const lua_Integer at = luaL_optinteger(L, index, 1);
    if (at > 0)
        return (lua_Unsigned)at - 1 > length ? length + 1 : (size_t)at - 1;
    return at == 0 || at < -(lua_Integer)length ? 0 : length - (size_t)-at;
}

static bool is_plain(const eex__matcher *m)
{
    for (const char *p = m->pattern; p < m->behind; p++)
        if (*p && strchr("^$*+?.([%-", *p))
            return false;
    return true;
}

/* ---- find, match ---- */

static int find_plain(eex__matcher *m, const char *from)
{
    const size_t size = (size_t)(m->behind - m->pattern);
    const char *at = memmem(from, (size_t)(m->end - from), m->pattern, size);
    if (!at) {
        luaL_pushfail(m->L);
        return 1;
    }
    lua_pushinteger(m->L, at - m->begin + 1);
    lua_pushinteger(m->L, at - m->begin + (lua_Integer)size);
    return 2;
}

static int search(lua_State *L, bool find)
{
    eex__matcher m = matcher(L, 1, 2);
    const size_t from = begin_at(L, 3, (size_t)(m.end - m.begin));
    if (from > (size_t)(m.end - m.begin)) {
        luaL_pushfail(L);
        return 1;
    }
    if (find && (lua_toboolean(L, 4) || is_plain(&m)))
        return find_plain(&m, m.begin + from);
    const bool anchored = take_anchor(&m);
    for (const char *at = m.begin + from; at <= m.end; at++) {
        const char *end = eex__matcher_run(&m, at);
        if (end && !find)
            return eex__matcher_push_all(&m, at, end);
        if (end) {
            lua_pushinteger(L, at - m.begin + 1);
            lua_pushinteger(L, end - m.begin);
            return 2 + eex__matcher_push_all(&m, NULL, NULL);
        }
        if (anchored)
            break;
        eex__lua_poll(L, &m.steps);
    }
    luaL_pushfail(L);
    return 1;
}

static int string_find(lua_State *L)
{
    return search(L, true);
}

static int string_match(lua_State *L)
{
    return search(L, false);
}

/* ---- gmatch ---- */

typedef struct walk {
    size_t at;       /* where to go on */
    ptrdiff_t ended; /* where the last match did; -1: none yet */
} walk;

/* Upvalues: subject, pattern, the walk. */
static int gmatch_next(lua_State *L)
{
    walk *w = lua_touserdata(L, lua_upvalueindex(3));
    eex__matcher m = matcher(L, lua_upvalueindex(1), lua_upvalueindex(2));
    for (const char *at = m.begin + w->at; at <= m.end; at++) {
        const char *end = eex__matcher_run(&m, at);
        if (end && end - m.begin != w->ended) {
            w->ended = end - m.begin;
            w->at = (size_t)w->ended;
            return eex__matcher_push_all(&m, at, end);
        }
        eex__lua_poll(L, &m.steps);
    }
    return 0;
}

static int string_gmatch(lua_State *L)
{
    size_t length;
    luaL_checklstring(L, 1, &length);
    luaL_checkstring(L, 2);
    const size_t from = begin_at(L, 3, length);
    lua_settop(L, 2);
    walk *w = lua_newuserdatauv(L, sizeof *w, 0);
    *w = (walk){.at = from, .ended = -1};
    lua_pushcclosure(L, gmatch_next, 3);
    return 1;
}

/* ---- gsub ---- */

/* The replacement text at index 3, with "%1" to "%9" and "%0" filled in. */
static void add_text(eex__matcher *m, luaL_Buffer *b, const char *at, const char *end)
{
    size_t length;
    const char *text = lua_tolstring(m->L, 3, &length), *const behind = text + length;
    for (const char *p; (p = memchr(text, '%', (size_t)(behind - text))); text = p + 2) {
        eex__lua_poll(m->L, &m->steps);
        luaL_addlstring(b, text, (size_t)(p - text));
        if (p[1] == '%') {
            luaL_addchar(b, '%');
        } else if (p[1] == '0') {
            luaL_addlstring(b, at, (size_t)(end - at));
        } else if (p[1] >= '1' && p[1] <= '9') {
            eex__matcher_push(m, p[1] - '1', at, end);
            luaL_addvalue(b);
        } else {
            luaL_error(m->L, "invalid use of '%%' in replacement string");
        }
    }
    luaL_addlstring(b, text, (size_t)(behind - text));
}

/* Adds what stands for the match. */
static void add_replacement(eex__matcher *m, luaL_Buffer *b, const char *at, const char *end,
                            int kind)
{
    lua_State *L = m->L;
    if (kind == LUA_TFUNCTION) {
        lua_pushvalue(L, 3);
        lua_call(L, eex__matcher_push_all(m, at, end), 1);
    } else if (kind == LUA_TTABLE) {
        eex__matcher_push(m, 0, at, end);
        lua_gettable(L, 3);
    } else {
        add_text(m, b, at, end);
        return;
    }
    if (!lua_toboolean(L, -1)) { /* the match stays */
        lua_pop(L, 1);
        luaL_addlstring(b, at, (size_t)(end - at));
    } else if (lua_isstring(L, -1)) {
        luaL_addvalue(b);
    } else {
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    }
}

static int string_gsub(lua_State *L)
{
    eex__matcher m = matcher(L, 1, 2);
    const int kind = lua_type(L, 3);
    const lua_Integer most = luaL_optinteger(L, 4, m.end - m.begin + 1);
    const bool anchored = take_anchor(&m);
    const char *at = m.begin, *ended = NULL;
    lua_Integer count = 0;
    luaL_Buffer b;
    luaL_argexpected(L,
                     kind == LUA_TNUMBER || kind == LUA_TSTRING || kind == LUA_TTABLE ||
                         kind == LUA_TFUNCTION,
                     3, "string/function/table");
    luaL_buffinit(L, &b);
    while (count < most) {
        const char *end = eex__matcher_run(&m, at);
        eex__lua_poll(L, &m.steps);
        if (end && end != ended) {
            count++;
            add_replacement(&m, &b, at, end, kind);
            at = ended = end;
        } else if (at < m.end) {
            luaL_addchar(&b, *at);
            at++;
        } else
            break;
        if (anchored)
            break;
    }
    luaL_addlstring(&b, at, (size_t)(m.end - at));
    luaL_pushresult(&b);
    lua_pushinteger(L, count);
    return 2;
}

/* ---- rep ---- */

/* to[0..unit) comes again and again until to[total). What is copied begins where a unit goes on. */
static void repeat(lua_State *L, char *to, size_t unit, size_t total)
{
    for (size_t done = unit; done < total;) {
        const size_t from = done % unit;
        size_t more = done - from < PIECE ? done - from : PIECE;
        if (more > total - done)
            more = total - done;
        memcpy(to + done, to + from, more);
        done += more;
        eex__lua_check(L);
    }
}

static int string_rep(lua_State *L)
{
    size_t length, between;
    const char *s = luaL_checklstring(L, 1, &length);
    const lua_Integer n = luaL_checkinteger(L, 2);
    const char *separator = luaL_optlstring(L, 3, "", &between);
    const size_t unit = length + between;
    if (n <= 0 || unit == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    if (unit < length || unit > (size_t)PTRDIFF_MAX / (lua_Unsigned)n)
        return luaL_error(L, "resulting string too large");
    const size_t total = unit * (size_t)n - between;
    luaL_Buffer b;
    char *to = luaL_buffinitsize(L, &b, total + between);
    memcpy(to, s, length);
    memcpy(to + length, separator, between);
    repeat(L, to, unit, total);
    luaL_pushresultsize(&b, total);
    return 1;
}

void eex__lua_open_string(lua_State *L)
{
    static const luaL_Reg functions[] = {{"find", string_find},     {"match", string_match},
                                         {"gmatch", string_gmatch}, {"gsub", string_gsub},
                                         {"rep", string_rep},       {NULL, NULL}};
    lua_getglobal(L, LUA_STRLIBNAME);
    luaL_setfuncs(L, functions, 0);
    lua_pop(L, 1);
}
