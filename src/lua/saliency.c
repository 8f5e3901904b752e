#include "lua/saliency.h"

#include "lua/args.h"
#include "lua/graph_words.h"
#include "lua/lua_graph.h"

#include "base/status.h"

#include <lauxlib.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

enum { RESIDUAL_MERGES, STAGE_ENDS, ALL, RANKED, RULES };
EEX_NAMES_LOCAL(rule, RULES, [RESIDUAL_MERGES] = "residual_merges", [STAGE_ENDS] = "stage_ends",
                [ALL] = "all", [RANKED] = "ranked");

enum { SPACING, PROBE, METRICS };
EEX_NAMES_LOCAL(metric, METRICS, [SPACING] = "spacing", [PROBE] = "probe");

enum { MAX_POINTS = sizeof((eex_points *)NULL)->nodes / sizeof(int) };

static int apply_named(eex_points *out, int rule, const eex_graph *g)
{
    if (rule == RESIDUAL_MERGES)
        return eex_saliency_residual_merges(out, g);
    return rule == STAGE_ENDS ? eex_saliency_stage_ends(out, g) : eex_saliency_all(out, g);
}

static void named(eex_points *out, lua_State *L, int rule, const eex_graph *g)
{
    if (apply_named(out, rule, g) < 0)
        eex_lua_raise(L);
}

static void by_default(eex_points *out, lua_State *L, const eex_graph *g)
{
    named(out, L, RESIDUAL_MERGES, g);
    if (out->count == 0)
        named(out, L, ALL, g);
}

/* ---- lists ---- */

