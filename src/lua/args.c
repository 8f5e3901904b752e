#include "lua/args.h"

#include "core/run/cluster.h"

#include "base/range.h"
#include "base/status.h"
#include "base/text.h"

#include <lauxlib.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pushes a field and returns its type. Raw: a metatable could hand out text that nothing holds. */
static int get(const eex_args *a, const char *field)
{
    lua_pushstring(a->L, field);
    return lua_rawget(a->L, a->table);
}

/* ---- raising ---- */

void eex_lua_where(lua_State *L)
{
    enum { DEEPEST = 200 }; /* each is found from the top */
    lua_Debug at;
    for (int level = 0; level < DEEPEST && lua_getstack(L, level, &at); level++) {
        if (!lua_getinfo(L, "Sl", &at) || at.currentline <= 0 || at.source[0] != '@')
            continue; /* C, or the library, whose sources begin with '=' */
        lua_pushfstring(L, "%s:%d: ", at.short_src, at.currentline);
        return;
    }
    lua_pushliteral(L, "");
}

_Noreturn static void raise(lua_State *L)
{
    lua_error(L);
    __builtin_unreachable();
}

_Noreturn void eex_lua_raise(lua_State *L)
{
    eex_lua_where(L);
    lua_pushstring(L, eex_error());
    lua_concat(L, 2);
    raise(L);
}

_Noreturn void eex_lua_error(lua_State *L, const char *format, ...)
{
    va_list args;
    eex_lua_where(L);
    va_start(args, format);
    lua_pushvfstring(L, format, args);
    va_end(args);
    lua_concat(L, 2);
    raise(L);
}

/* Pushes "path.field" ("path[3]" when field is "[3]"). */
static const char *push_path(const eex_args *a, const char *field)
{
    const char *dot = *a->path && *field != '[' ? "." : "";
    lua_pushfstring(a->L, "%s%s%s", a->path, dot, field);
    const char *path = luaL_gsub(a->L, lua_tostring(a->L, -1), "\n", "?"); /* a message is a line */
    lua_remove(a->L, -2);
    return path;
}

/* The beginning of a text, NULs as "\0"; whether there is more. */
static bool show_text(char *out, size_t size, lua_State *L, int index)
{
    size_t length, done = 0, used = 0;
    const char *text = lua_tolstring(L, index, &length);
    for (; done < length && used + 2 < size; done++) {
        if (!text[done])
            out[used++] = '\\';
        out[used++] = text[done] ? text[done] : '0';
    }
    out[used] = '\0';
    eex_text_disarm(out, "");
    return done < length;
}

/* Pushes what a message calls the value: its text, number or type. */
static void push_found(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    if (lua_type(L, index) == LUA_TSTRING) {
        char shown[64];
        const bool cut = show_text(shown, sizeof shown, L, index);
        lua_pushfstring(L, "\"%s%s\"", shown, cut ? "..." : "");
    } else if (lua_isnumber(L, index) || lua_isboolean(L, index) || lua_isuserdata(L, index))
        luaL_tolstring(L, index, NULL);
    else if (lua_isnil(L, index))
        lua_pushliteral(L, "nothing");
    else
        lua_pushfstring(L, "a %s", luaL_typename(L, index));
}

_Noreturn void eex_args_refuse(const eex_args *a, const char *field, const char *format, ...)
{
    char expected[512];
    va_list args;
    va_start(args, format);
    vsnprintf(expected, sizeof expected, format, args);
    va_end(args);
    luaL_checkstack(a->L, 8, NULL);
    eex_lua_where(a->L);
    push_path(a, field);
    if (*field == '[')
        lua_rawgeti(a->L, a->table, strtol(field + 1, NULL, 10));
    else
        get(a, field);
    push_found(a->L, -1);
    lua_pushfstring(a->L, "%s%s: %s, got %s", lua_tostring(a->L, -4), lua_tostring(a->L, -3),
                    expected, lua_tostring(a->L, -1));
    raise(a->L);
}

