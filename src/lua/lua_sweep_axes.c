/* The axes of a sweep: fields by name, and what each of them is at the points. */
#include "lua/lua_sweep_impl.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VALUES = 10000 };

/* ---- names of fields, in order ---- */

size_t eex__sweep_push_fields(const eex_args *a)
{
    lua_State *L = a->L;
    size_t count = 0;
    lua_newtable(L);
    lua_pushnil(L);
    while (lua_next(L, a->table)) {
        lua_pop(L, 1);
        if (!eex_lua_plain_text(L, -1) || lua_rawlen(L, -1) >= EEX_SWEEP_PATH)
            luaL_error(L, "%s: names of fields, as in [\"training.lr\"] = ...", a->path);
        if (strcmp(lua_tostring(L, -1), "seed") == 0) /* a task's own would take its place */
            luaL_error(L, "%s.seed: the sweep's seeds = { 0, 1, 2 } says which there are", a->path);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, (lua_Integer)++count);
    }
    if (count > EEX__SWEEP_FIELDS)
        luaL_error(L, "%s: at most %d fields", a->path, EEX__SWEEP_FIELDS);
    for (size_t i = 2; i <= count; i++) /* few: by insertion */
        for (size_t j = i; j > 1; j--) {
            lua_rawgeti(L, -1, (lua_Integer)j - 1);
            lua_rawgeti(L, -2, (lua_Integer)j);
            if (strcmp(lua_tostring(L, -2), lua_tostring(L, -1)) <= 0) {
                lua_pop(L, 2);
                break;
            }
            lua_rawseti(L, -3, (lua_Integer)j - 1);
            lua_rawseti(L, -2, (lua_Integer)j);
        }
    return count;
}

const char *eex__sweep_push_field(const eex_args *a, size_t i)
{
    lua_State *L = a->L;
    lua_rawgeti(L, -1, (lua_Integer)i + 1);
    const char *name = lua_tostring(L, -1); /* the table keeps it */
    lua_rawget(L, a->table);
    return name;
}

/* ---- axes ---- */

bool eex__sweep_comes_again(lua_State *L, int seen)
{
    lua_pushvalue(L, -1);
    lua_rawget(L, seen);
    const bool again = lua_toboolean(L, -1);
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_pushboolean(L, true);
    lua_rawset(L, seen);
    return again;
}

/* `once`: each value makes points of its own; where points are drawn, who is there twice is drawn
 * twice as often. */
static void read_list(const eex_args *a, eex_axis *axis, int index, bool once)
{
    lua_State *L = a->L;
    const size_t count = (size_t)lua_rawlen(L, index);
    if (count < 1 || count > MAX_VALUES)
        eex_args_refuse(a, axis->path, "a list of 1 to %d values", MAX_VALUES);
    const eex_args list = {L, index, axis->path};
    eex_args_list(&list);
    axis->value = calloc(count, sizeof *axis->value);
    if (!axis->value)
        eex__sweep_no_memory(L);
    lua_newtable(L);
    const int seen = lua_gettop(L);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, index, (lua_Integer)i + 1);
        axis->values = i + 1;
        eex__sweep_keep_value(L, &axis->value[i], -1);
        lua_pushstring(L, axis->value[i]);
        if (eex__sweep_comes_again(L, seen) && once)
            eex_args_refuse(a, axis->path, "each value once");
        lua_settop(L, seen);
    }
    lua_settop(L, seen - 1);
}

static void read_range(const eex_args *a, eex_axis *axis)
{
    static const char *const known[] = {"from", "to", "log", "integer", NULL};
    const eex_args range = eex_args_table(a, axis->path, false);
    eex_args_known(&range, known);
    axis->from = eex_args_number(&range, "from", -1e300, 1e300);
    axis->to = eex_args_number(&range, "to", -1e300, 1e300);
    axis->log = eex_args_flag_or(&range, "log", false);
    axis->integer = eex_args_flag_or(&range, "integer", false);
    if (axis->to <= axis->from)
        eex_args_refuse(&range, "to", "more than `from`");
    if (axis->log && (axis->from <= 0 || axis->integer))
        eex_args_refuse(&range, "log", "a range of positive numbers that are no integers");
    eex_args_close(&range);
}

static bool is_empty(lua_State *L, int index)
{
    lua_pushnil(L);
    if (!lua_next(L, index))
        return true;
    lua_pop(L, 2);
    return false;
}

static void read_axes(eex__sweep_reading *r, const eex_args *a)
{
    lua_State *L = a->L;
    const size_t count = eex__sweep_push_fields(a);
    if (count == 0)
        luaL_error(L, "%s: at least one field", a->path);
    for (size_t i = 0; i < count; i++) {
        eex_axis *axis = &r->axis[r->axes++];
        *axis = (eex_axis){0};
        snprintf(axis->path, sizeof axis->path, "%s", eex__sweep_push_field(a, i));
        if (!lua_istable(L, -1))
            eex_args_refuse(a, axis->path, "a list of values, or a range { from =, to = }");
        if (lua_rawlen(L, -1) > 0 || is_empty(L, lua_gettop(L)))
            read_list(a, axis, lua_gettop(L), r->kind == EEX_SWEEP_GRID);
        else
            read_range(a, axis);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void read_drawn(eex__sweep_reading *r, const eex_args *a, const char *key,
                       eex_sweep_kind kind)
{
    static const char *const known[] = {"points", "seed", "fields", NULL};
    const eex_args drawn = eex_args_table(a, key, false);
    eex_args_known(&drawn, known);
    r->kind = kind;
    r->s->points = (size_t)eex_args_int(&drawn, "points", 1, EEX_SWEEP_POINTS);
    r->seed = (uint64_t)eex_args_int_or(&drawn, "seed", 0, INT64_MAX, 0);
    const eex_args fields = eex_args_table(&drawn, "fields", false);
    read_axes(r, &fields);
    eex_args_close(&drawn);
}

void eex__sweep_read_points(eex__sweep_reading *r, const eex_args *a)
{
    const bool grid = eex_args_has(a, "grid"), random = eex_args_has(a, "random"),
               sobol = eex_args_has(a, "sobol");
    if (grid + random + sobol > 1)
        eex_args_refuse(a, grid ? "grid" : "random", "one of grid, random and sobol");
    r->kind = EEX_SWEEP_GRID;
    if (random)
        read_drawn(r, a, "random", EEX_SWEEP_RANDOM);
    else if (sobol)
        read_drawn(r, a, "sobol", EEX_SWEEP_SOBOL);
    if (!grid)
        return;
    const eex_args fields = eex_args_table(a, "grid", false);
    read_axes(r, &fields);
    eex_args_close(&fields);
}
