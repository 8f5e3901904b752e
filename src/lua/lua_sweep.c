#include "lua/lua_sweep.h"

#include "lua/lua_sweep_impl.h"
#include "lua/sandbox_impl.h"

#include "base/fs.h"
#include "base/status.h"

#include <ctype.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SCRIPT = 16 << 20, MAX_SEEDS = 100000 };

/* ---- what a sweep says ---- */

static void read_fixed(eex__sweep_reading *r, const eex_args *a)
{
    lua_State *L = a->L;
    const eex_args set = eex_args_table(a, "set", true);
    const size_t count = eex__sweep_push_fields(&set);
    r->s->fixed = calloc(count + 1, sizeof *r->s->fixed);
    if (!r->s->fixed)
        eex__sweep_no_memory(L);
    for (size_t i = 0; i < count; i++) {
        const char *name = eex__sweep_push_field(&set, i);
        eex__sweep_push_text(L, lua_gettop(L), 0);
        lua_pushfstring(L, "%s=%s", name, lua_tostring(L, -1));
        eex__sweep_keep(L, &r->s->fixed[i], lua_tostring(L, -1));
        r->s->fixeds = i + 1;
        lua_pop(L, 3);
    }
    eex_args_close(&set);
}

static void make_seeds(eex__sweep_reading *r, lua_State *L, size_t count)
{
    r->s->seed = calloc(count, sizeof *r->s->seed);
    if (!r->s->seed)
        eex__sweep_no_memory(L);
    r->s->seeds = count;
}

/* How many, from 0 on, or which; one when nobody says. */
static void read_seeds(eex__sweep_reading *r, const eex_args *a)
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
        const eex_args seeds = {L, list, "seeds"};
        eex_args_list(&seeds);
        make_seeds(r, L, count);
        lua_newtable(L);
        for (size_t i = 0; i < count; i++) {
            lua_rawgeti(L, list, (lua_Integer)i + 1);
            if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) < 0)
                eex_args_refuse(a, "seeds", "integers of 0 or more");
            if (eex__sweep_comes_again(L, list + 1)) /* it would count as another run */
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

static void read_slurm(eex__sweep_reading *r, const eex_args *a)
{
    static const char *const known[] = {"partition", "time", "memory", "container", "setup",
                                        "options",   "gpus", "cpus",   "most",      NULL};
    eex_cluster *c = &r->s->cluster;
    const eex_args slurm = eex_args_table(a, "slurm", true);
    eex_args_known(&slurm, known);
    read_slurm_text(&slurm, "partition", c->partition, sizeof c->partition);
    if (eex_args_has(&slurm, "time"))
        eex_args_time(c->time, sizeof c->time, &slurm, "time");
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
static void read_experiment(eex__sweep_reading *r, const eex_args *a)
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
    eex__sweep_keep(a->L, &r->s->experiment, real);
}

static void read_name(eex__sweep_reading *r, const eex_args *a)
{
    const char *base = eex_path_base(r->path), *dot = strrchr(base, '.');
    char name[EEX_SWEEP_TEXT];
    snprintf(name, sizeof name, "%.*s", dot && dot > base ? (int)(dot - base) : (int)strlen(base),
             base);
    const char *given = eex_args_text_or(a, "name", sizeof name - 1, name);
    for (const char *c = given; *c; c++)
        if ((!isalnum((unsigned char)*c) && !strchr("-_.", *c)) || *given == '.') {
            if (!eex_args_has(a, "name"))
                luaL_error(a->L,
                           "the sweep would be called \"%s\", as its file is: give it a name "
                           "of letters, digits, \"-\", \"_\" and \".\", as in name = \"lr\"",
                           name);
            eex_args_refuse(a, "name", "letters, digits, \"-\", \"_\" and \".\", no dot in front");
        }
    snprintf(r->s->name, sizeof r->s->name, "%s", given);
}

/* Under protection, with the script's value at index 2. */
static int read_value(lua_State *L)
{
    static const char *const known[] = {"name",   "experiment", "device", "set",   "grid",
                                        "random", "sobol",      "seeds",  "slurm", NULL};
    eex__sweep_reading *r = lua_touserdata(L, 1);
    const eex_args a = eex_args_open(L, 2, "", false);
    eex_args_known(&a, known);
    read_name(r, &a);
    read_experiment(r, &a);
    eex__sweep_keep(L, &r->s->device, eex_args_text_or(&a, "device", 63, "cpu"));
    read_fixed(r, &a);
    eex__sweep_read_points(r, &a);
    read_seeds(r, &a);
    read_slurm(r, &a);
    return 0;
}

/* ---- all of it ---- */

static int name_fields(eex__sweep_reading *r)
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
    return eex_sweep_check_tasks(s);
}

/* What the file has returned, on the top. */
static int take_value(lua_State *L, eex__sweep_reading *r)
{
    lua_pushcfunction(L, read_value);
    lua_insert(L, -2);
    lua_pushlightuserdata(L, r);
    lua_insert(L, -2);
    int code = eex_lua_call(L, 2, 0);
    if (code == EEX_OK)
        code = name_fields(r);
    return code < 0 ? eex_lua_fail_in(code, r->path) : EEX_OK;
}

static int load(eex__sweep_reading *r, bool trust)
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
    eex__sweep_reading *r = calloc(1, sizeof *r);
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