/* ---- tables ---- */

eex_args eex_args_open(lua_State *L, int index, const char *path, bool optional)
{
    luaL_checkstack(L, 8, NULL);
    index = lua_absindex(L, index);
    if (lua_isnone(L, index)) {
        lua_pushnil(L);
        index = lua_gettop(L);
    }
    if (optional && lua_isnil(L, index)) {
        lua_newtable(L);
        return (eex_args){L, lua_gettop(L), path};
    }
    if (lua_istable(L, index))
        return (eex_args){L, index, path};
    eex_lua_where(L);
    const char *where = lua_tostring(L, -1);
    push_found(L, index);
    lua_pushfstring(L, "%s%s: a table, got %s", where, *path ? path : "the script's value",
                    lua_tostring(L, -1));
    raise(L);
}

static eex_args open_pushed(const eex_args *a, const char *field, bool optional)
{
    lua_State *L = a->L;
    if (lua_isnil(L, -1) && optional) {
        lua_pop(L, 1);
        lua_newtable(L);
    }
    if (!lua_istable(L, -1))
        eex_args_refuse(a, field, "a table");
    const char *path = push_path(a, field);
    return (eex_args){L, lua_gettop(L) - 1, path};
}

eex_args eex_args_table(const eex_args *a, const char *field, bool optional)
{
    luaL_checkstack(a->L, 8, NULL);
    get(a, field);
    return open_pushed(a, field, optional);
}

eex_args eex_args_member(const eex_args *a, int i)
{
    char field[16];
    snprintf(field, sizeof field, "[%d]", i);
    luaL_checkstack(a->L, 8, NULL);
    lua_rawgeti(a->L, a->table, i);
    return open_pushed(a, field, false);
}

void eex_args_close(const eex_args *a)
{
    lua_settop(a->L, a->table - 1);
}

static bool is_known(const char *field, const char *const *known)
{
    for (; *known; known++)
        if (strcmp(*known, field) == 0)
            return true;
    return false;
}

_Noreturn static void refuse_unknown(const eex_args *a, const char *field, const char *const *known)
{
    size_t count = 0;
    while (known[count])
        count++;
    const char *near = eex_text_nearest(field, known, count);
    eex_lua_where(a->L);
    push_path(a, field);
    lua_pushliteral(a->L, ": no such field");
    if (near) {
        lua_pushfstring(a->L, ", did you mean \"%s\"?", near);
    } else {
        luaL_Buffer b;
        luaL_buffinit(a->L, &b);
        luaL_addstring(&b, "; there are: ");
        for (size_t i = 0; i < count; i++) {
            luaL_addstring(&b, i ? ", " : "");
            luaL_addstring(&b, known[i]);
        }
        luaL_pushresult(&b);
    }
    lua_concat(a->L, 4);
    raise(a->L);
}

void eex_args_known(const eex_args *a, const char *const *known)
{
    lua_State *L = a->L;
    for (lua_pushnil(L); lua_next(L, a->table); lua_pop(L, 1)) {
        const char *field = eex_lua_plain_text(L, -2);
        if (field && is_known(field, known))
            continue;
        push_found(L, -2);
        refuse_unknown(a, lua_tostring(L, eex_lua_plain_text(L, -3) ? -3 : -1), known);
    }
}

void eex_args_check_name(lua_State *L, const char *path, const char *name, const char *const *known)
{
    const eex_args a = {L, 0, path};
    luaL_checkstack(L, 8, NULL);
    if (!is_known(name, known))
        refuse_unknown(&a, name, known);
}

