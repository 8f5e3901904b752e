#include "lua/lua_sweep.h"

#include "lua/args.h"
#include "lua/sandbox_impl.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/status.h"

#include <ctype.h>
#include <lauxlib.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SCRIPT = 16 << 20, MAX_VALUES = 10000, MAX_SEEDS = 100000, MAX_FIELDS = 64, DEPTH = 8 };

typedef struct reading {
    eex_sweep *s;
    const char *path; /* of the sweep's file */
    char folder[PATH_MAX];
    eex_axis axis[MAX_FIELDS]; /* with their values; freed by who opened this */
    size_t axes;
    eex_sweep_kind kind;
    uint64_t seed;
} reading;

static _Noreturn void out_of_memory(lua_State *L)
{
    eex_fail(EEX_ENOMEM, "out of memory for a sweep");
    eex_lua_raise(L);
}

static void keep(lua_State *L, char **out, const char *text)
{
    *out = strdup(text);
    if (!*out)
        out_of_memory(L);
}

/* ---- values as --set takes them ---- */

static void put_quoted(luaL_Buffer *b, const char *text, size_t length)
{
    luaL_addchar(b, '"');
    for (size_t i = 0; i < length; i++) {
        char escaped[8];
        if (isprint((unsigned char)text[i]) && text[i] != '"' && text[i] != '\\') {
            luaL_addchar(b, text[i]);
            continue;
        }
        snprintf(escaped, sizeof escaped, "\\%03d", (unsigned char)text[i]);
        luaL_addstring(b, escaped);
    }
    luaL_addchar(b, '"');
}

/* Whether --set takes the bare text for a string. */
static bool is_plain(lua_State *L, const char *text)
{
    if (!*text || strchr("{\"'", *text) || strcmp(text, "true") == 0 ||
        strcmp(text, "false") == 0 || strcmp(text, "nil") == 0)
        return false;
    for (const char *c = text; *c; c++)
        if (!isprint((unsigned char)*c))
            return false;
    if (lua_stringtonumber(L, text) == 0)
        return true;
    lua_pop(L, 1);
    return false;
}

static void push_text(lua_State *L, int index, int depth);

/* A list or a table as Lua writes it. */
static void push_table(lua_State *L, int index, int depth)
{
    const lua_Integer length = (lua_Integer)lua_rawlen(L, index);
    int parts = 0;
    luaL_checkstack(L, 16, NULL);
    lua_pushliteral(L, "{");
    for (lua_Integer i = 1; i <= length; i++, parts++) {
        lua_pushstring(L, parts ? "," : "");
        lua_rawgeti(L, index, i);
        push_text(L, lua_gettop(L), depth + 1);
        lua_remove(L, -2);
        lua_concat(L, 3);
    }
    lua_pushliteral(L, "}");
    lua_concat(L, 2);
}

/* The value at `index` as text, on top of the stack; nested strings are quoted. */
static void push_text(lua_State *L, int index, int depth)
{
    char number[64];
    size_t length;
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN:
        lua_pushstring(L, lua_toboolean(L, index) ? "true" : "false");
        return;
    case LUA_TNUMBER:
        if (lua_isinteger(L, index))
            snprintf(number, sizeof number, "%lld", (long long)lua_tointeger(L, index));
        else
            snprintf(number, sizeof number, "%.17g", (double)lua_tonumber(L, index));
        if (!lua_isinteger(L, index)) { /* the shortest that reads back the same */
            char shorter[64];
            snprintf(shorter, sizeof shorter, "%.15g", (double)lua_tonumber(L, index));
            if (strtod(shorter, NULL) == (double)lua_tonumber(L, index))
                memcpy(number, shorter, sizeof number);
        }
        lua_pushstring(L, number);
        return;
    case LUA_TSTRING: {
        const char *text = lua_tolstring(L, index, &length);
        luaL_Buffer b;
        if (depth == 0 && strlen(text) == length && is_plain(L, text)) {
            lua_pushvalue(L, index);
            return;
        }
        luaL_buffinit(L, &b);
        put_quoted(&b, text, length);
        luaL_pushresult(&b);
        return;
    }
    case LUA_TTABLE:
        if (depth < DEPTH && lua_getmetatable(L, index) == 0) {
            push_table(L, index, depth);
            return;
        }
        break;
    default:
        break;
    }
    luaL_error(L,
               "a value of a sweep is a number, a text, true, false or a list of these, got a %s",
               luaL_typename(L, index));
}

