/* Fields that something is special about. */
#include "lua/lua_fields.h"
#include "lua/lua_graph.h"
#include "lua/saliency.h"
#include "lua/sandbox_impl.h"

#include "base/fs.h"
#include "base/status.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the run ---- */

/* Names become folders. */
static bool good_name(const char *name)
{
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
            return false;
    return *name && *name != '.';
}

void eex__read_run_name(const eex_lua_reading *r, const eex_args *a, const char *key,
                        const eex_field *f)
{
    const char *base = eex_path_base(r->script), *dot = strrchr(base, '.');
    const int length = dot && dot > base ? (int)(dot - base) : (int)strlen(base);
    char *name = eex_field_text(f, r->e);
    snprintf(name, (size_t)f->size, "%.*s", length, base);
    if (eex_args_has(a, key))
        eex__read_text(r, a, key, f);
    if (!good_name(name))
        eex_args_refuse(a, key, "letters, digits, \"-\", \"_\" and \".\"");
}

/* What --set says is the user's own; what a sweep's file sets is not. */
static bool is_set(const eex_lua_experiment_options *options, const char *field)
{
    const size_t length = strlen(field);
    for (size_t i = 0; i < options->sets && !options->foreign; i++)
        if (strncmp(options->set[i], field, length) == 0 && options->set[i][length] == '=')
            return true;
    return false;
}

/* Whether the script itself says what the field is: what --set says is the user's own. */
static bool is_scripts(const eex_lua_reading *r, const eex_field *f)
{
    char table[96];
    snprintf(table, sizeof table, "%.*s", (int)strcspn(f->path, "."), f->path);
    return !is_set(r->options, f->path) && !is_set(r->options, table);
}

/* The run opens the file by its path from where eex runs, so that is the one that the script must
 * be allowed to read. One that is not there yet is not looked up before the run, where it may be.
 */
static void check_readable(const eex_lua_reading *r, const eex_args *a, const eex_field *f)
{
    const char *path = eex_field_text(f, r->e);
    char from_here[PATH_MAX], real[PATH_MAX];
    if (!is_scripts(r, f))
        return;
    if (!realpath(path, from_here)) {
        if (*path != '/')
            return;
        snprintf(from_here, sizeof from_here, "%s", path);
    }
    int code = eex__lua_readable(a->L, real, from_here);
    if (code < 0 && code != EEX_ENOTFOUND) {
        eex_fail_in(code, "%s", f->path);
        eex_lua_raise(a->L);
    }
}

void eex__read_table_file(const eex_lua_reading *r, const eex_args *a, const char *key,
                          const eex_field *f)
{
    eex__read_text(r, a, key, f);
    if (eex_args_has(a, key))
        check_readable(r, a, f);
}

void eex__read_data_name(const eex_lua_reading *r, const eex_args *a, const char *key,
                         const eex_field *f)
{
    eex__read_text(r, a, key, f);
    if (eex_dataset_is_path(eex_field_text(f, r->e)))
        check_readable(r, a, f);
}

/* ---- network and exits ---- */

void eex__read_backbone(const eex_lua_reading *r, const eex_args *a, const char *key,
                        const eex_field *f)
{
    lua_State *L = a->L;
    lua_pushstring(L, key);
    lua_rawget(L, a->table);
    const eex_graph *g = eex_lua_backbone(L, -1);
    if (!g && eex_lua_finished(L, -1))
        eex_args_refuse(a, key,
                        "a network without gates: a search puts them on (eex cost takes one "
                        "with gates where the file returns it by itself)");
    if (!g)
        eex_args_refuse(a, key, "a finished network, such as eex.backbones.mobilenetv2 { ... }");
    /* A copy: the script's network goes with the script. */
    if (eex_graph_with_gates(eex_field_graph(f, r->e), g, NULL, 0, EEX_ACT_NONE) < 0)
        eex_lua_raise(L);
    lua_pop(L, 1);
}

void eex__read_saliency(const eex_lua_reading *r, const eex_args *a, const char *key,
                        const eex_field *f)
{
    eex_lua_saliency rule;
    lua_pushstring(a->L, key);
    lua_rawget(a->L, a->table);
    eex_lua_read_saliency(&rule, a->L, -1, f->path, r->e->backbone);
    lua_pop(a->L, 1);
    r->e->points = rule.points;
    r->e->probe = rule.probe;
    r->e->probe_count = rule.probe_count;
}