void eex_args_list(const eex_args *a)
{
    lua_State *L = a->L;
    const lua_Unsigned count = lua_rawlen(L, a->table);
    luaL_checkstack(L, 8, NULL);
    for (lua_pushnil(L); lua_next(L, a->table); lua_pop(L, 1)) {
        int is;
        const lua_Unsigned place = (lua_Unsigned)lua_tointegerx(L, -2, &is);
        if (lua_type(L, -2) == LUA_TNUMBER && is && place >= 1 && place <= count)
            continue;
        eex_lua_where(L);
        push_found(L, -3);
        lua_pushfstring(L, "%s%s: a list, in which there is no place for [%s]", lua_tostring(L, -2),
                        a->path, lua_tostring(L, -1));
        raise(L);
    }
}

bool eex_args_has(const eex_args *a, const char *field)
{
    bool has = get(a, field) != LUA_TNIL;
    lua_pop(a->L, 1);
    return has;
}

/* ---- numbers ---- */

/* The value is on the top. */
_Noreturn static void refuse_number(const eex_args *a, const char *field, double min, double max,
                                    bool integer)
{
    char words[EEX_RANGE_SIZE];
    const eex_range range = {.min = min, .max = max};
    const double found = lua_type(a->L, -1) == LUA_TNUMBER ? lua_tonumber(a->L, -1) : min;
    eex_args_refuse(a, field, "%s", eex_range_words_for(words, &range, integer, found));
}

/* Only numbers that are integers count: a string that looks like one is a mistake. */
static bool int_at(lua_State *L, int index, lua_Integer min, lua_Integer max, lua_Integer *out)
{
    int is = 0;
    *out = lua_type(L, index) == LUA_TNUMBER ? lua_tointegerx(L, index, &is) : 0;
    return is && *out >= min && *out <= max;
}

lua_Integer eex_args_int(const eex_args *a, const char *field, lua_Integer min, lua_Integer max)
{
    lua_Integer value;
    get(a, field);
    if (!int_at(a->L, -1, min, max, &value))
        refuse_number(a, field, (double)min, (double)max, true);
    lua_pop(a->L, 1);
    return value;
}

lua_Integer eex_args_int_or(const eex_args *a, const char *field, lua_Integer min, lua_Integer max,
                            lua_Integer otherwise)
{
    return eex_args_has(a, field) ? eex_args_int(a, field, min, max) : otherwise;
}

static bool number_at(lua_State *L, int index, double min, double max, double *out)
{
    *out = lua_type(L, index) == LUA_TNUMBER ? lua_tonumber(L, index) : NAN;
    return *out >= min && *out <= max;
}

double eex_args_number(const eex_args *a, const char *field, double min, double max)
{
    double value;
    get(a, field);
    if (!number_at(a->L, -1, min, max, &value))
        refuse_number(a, field, min, max, false);
    lua_pop(a->L, 1);
    return value;
}

double eex_args_number_or(const eex_args *a, const char *field, double min, double max,
                          double otherwise)
{
    return eex_args_has(a, field) ? eex_args_number(a, field, min, max) : otherwise;
}

bool eex_args_flag_or(const eex_args *a, const char *field, bool otherwise)
{
    int type = get(a, field);
    if (type != LUA_TNIL && type != LUA_TBOOLEAN)
        eex_args_refuse(a, field, "true or false");
    bool value = type == LUA_TNIL ? otherwise : lua_toboolean(a->L, -1);
    lua_pop(a->L, 1);
    return value;
}

/* ---- text ---- */

const char *eex_lua_plain_text(lua_State *L, int index)
{
    size_t length;
    const char *text = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &length) : NULL;
    return text && strlen(text) == length ? text : NULL;
}

const char *eex_lua_text(lua_State *L, int index)
{
    size_t length;
    const char *text = luaL_checklstring(L, index, &length);
    luaL_argcheck(L, strlen(text) == length, index, "a text without zeros expected");
    return text;
}

const char *eex_lua_text_or(lua_State *L, int index, const char *otherwise)
{
    return lua_isnoneornil(L, index) ? otherwise : eex_lua_text(L, index);
}

