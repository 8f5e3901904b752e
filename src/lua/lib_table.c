/* The functions of `table` that walk over as many places as a script says, in C where no hook sees
 * them: they look for an interrupt on their way. What they do is what Lua 5.4 says. */
#include "lua/sandbox_impl.h"

#include <lauxlib.h>
#include <limits.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdint.h>

/* What is done with an argument that stands in for a table. */
enum { READ = 1, WRITE = 2, LENGTH = 4 };

static bool has(lua_State *L, int metatable, const char *name)
{
    lua_pushstring(L, name);
    return lua_rawget(L, metatable - 1) != LUA_TNIL;
}

/* A table, or anything with the metamethods that it takes. */
static void check_table(lua_State *L, int index, int what)
{
    int pushed = 1;
    if (lua_type(L, index) == LUA_TTABLE)
        return;
    if (lua_getmetatable(L, index) && (!(what & READ) || has(L, -pushed++, "__index")) &&
        (!(what & WRITE) || has(L, -pushed++, "__newindex")) &&
        (!(what & LENGTH) || has(L, -pushed++, "__len")))
        lua_pop(L, pushed);
    else
        luaL_checktype(L, index, LUA_TTABLE);
}

static lua_Integer length_of(lua_State *L, int index, int what)
{
    check_table(L, index, what | LENGTH);
    return luaL_len(L, index);
}

/* t[to] = t[from] of the tables at the indices */
static void copy(lua_State *L, int to_table, lua_Integer to, int from_table, lua_Integer from)
{
    lua_geti(L, from_table, from);
    lua_seti(L, to_table, to);
}

static lua_Integer behind(lua_Integer at, lua_Integer by)
{
    return (lua_Integer)((lua_Unsigned)at + (lua_Unsigned)by);
}

/* ---- insert, remove, move ---- */

static int table_insert(lua_State *L)
{
    const lua_Integer free = behind(length_of(L, 1, READ | WRITE), 1);
    lua_Integer at = free;
    unsigned steps = 0;
    if (lua_gettop(L) == 3) {
        at = luaL_checkinteger(L, 2);
        luaL_argcheck(L, (lua_Unsigned)at - 1U < (lua_Unsigned)free, 2, "position out of bounds");
        for (lua_Integer i = free; i > at; i--) {
            copy(L, 1, i, 1, i - 1);
            eex__lua_poll(L, &steps);
        }
    } else if (lua_gettop(L) != 2) {
        return luaL_error(L, "wrong number of arguments to 'insert'");
    }
    lua_seti(L, 1, at);
    return 0;
}

static int table_remove(lua_State *L)
{
    const lua_Integer size = length_of(L, 1, READ | WRITE);
    lua_Integer at = luaL_optinteger(L, 2, size);
    unsigned steps = 0;
    if (at != size)
        luaL_argcheck(L, (lua_Unsigned)at - 1U <= (lua_Unsigned)size, 2, "position out of bounds");
    lua_geti(L, 1, at);
    for (; at < size; at++) {
        copy(L, 1, at, 1, at + 1);
        eex__lua_poll(L, &steps);
    }
    lua_pushnil(L);
    lua_seti(L, 1, at);
    return 1;
}

static int table_move(lua_State *L)
{
    const lua_Integer first = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3);
    const lua_Integer to = luaL_checkinteger(L, 4);
    const int target = lua_isnoneornil(L, 5) ? 1 : 5;
    unsigned steps = 0;
    check_table(L, 1, READ);
    check_table(L, target, WRITE);
    if (last >= first) {
        luaL_argcheck(L, first > 0 || last < LUA_MAXINTEGER + first, 3,
                      "too many elements to move");
        const lua_Integer count = last - first + 1;
        luaL_argcheck(L, to <= LUA_MAXINTEGER - count + 1, 4, "destination wrap around");
        const bool apart = target != 1 && !lua_compare(L, 1, target, LUA_OPEQ);
        const bool upwards = to > last || to <= first || apart;
        for (lua_Integer i = 0; i < count; i++) {
            const lua_Integer at = upwards ? i : count - 1 - i;
            copy(L, target, to + at, 1, first + at);
            eex__lua_poll(L, &steps);
        }
    }
    lua_pushvalue(L, target);
    return 1;
}

/* ---- concat ---- */

static int table_concat(lua_State *L)
{
    const lua_Integer size = length_of(L, 1, READ);
    size_t between;
    const char *separator = luaL_optlstring(L, 2, "", &between);
    lua_Integer i = luaL_optinteger(L, 3, 1);
    const lua_Integer last = luaL_optinteger(L, 4, size);
    unsigned steps = 0;
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (bool more = i <= last; more; i++) {
        lua_geti(L, 1, i);
        if (!lua_isstring(L, -1))
            return luaL_error(L, "invalid value (%s) at index %I in table for 'concat'",
                              luaL_typename(L, -1), i);
        luaL_addvalue(&b);
        more = i < last;
        if (more)
            luaL_addlstring(&b, separator, between);
        else
            break;
        eex__lua_poll(L, &steps);
    }
    luaL_pushresult(&b);
    return 1;
}