void eex__read_gate_act(const eex_lua_reading *r, const eex_args *a, const char *key,
                        const eex_field *f)
{
    const int usual = (int)eex_lua_graph_act(r->e->backbone);
    eex_field_put(f, r->e, eex_args_choice_or(a, key, f->names(), usual));
}

/* ---- fields that stand for a table ---- */

/* The row below another one; NULL: there is none. */
static const eex_field *below(const eex_field *f, const char *name)
{
    char path[96];
    snprintf(path, sizeof path, "%s.%s", f->path, name);
    return eex_field_find(path);
}

/* What is no table is refused; what is in it, other rows read. */
static void want_table(const eex_args *a, const char *key, bool optional)
{
    const eex_args t = eex_args_table(a, key, optional);
    eex_args_close(&t);
}

void eex__read_dataset(const eex_lua_reading *r, const eex_args *a, const char *key,
                       const eex_field *f)
{
    if (eex__type_of(a, key) == LUA_TSTRING)
        eex__read_data_name(r, a, key, below(f, "name"));
    else
        want_table(a, key, false);
}

void eex__read_short(const eex_lua_reading *r, const eex_args *a, const char *key,
                     const eex_field *f)
{
    if (eex__type_of(a, key) == LUA_TSTRING)
        eex__read_enum(r, a, key, below(f, "kind"));
    else
        want_table(a, key, true);
}

/* A table says all of it: what it leaves out is off. */
void eex__read_augment(const eex_lua_reading *r, const eex_args *a, const char *key,
                       const eex_field *f)
{
    const bool off = eex__is_false(a, key);
    if (!off && eex__type_of(a, key) != LUA_TTABLE)
        eex_args_refuse(a, key, "a table {crop, flip, cutout, jitter}, or false");
    *eex_field_augment(f, r->e) = (eex_augment){.enabled = !off};
}

/* Candidates and the final training are like the training but for what they say themselves, and for
 * how long they take. */
void eex__read_like(const eex_lua_reading *r, const eex_args *a, const char *key,
                    const eex_field *f)
{
    eex_recipe *recipe = eex_field_recipe(f, r->e);
    const int epochs = recipe->epochs;
    const eex_field *from = below(f, "from");
    want_table(a, key, true);
    *recipe = r->e->training;
    recipe->epochs = epochs;
    if (from->type != EEX_FIELD_FIXED)
        eex_field_put(from, r->e, r->e->training_from_base);
}

void eex__read_fixed(const eex_lua_reading *r, const eex_args *a, const char *key,
                     const eex_field *f)
{
    eex_args_refuse(a, key, "%s", f->help);
}

/* ---- policy ---- */

void eex__read_policy_kind(const eex_lua_reading *r, const eex_args *a, const char *key,
                           const eex_field *f)
{
    const int kind = eex_args_choice(a, key, f->names());
    eex_calibration_use_kind(&r->e->policy, (eex_policy_kind)kind);
}

void eex__read_temperature(const eex_lua_reading *r, const eex_args *a, const char *key,
                           const eex_field *f)
{
    static const char *const fitted[] = {"fitted"};
    const eex_names words = {fitted, 1};
    if (eex__type_of(a, key) != LUA_TSTRING) {
        eex__read_number(r, a, key, f);
        return;
    }
    eex_args_choice(a, key, &words);
    eex_field_put(f, r->e, 0);
}

void eex__read_threshold(const eex_lua_reading *r, const eex_args *a, const char *key,
                         const eex_field *f)
{
    eex__read_number(r, a, key, f);
    if (r->e->policy.kind == EEX_POLICY_ENTROPY)
        eex_field_put(f, r->e, -eex_field_get(f, r->e));
}

void eex__read_lower(const eex_lua_reading *r, const eex_args *a, const char *key,
                     const eex_field *f)
{
    if (eex__is_false(a, key))
        eex_field_put(f, r->e, (double)INFINITY);
    else
        eex__read_threshold(r, a, key, f);
}

/* ---- search ---- */

void eex__read_or_false(const eex_lua_reading *r, const eex_args *a, const char *key,
                        const eex_field *f)
{
    if (!eex__is_false(a, key))
        eex__read_number(r, a, key, f);
}

void eex__read_population(const eex_lua_reading *r, const eex_args *a, const char *key,
                          const eex_field *f)
{
    eex__read_int(r, a, key, f);
    if (r->e->search.sample > r->e->search.population)
        r->e->search.sample = r->e->search.population;
}