const char *eex_args_text(const eex_args *a, const char *field, size_t max)
{
    size_t length = 0;
    bool is = get(a, field) == LUA_TSTRING;
    const char *text = is ? lua_tolstring(a->L, -1, &length) : NULL;
    const bool zeros = text && strlen(text) != length;
    if (!text || length < 1 || length > max || zeros)
        eex_args_refuse(a, field, "a text of 1..%zu bytes%s", max, zeros ? " without zeros" : "");
    lua_pop(a->L, 1); /* the table still holds it */
    return text;
}

const char *eex_args_text_or(const eex_args *a, const char *field, size_t max,
                             const char *otherwise)
{
    return eex_args_has(a, field) ? eex_args_text(a, field, max) : otherwise;
}

void eex_args_time(char *out, size_t size, const eex_args *a, const char *field)
{
    lua_Integer minutes;
    const int type = get(a, field);
    const bool number = int_at(a->L, -1, 1, INT_MAX, &minutes);
    lua_pop(a->L, 1);
    if (number)
        snprintf(out, size, "%lld", (long long)minutes);
    else if (type == LUA_TSTRING)
        snprintf(out, size, "%s", eex_args_text(a, field, size - 1));
    else
        eex_args_refuse(a, field, EEX_CLUSTER_TIME);
}

int eex_args_choice(const eex_args *a, const char *field, const eex_names *names)
{
    char known[EEX_NAMES_SIZE];
    get(a, field);
    const char *text = eex_lua_plain_text(a->L, -1);
    const int found = text ? eex_name_find(names, text) : -1;
    lua_pop(a->L, 1);
    if (found >= 0)
        return found;
    eex_args_refuse(a, field, "one of %s", eex_names_list(known, names, "\"", " and "));
}

int eex_args_choice_or(const eex_args *a, const char *field, const eex_names *names, int otherwise)
{
    return eex_args_has(a, field) ? eex_args_choice(a, field, names) : otherwise;
}

/* ---- lists ---- */

/* Pushes the list in a field; a single number becomes a list of one. Returns its length. */
static int open_list(const eex_args *a, const char *field, int room, eex_args *list)
{
    lua_State *L = a->L;
    luaL_checkstack(L, 8, NULL);
    if (get(a, field) == LUA_TNUMBER) {
        lua_createtable(L, 1, 0);
        lua_insert(L, -2);
        lua_seti(L, -2, 1);
    }
    if (!lua_istable(L, -1) && !lua_isnil(L, -1))
        eex_args_refuse(a, field, "a list such as {1, 2}");
    *list = open_pushed(a, field, true);
    eex_args_list(list);
    lua_Unsigned count = lua_rawlen(L, list->table);
    if (count > (lua_Unsigned)room)
        eex_args_refuse(a, field, "a list of at most %d numbers", room);
    return (int)count;
}

int eex_args_ints(const eex_args *a, const char *field, int *out, int room, lua_Integer min,
                  lua_Integer max)
{
    eex_args list;
    int count = open_list(a, field, room, &list);
    for (int i = 0; i < count; i++) {
        char member[16];
        lua_Integer value;
        lua_rawgeti(a->L, list.table, i + 1);
        snprintf(member, sizeof member, "[%d]", i + 1);
        if (!int_at(a->L, -1, min, max, &value))
            refuse_number(&list, member, (double)min, (double)max, true);
        out[i] = (int)value;
        lua_pop(a->L, 1);
    }
    eex_args_close(&list);
    return count;
}

int eex_args_numbers(const eex_args *a, const char *field, double *out, int room, double min,
                     double max)
{
    eex_args list;
    int count = open_list(a, field, room, &list);
    for (int i = 0; i < count; i++) {
        char member[16];
        lua_rawgeti(a->L, list.table, i + 1);
        snprintf(member, sizeof member, "[%d]", i + 1);
        if (!number_at(a->L, -1, min, max, &out[i]))
            refuse_number(&list, member, min, max, false);
        lua_pop(a->L, 1);
    }
    eex_args_close(&list);
    return count;
}
