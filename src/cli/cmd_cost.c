/* eex cost: what a network costs in each paper's way of counting, and where gates may go. */
#include "cli/commands.h"
#include "cli/print_cost.h"
#include "cli/script_options.h"
#include "core/run/experiment.h"
#include "lua/args.h"
#include "lua/lua_graph.h"
#include "lua/saliency.h"
#include "lua/sandbox.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

typedef struct arguments {
    const char *convention;
    bool points, json, trust;
} arguments;

static const arguments defaults = {.convention = "all"};

static const eex_option options[] = {
    EEX_TEXT("convention", "NAME", convention, "macs, ptflops, thop, torchprofile or all (all)"),
    EEX_FLAG("points", points, "where gates may go, and how many"),
    EEX_JSON(json),
    EEX_TRUST(trust, "the file"),
    {0},
};

/* ---- what the file says ---- */

static int compare_ints(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

static void read_gates(eex_cost_report *r, const eex_args *a)
{
    eex_args t = eex_args_table(a, "gates", true);
    int count = eex_args_ints(&t, "blocks", r->blocks, EEX_COST_CHOICES, 0, 15);
    if (count > 0)
        r->choices = count;
    qsort(r->blocks, (size_t)r->choices, sizeof *r->blocks, compare_ints);
    for (int i = 1; i < r->choices; i++)
        if (r->blocks[i] == r->blocks[i - 1])
            eex_args_refuse(&t, "blocks", "each block count once");
    r->act =
        (eex_act)eex_args_choice_or(&t, "act", eex_act_names(), (int)eex_lua_graph_act(r->graph));
    eex_args_close(&t);
}

static void read_points(eex_cost_report *r, const eex_args *a)
{
    eex_lua_saliency found;
    lua_pushliteral(a->L, "saliency");
    lua_rawget(a->L, a->table);
    eex_lua_read_saliency(&found, a->L, -1, "saliency", r->graph);
    lua_pop(a->L, 1);
    r->salient = found.points;
    r->probe = found.probe;
    r->probe_count = found.probe_count;
}

/* The script's value is an experiment or a network by itself; a backbone has points, by the rule of
 * the experiment where there is one. Under protection, with the value at index 2. */
static int read_value(lua_State *L)
{
    eex_cost_report *r = lua_touserdata(L, 1);
    if (eex_lua_finished(L, 2)) { /* as if it were {backbone = network} */
        lua_createtable(L, 0, 1);
        lua_insert(L, 2);
        lua_setfield(L, 2, "backbone");
    }
    eex_args a = eex_args_open(L, 2, "", false);
    lua_pushliteral(L, "backbone");
    lua_rawget(L, 2);
    r->graph = eex_lua_finished(L, -1);
    if (!r->graph)
        eex_args_refuse(&a, "backbone",
                        "a finished network, such as eex.backbones.mobilenetv2 { ... }");
    if (r->points && eex_graph_exits(r->graph) > 1)
        eex_args_refuse(&a, "backbone", "a network without gates, for --points");
    if (r->points) {
        read_points(r, &a);
        read_gates(r, &a);
    }
    lua_pushvalue(L, 2); /* keeps the network alive while the caller prints */
    lua_setglobal(L, "experiment");
    return 0;
}

static int read_file(eex_cost_report *r, lua_State *L, const char *path)
{
    EEX_TRY(eex_lua_run_file(L, path));
    lua_pushcfunction(L, read_value);
    lua_insert(L, -2);
    lua_pushlightuserdata(L, r);
    lua_insert(L, -2);
    int code = eex_lua_call(L, 2, 0);
    return code < 0 ? eex_fail_in(code, "%s", path) : EEX_OK;
}

/* ---- the command ---- */

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

static int print(eex_cost_report *r, const char *path, const arguments *a)
{
    const eex_lua_options lua = {.trust = a->trust, .expendable = true};
    lua_State *L = NULL;
    EEX_TRY(default_gates(r));
    EEX_TRY(eex_lua_open_for(&L, path, &lua));
    int code = read_file(r, L, path);
    if (code == EEX_OK)
        code = eex_print_cost(r, a->json);
    eex_lua_close(L);
    return code;
}

static int run(const void *given, const eex_words *words)
{
    const arguments *a = given;
    eex_cost_report report = {.only = EEX_CONVENTIONS, .points = a->points};
    if (strcmp(a->convention, "all") != 0)
        EEX_TRY(eex_convention_parse(&report.only, a->convention));
    return print(&report, words->at[0], a);
}

const eex_cmd eex_cmd_cost = {
    .name = "cost",
    .brief = "count what a network costs",
    .synopsis = "FILE.lua [options]",
    .summary = "Counts what the network of an experiment costs for one image.",
    .details = "FILE.lua returns an experiment or a network, with or without gates. Papers count\n"
               "differently: macs are plain multiply-accumulates, the other conventions those of\n"
               "the tools that they used. Tables of exits and points are in macs, unless a\n"
               "convention is named.",
    .words = {1, 1},
    .takes = {sizeof(arguments), &defaults, options},
    .run = run,
};
