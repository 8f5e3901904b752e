/* eex cost: what a network costs in each paper's way of counting, and where gates may go. */
#include "cli/commands.h"
#include "cli/print_cost.h"
#include "cli/script_options.h"
#include "lua/lua_graph.h"
#include "lua/saliency.h"
#include "lua/sandbox.h"

#include "base/status.h"

#include <lauxlib.h>
#include <string.h>

typedef struct arguments {
    const char *convention;
    bool points, json;
    eex_script_options script;
} arguments;

static const arguments defaults = {.convention = "all"};

static const eex_option options[] = {
    EEX_TEXT("convention", "NAME", convention, "macs, ptflops, thop, torchprofile or all (all)"),
    EEX_FLAG("points", points, "where gates may go, and how many"),
    EEX_SET(script.set, "the file"),
    EEX_JSON(json),
    EEX_TRUST(script.trust, "the file"),
    {0},
};

/* ---- a network by itself ---- */

static int default_gates(eex_cost_report *r)
{
    eex_experiment *e = eex_experiment_new();
    if (!e)
        return EEX_ENOMEM;
    r->choices = e->gates.choices;
    memcpy(r->blocks, e->gates.blocks, (size_t)r->choices * sizeof *r->blocks);
    eex_experiment_free(e);
    return EEX_OK;
}

/* Costs are no matter of data: an experiment that has not chosen a data set gets one by name. */
static void add_dataset(lua_State *L, int table)
{
    lua_pushliteral(L, "dataset");
    if (lua_rawget(L, table) == LUA_TNIL) {
        lua_pushliteral(L, "dataset");
        lua_createtable(L, 0, 1);
        lua_pushliteral(L, "none");
        lua_setfield(L, -2, "name");
        lua_rawset(L, table);
    }
    lua_pop(L, 1);
}

/* With the report at index 1 and the script's value at index 2, which is returned: r->graph becomes
 * the network that it is, with its usual points, and stays NULL when it is something else. */
static int look_at(lua_State *L)
{
    eex_cost_report *r = lua_touserdata(L, 1);
    eex_lua_saliency found;
    r->graph = eex_lua_finished(L, 2);
    if (lua_istable(L, 2))
        add_dataset(L, 2);
    if (!r->graph || !r->points)
        return 1;
    if (eex_graph_exits(r->graph) > 1)
        luaL_error(L, "a network without gates expected, for --points");
    lua_pushnil(L);
    eex_lua_read_saliency(&found, L, -1, "saliency", r->graph);
    lua_pop(L, 1);
    r->salient = found.points;
    r->act = eex_lua_graph_act(r->graph);
    return 1;
}

/* ---- an experiment, checked like one that is run ---- */

static void take_experiment(eex_cost_report *r, const eex_experiment *e)
{
    r->graph = e->backbone;
    r->salient = e->points;
    r->probe = e->probe;
    r->probe_count = e->probe_count;
    r->choices = e->gates.choices;
    memcpy(r->blocks, e->gates.blocks, (size_t)r->choices * sizeof *r->blocks);
    r->act = e->gates.act;
}

/* ---- the command ---- */

static int print_value(eex_cost_report *r, lua_State *L, const char *path, const arguments *a)
{
    eex_experiment *e = NULL;
    lua_pushcfunction(L, look_at);
    lua_insert(L, -2);
    lua_pushlightuserdata(L, r);
    lua_insert(L, -2);
    int code = eex_lua_call(L, 2, 1);
    if (code < 0)
        return eex_fail_in(code, "%s", path);
    if (r->graph && a->script.set.count)
        return eex_fail(EEX_EINVAL, "--set %s: %s returns a network, which has no fields",
                        a->script.set.item[0], path);
    if (!r->graph) {
        EEX_TRY(eex_experiment_from(&e, L, path, &a->script));
        take_experiment(r, e);
    }
    code = eex_print_cost(r, a->json);
    eex_experiment_free(e);
    return code;
}

static int print(eex_cost_report *r, const char *path, const arguments *a)
{
    const eex_lua_options lua = {.trust = a->script.trust, .expendable = true};
    lua_State *L = NULL;
    EEX_TRY(default_gates(r));
    EEX_TRY(eex_lua_open_for(&L, path, &lua));
    int code = eex_lua_run_file(L, path);
    if (code == EEX_OK)
        code = print_value(r, L, path, a);
    eex_lua_close(L);
    return code;
}

static int parse_convention(eex_convention *out, const char *name)
{
    const eex_names *names = eex_convention_names();
    const char *known[EEX_CONVENTIONS + 1];
    int which;
    for (int i = 0; i < EEX_CONVENTIONS; i++)
        known[i] = names->name[i];
    known[EEX_CONVENTIONS] = "all";
    EEX_TRY(eex_options_choice(&which, "cost convention", name, known, EEX_CONVENTIONS + 1));
    *out = (eex_convention)which; /* EEX_CONVENTIONS: all */
    return EEX_OK;
}

static int run(const void *given, const eex_words *words)
{
    const arguments *a = given;
    eex_cost_report report = {.points = a->points};
    EEX_TRY(parse_convention(&report.only, a->convention));
    return print(&report, words->at[0], a);
}

const eex_cmd eex_cmd_cost = {
    .name = "cost",
    .brief = "count what a network costs",
    .synopsis = "FILE.lua [options]",
    .summary = "Counts what the network of an experiment costs for one image.",
    .details = "FILE.lua returns an experiment, which is checked as `eex run` does it (but needs\n"
               "no data set), or a network by itself, with or without gates. Papers count\n"
               "differently: macs are plain multiply-accumulates, the other conventions those of\n"
               "the tools that they used. Tables of exits and points are in macs, unless a\n"
               "convention is named. --set is explained by eex help run.",
    .words = {1, 1},
    .takes = {sizeof(arguments), &defaults, options},
    .run = run,
};