/* ---- sort ---- */

/* Whether a < b, at the indices: by the function at 2 or by '<'. */
static bool is_less(lua_State *L, int a, int b)
{
    eex__lua_check(L); /* texts may be long */
    if (lua_isnil(L, 2))
        return lua_compare(L, a, b, LUA_OPLT);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, a - 1);
    lua_pushvalue(L, b - 2);
    lua_call(L, 2, 1);
    const bool less = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return less;
}

enum { LARGE = 100, UNEVEN = 128 };

typedef struct sorting {
    lua_State *L;
    uint64_t random; /* the same in every run */
} sorting;

/* Pushes t[i] and t[j] and puts them in order: t[i] <= t[j] afterwards. */
static void order(sorting *s, lua_Integer i, lua_Integer j)
{
    lua_geti(s->L, 1, i);
    lua_geti(s->L, 1, j);
    if (is_less(s->L, -1, -2)) {
        lua_seti(s->L, 1, i);
        lua_seti(s->L, 1, j);
    } else {
        lua_pop(s->L, 2);
    }
}

/* Swaps the two on the top into t[i] and t[j]. */
static void put(lua_State *L, lua_Integer i, lua_Integer j)
{
    lua_seti(L, 1, i);
    lua_seti(L, 1, j);
}

/* Takes the pivot from the stack, which is also t[high - 1], to where it belongs, and returns that.
 * t[low] <= pivot <= t[high]. */
static lua_Integer partition(sorting *s, lua_Integer low, lua_Integer high)
{
    lua_State *L = s->L;
    lua_Integer i = low, j = high - 1;
    for (;;) {
        while (lua_geti(L, 1, ++i), is_less(L, -1, -2)) {
            if (i == high - 1)
                luaL_error(L, "invalid order function for sorting");
            lua_pop(L, 1);
        }
        while (lua_geti(L, 1, --j), is_less(L, -3, -1)) {
            if (j < i)
                luaL_error(L, "invalid order function for sorting");
            lua_pop(L, 1);
        }
        if (j < i) {
            lua_pop(L, 1);
            put(L, high - 1, i);
            return i;
        }
        put(L, i, j);
    }
}

/* Puts the median of three in front of t[high] and on the stack; false: that has sorted them all.
 */
static bool choose_pivot(sorting *s, lua_Integer low, lua_Integer high)
{
    lua_State *L = s->L;
    order(s, low, high);
    if (high - low == 1)
        return false;
    const lua_Integer quarter = (high - low) / 4;
    lua_Integer middle = low + (high - low) / 2;
    if (high - low > LARGE)
        middle = low + quarter + (lua_Integer)(s->random % (uint64_t)(2 * quarter));
    order(s, low, middle);
    order(s, middle, high);
    if (high - low == 2)
        return false;
    lua_geti(L, 1, middle);
    lua_pushvalue(L, -1);
    lua_geti(L, 1, high - 1);
    put(L, middle, high - 1); /* the pivot stays on the stack */
    return true;
}

/* Quicksort, the smaller half first. Where halves are far from equal others are chosen. */
static void sort(sorting *s, lua_Integer low, lua_Integer high)
{
    while (low < high) {
        lua_Integer smaller;
        if (!choose_pivot(s, low, high))
            return;
        const lua_Integer at = partition(s, low, high);
        if (at - low < high - at) {
            sort(s, low, at - 1);
            smaller = at - low;
            low = at + 1;
        } else {
            sort(s, at + 1, high);
            smaller = high - at;
            high = at - 1;
        }
        if ((high - low) / UNEVEN > smaller)
            s->random = s->random * 6364136223846793005U + 1442695040888963407U;
    }
}

static int table_sort(lua_State *L)
{
    const lua_Integer size = length_of(L, 1, READ | WRITE);
    sorting s = {L, 0};
    if (size < 2)
        return 0;
    luaL_argcheck(L, size < INT_MAX, 1, "array too big");
    if (!lua_isnoneornil(L, 2))
        luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    luaL_checkstack(L, 40, "sort");
    sort(&s, 1, size);
    return 0;
}

void eex__lua_open_table(lua_State *L)
{
    static const luaL_Reg functions[] = {{"insert", table_insert}, {"remove", table_remove},
                                         {"move", table_move},     {"concat", table_concat},
                                         {"sort", table_sort},     {NULL, NULL}};
    lua_getglobal(L, LUA_TABLIBNAME);
    luaL_setfuncs(L, functions, 0);
    lua_pop(L, 1);
}