static int compare_ints(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

/* A node by name, by id, or the table that describes it; -1: none. */
static int node_at(lua_State *L, int index, const eex_graph *g)
{
    int id = -1;
    lua_pushvalue(L, index);
    if (lua_istable(L, -1)) {
        lua_pushliteral(L, "id");
        lua_rawget(L, -2);
    }
    const char *name = eex_lua_plain_text(L, -1);
    if (name)
        id = eex_graph_find(g, name);
    else if (lua_isinteger(L, -1) && lua_tointeger(L, -1) >= 0 && lua_tointeger(L, -1) <= INT_MAX)
        id = (int)lua_tointeger(L, -1);
    return id;
}

static void list(eex_points *out, const eex_args *a, const eex_graph *g)
{
    lua_State *L = a->L;
    lua_Unsigned count = lua_rawlen(L, a->table);
    int top = lua_gettop(L);
    eex_args_list(a);
    if (count > MAX_POINTS)
        eex_lua_error(L, "%s: more than %d points", a->path, MAX_POINTS);
    out->count = 0;
    for (int i = 0; i < (int)count; i++) {
        char member[16];
        snprintf(member, sizeof member, "[%d]", i + 1);
        lua_rawgeti(L, a->table, i + 1);
        int id = node_at(L, top + 1, g);
        if (id < 0 && lua_istable(L, top + 1)) { /* mistyped? */
            const eex_args node = {L, top + 1, a->path};
            eex_args_known(&node, eex__graph_fields(EEX__OF_NODE));
        }
        if (!eex_graph_gateable(g, id))
            eex_args_refuse(a, member,
                            "the name or id of a feature map in front of the classifier");
        out->nodes[out->count++] = id;
        lua_settop(L, top);
    }
    qsort(out->nodes, (size_t)out->count, sizeof *out->nodes, compare_ints);
    for (int i = 1; i < out->count; i++)
        if (out->nodes[i] == out->nodes[i - 1])
            eex_lua_error(L, "%s: \"%s\" is there twice", a->path,
                          eex_graph_node(g, out->nodes[i])->name);
}

/* ---- rules ---- */

static void read_rule(eex_lua_saliency *out, lua_State *L, int index, const char *path,
                      const eex_graph *g, bool may_rank);

/* A script's own metric: called with each node's description. */
static void call_metric(double *score, const eex_args *a, const eex_graph *g,
                        const eex_points *from)
{
    lua_State *L = a->L;
    int top = lua_gettop(L);
    eex_lua_push_nodes(L, g);
    for (int i = 0; i < from->count; i++) {
        lua_pushliteral(L, "metric");
        lua_rawget(L, a->table);
        lua_rawgeti(L, top + 1, from->nodes[i] + 1);
        lua_call(L, 1, 1);
        int is;
        score[i] = lua_tonumberx(L, -1, &is);
        if (!is)
            eex_lua_error(L, "%s.metric: a function that returns a number, got %s for \"%s\"",
                          a->path, luaL_typename(L, -1), eex_graph_node(g, from->nodes[i])->name);
        lua_settop(L, top + 1);
    }
    lua_settop(L, top);
}

static const char *const ranking[] = {"rule", "metric", "count", "from", NULL};

static void ranked(eex_lua_saliency *out, const eex_args *a, const eex_graph *g)
{
    double score[MAX_POINTS];
    lua_State *L = a->L;
    eex_args_known(a, ranking);
    int count = (int)eex_args_int_or(a, "count", 0, MAX_POINTS, 0);
    const char *path = lua_pushfstring(L, "%s.from", a->path);
    lua_pushliteral(L, "from");
    lua_rawget(L, a->table);
    read_rule(out, L, lua_gettop(L), path, g, false);
    lua_pushliteral(L, "metric");
    bool function = lua_rawget(L, a->table) == LUA_TFUNCTION;
    if (!function && eex_args_choice_or(a, "metric", metric_names(), SPACING) == PROBE) {
        out->probe = true;
        out->probe_count = count;
        return;
    }
    int code = EEX_OK;
    if (function)
        call_metric(score, a, g, &out->points);
    else
        code = eex_saliency_spacing(score, g, &out->points, count);
    if (code == EEX_OK)
        code = eex_saliency_top(&out->points, g, &out->points, score, count);
    if (code < 0)
        eex_lua_raise(L);
}

static void from_table(eex_lua_saliency *out, lua_State *L, int index, const char *path,
                       const eex_graph *g, bool may_rank)
{
    static const char *const known[] = {"rule", NULL};
    eex_args a = eex_args_open(L, index, path, false);
    if (!eex_args_has(&a, "rule") && lua_rawlen(L, index) > 0) {
        list(&out->points, &a, g);
        return;
    }
    if (!eex_args_has(&a, "rule"))
        eex_args_known(&a, ranking);
    int rule = eex_args_choice(&a, "rule", rule_names());
    if (rule == RANKED && !may_rank)
        eex_args_refuse(&a, "rule", "a rule that does not rank");
    if (rule == RANKED) {
        ranked(out, &a, g);
        return;
    }
    eex_args_known(&a, known);
    named(&out->points, L, rule, g);
}

static void from_name(eex_lua_saliency *out, lua_State *L, int index, const char *path,
                      const eex_graph *g)
{
    lua_createtable(L, 0, 1); /* so that a wrong name is reported like any field */
    lua_pushvalue(L, index);
    lua_setfield(L, -2, path);
    eex_args a = eex_args_open(L, -1, "", false);
    int rule = eex_args_choice(&a, path, rule_names());
    if (rule == RANKED)
        eex_args_refuse(&a, path, "{rule = \"ranked\", ...} with its options");
    named(&out->points, L, rule, g);
}

static void from_function(eex_lua_saliency *out, lua_State *L, int index, const char *path,
                          const eex_graph *g)
{
    lua_pushvalue(L, index);
    eex_lua_push_nodes(L, g);
    lua_call(L, 1, 1);
    const char *result = lua_pushfstring(L, "%s (the list that the function returned)", path);
    eex_args a = eex_args_open(L, -2, result, false);
    list(&out->points, &a, g);
}

static void read_rule(eex_lua_saliency *out, lua_State *L, int index, const char *path,
                      const eex_graph *g, bool may_rank)
{
    luaL_checkstack(L, 16, NULL);
    switch (lua_type(L, index)) {
    case LUA_TNONE:
    case LUA_TNIL:
        by_default(&out->points, L, g);
        break;
    case LUA_TFUNCTION:
        from_function(out, L, index, path, g);
        break;
    case LUA_TTABLE:
        from_table(out, L, index, path, g, may_rank);
        break;
    default:
        from_name(out, L, index, path, g);
    }
}

void eex_lua_read_saliency(eex_lua_saliency *out, lua_State *L, int index, const char *path,
                           const eex_graph *g)
{
    *out = (eex_lua_saliency){0};
    if (!lua_isnone(L, index))
        index = lua_absindex(L, index);
    int top = lua_gettop(L);
    read_rule(out, L, index, path, g, true);
    lua_settop(L, top);
}