static void keep_value(lua_State *L, char **out, int index)
{
    push_text(L, lua_absindex(L, index), 0);
    keep(L, out, lua_tostring(L, -1));
    lua_pop(L, 1);
}

/* ---- names of fields, in order ---- */

/* Pushes a sorted list of the table's keys, all of which must be texts. */
static size_t push_fields(const eex_args *a)
{
    lua_State *L = a->L;
    size_t count = 0;
    lua_newtable(L);
    lua_pushnil(L);
    while (lua_next(L, a->table)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING || lua_rawlen(L, -1) >= EEX_SWEEP_PATH)
            luaL_error(L, "%s: names of fields, as in [\"training.lr\"] = ...", a->path);
        if (strcmp(lua_tostring(L, -1), "seed") == 0) /* a task's own would take its place */
            luaL_error(L, "%s.seed: the sweep's seeds = { 0, 1, 2 } says which there are", a->path);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, (lua_Integer)++count);
    }
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
    if (count > MAX_FIELDS)
        luaL_error(L, "%s: at most %d fields", a->path, MAX_FIELDS);
    return count;
}

/* Name i of the list on top of the stack, and its value in the table pushed above it. */
static const char *push_field(const eex_args *a, size_t i)
{
    lua_State *L = a->L;
    lua_rawgeti(L, -1, (lua_Integer)i + 1);
    const char *name = lua_tostring(L, -1); /* the table keeps it */
    lua_rawget(L, a->table);
    return name;
}

/* ---- axes ---- */

/* Whether the value at `index` has been here before; `seen` is a table of those that were. */
static bool comes_again(lua_State *L, int seen, int index)
{
    lua_pushvalue(L, index);
    lua_rawget(L, seen);
    const bool again = lua_toboolean(L, -1);
    lua_pop(L, 1);
    lua_pushvalue(L, index);
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
    axis->value = calloc(count, sizeof *axis->value);
    if (!axis->value)
        out_of_memory(L);
    lua_newtable(L);
    const int seen = lua_gettop(L);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, index, (lua_Integer)i + 1);
        axis->values = i + 1;
        keep_value(L, &axis->value[i], -1);
        lua_pushstring(L, axis->value[i]);
        if (comes_again(L, seen, lua_gettop(L)) && once)
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

static void read_axes(reading *r, const eex_args *a)
{
    lua_State *L = a->L;
    const size_t count = push_fields(a);
    if (count == 0)
        luaL_error(L, "%s: at least one field", a->path);
    for (size_t i = 0; i < count; i++) {
        eex_axis *axis = &r->axis[r->axes++];
        *axis = (eex_axis){0};
        snprintf(axis->path, sizeof axis->path, "%s", push_field(a, i));
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

static void read_drawn(reading *r, const eex_args *a, const char *key, eex_sweep_kind kind)
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

static void read_points(reading *r, const eex_args *a)
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

/* ---- the rest ---- */

static void read_fixed(reading *r, const eex_args *a)
{
    lua_State *L = a->L;
    const eex_args set = eex_args_table(a, "set", true);
    const size_t count = push_fields(&set);
    r->s->fixed = calloc(count + 1, sizeof *r->s->fixed);
    if (!r->s->fixed)
        out_of_memory(L);
    for (size_t i = 0; i < count; i++) {
        const char *name = push_field(&set, i);
        push_text(L, lua_gettop(L), 0);
        lua_pushfstring(L, "%s=%s", name, lua_tostring(L, -1));
        keep(L, &r->s->fixed[i], lua_tostring(L, -1));
        r->s->fixeds = i + 1;
        lua_pop(L, 3);
    }
    eex_args_close(&set);
}

static void make_seeds(reading *r, lua_State *L, size_t count)
{
    r->s->seed = calloc(count, sizeof *r->s->seed);
    if (!r->s->seed)
        out_of_memory(L);
    r->s->seeds = count;
}

/* How many, from 0 on, or which; one when nobody says. */
static void read_seeds(reading *r, const eex_args *a)
{
    lua_State *L = a->L;
    lua_pushliteral(L, "seeds");
    lua_rawget(L, a->table);
    if (!lua_istable(L, -1)) {
        make_seeds(r, L, (size_t)eex_args_int_or(a, "seeds", 1, MAX_SEEDS, 1));
        for (size_t i = 0; i < r->s->seeds; i++)
            r->s->seed[i] = i;
    } else {
        const size_t count = (size_t)lua_rawlen(L, -1);
        if (count < 1 || count > MAX_SEEDS)
            eex_args_refuse(a, "seeds", "a list of 1 to %d integers, or how many", MAX_SEEDS);
        const int list = lua_gettop(L);
        make_seeds(r, L, count);
        lua_newtable(L);
        for (size_t i = 0; i < count; i++) {
            lua_rawgeti(L, list, (lua_Integer)i + 1);
            if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) < 0)
                eex_args_refuse(a, "seeds", "integers of 0 or more");
            if (comes_again(L, list + 1, lua_gettop(L))) /* it would count as another run */
                eex_args_refuse(a, "seeds", "each seed once");
            r->s->seed[i] = (uint64_t)lua_tointeger(L, -1);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void read_slurm_text(const eex_args *a, const char *key, char *out, size_t size)
{
    snprintf(out, size, "%s", eex_args_text_or(a, key, size - 1, ""));
}

static void read_slurm(reading *r, const eex_args *a)
{
    static const char *const known[] = {"partition", "time", "memory", "container", "setup",
                                        "options",   "gpus", "cpus",   "most",      NULL};
    eex_cluster *c = &r->s->cluster;
    const eex_args slurm = eex_args_table(a, "slurm", true);
    eex_args_known(&slurm, known);
    read_slurm_text(&slurm, "partition", c->partition, sizeof c->partition);
    read_slurm_text(&slurm, "time", c->time, sizeof c->time);
    read_slurm_text(&slurm, "memory", c->memory, sizeof c->memory);
    read_slurm_text(&slurm, "container", c->container, sizeof c->container);
    read_slurm_text(&slurm, "setup", c->setup, sizeof c->setup);
    read_slurm_text(&slurm, "options", c->options, sizeof c->options);
    c->gpus = (int)eex_args_int_or(&slurm, "gpus", 0, 1024, 0);
    c->cpus = (int)eex_args_int_or(&slurm, "cpus", 1, 4096, 0);
    c->most = (int)eex_args_int_or(&slurm, "most", 1, 1000000, 0);
    eex_args_close(&slurm);
}

/* The experiment lies beside the sweep's file, unless the sweep may read anything. */
static void read_experiment(reading *r, const eex_args *a)
{
    char real[PATH_MAX], full[PATH_MAX], *joined = NULL;
    const char *name = eex_args_text(a, "experiment", PATH_MAX - 1);
    const bool trust = eex__lua_of(a->L)->trust;
    int code = eex_path_join(&joined, r->folder, name);
    if (code == EEX_OK)
        code = eex__lua_readable(a->L, full, trust ? joined : name);
    free(joined);
    if (code == EEX_OK && !realpath(full, real))
        code = eex_fail(EEX_ENOTFOUND, "there is no file \"%s\"", full);
    if (code == EEX_OK)
        code = eex_fs_read(&r->s->experiment_text, NULL, real, MAX_SCRIPT);
    if (code < 0) {
        eex_fail_in(code, "experiment");
        eex_lua_raise(a->L);
    }
    keep(a->L, &r->s->experiment, real);
}

static void read_name(reading *r, const eex_args *a)
{
    const char *base = eex_path_base(r->path), *dot = strrchr(base, '.');
    char name[EEX_SWEEP_TEXT];
    snprintf(name, sizeof name, "%.*s", dot && dot > base ? (int)(dot - base) : (int)strlen(base),
             base);
    const char *given = eex_args_text_or(a, "name", sizeof name - 1, name);
    for (const char *c = given; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-_.", *c)) {
            if (!eex_args_has(a, "name"))
                luaL_error(a->L,
                           "the sweep would be called \"%s\", as its file is: give it a name "
                           "of letters, digits, \"-\", \"_\" and \".\", as in name = \"lr\"",
                           name);
            eex_args_refuse(a, "name", "letters, digits, \"-\", \"_\" and \".\"");
        }
    snprintf(r->s->name, sizeof r->s->name, "%s", given);
}

/* Under protection, with the script's value at index 2. */
static int read_value(lua_State *L)
{
    static const char *const known[] = {"name",   "experiment", "device", "set",   "grid",
                                        "random", "sobol",      "seeds",  "slurm", NULL};
    reading *r = lua_touserdata(L, 1);
    const eex_args a = eex_args_open(L, 2, "", false);
    eex_args_known(&a, known);
    read_name(r, &a);
    read_experiment(r, &a);
    keep(L, &r->s->device, eex_args_text_or(&a, "device", 63, "cpu"));
    read_fixed(r, &a);
    read_points(r, &a);
    read_seeds(r, &a);
    read_slurm(r, &a);
    return 0;
}

/* ---- all of it ---- */

static int name_fields(reading *r)
{
    eex_sweep *s = r->s;
    s->field = calloc(r->axes + 1, sizeof *s->field);
    if (!s->field)
        return eex_fail(EEX_ENOMEM, "out of memory for a sweep");
    for (size_t i = 0; i < r->axes; i++) {
        s->field[i] = strdup(r->axis[i].path);
        if (!s->field[i])
            return eex_fail(EEX_ENOMEM, "out of memory for a sweep");
        s->fields = i + 1;
    }
    size_t points = s->points;
    s->points = 0;
    EEX_TRY(eex_axes_points(&s->value, &points, r->axis, r->axes, r->kind, r->seed));
    s->points = points;
    return EEX_OK;
}

/* What the file has returned, on the top. */
static int take_value(lua_State *L, reading *r)
{
    lua_pushcfunction(L, read_value);
    lua_insert(L, -2);
    lua_pushlightuserdata(L, r);
    lua_insert(L, -2);
    int code = eex_lua_call(L, 2, 0);
    if (code == EEX_OK)
        code = name_fields(r);
    return code < 0 ? eex_fail_in(code, "%s", r->path) : EEX_OK;
}

static int load(reading *r, bool trust)
{
    const eex_lua_options lua = {.trust = trust};
    lua_State *L = NULL;
    EEX_TRY(eex_lua_open_for(&L, r->path, &lua));
    int code = eex_lua_run_file(L, r->path); /* whose messages name the file */
    if (code == EEX_OK)
        code = take_value(L, r);
    eex_lua_close(L);
    return code;
}

int eex_lua_sweep(eex_sweep **out, const char *path, bool trust)
{
    char *folder = NULL;
    *out = NULL;
    reading *r = calloc(1, sizeof *r);
    eex_sweep *s = calloc(1, sizeof *s);
    int code =
        r && s ? eex_path_folder(&folder, path) : eex_fail(EEX_ENOMEM, "out of memory for a sweep");
    if (code == EEX_OK) {
        r->s = s;
        r->path = path;
        snprintf(r->folder, sizeof r->folder, "%s", folder);
        code = load(r, trust);
    }
    for (size_t i = 0; r && i < r->axes; i++)
        eex_texts_free(r->axis[i].value, r->axis[i].values);
    free(folder);
    free(r);
    if (code != EEX_OK) {
        eex_sweep_free(s);
        return code;
    }
    *out = s;
    return EEX_OK;
}
