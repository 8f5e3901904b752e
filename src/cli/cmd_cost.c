/* eex cost: what a network costs in each paper's way of counting, and where gates may go. */
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/print_cost.h"
#include "core/run/experiment.h"
#include "lua/args.h"
#include "lua/lua_graph.h"
#include "lua/saliency.h"
#include "lua/sandbox.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

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

static int print(eex_cost_report *r, const char *path, bool trust, bool json)
{
    const eex_lua_options options = {.trust = trust};
    lua_State *L = NULL;
    EEX_TRY(default_gates(r));
    EEX_TRY(eex_lua_open_for(&L, path, &options));
    int code = read_file(r, L, path);
    if (code == EEX_OK)
        code = eex_print_cost(r, json);
    eex_lua_close(L);
    return code;
}

int eex_cmd_cost(int argc, char **argv)
{
    const char *convention = "all";
    bool json = false, trust = false;
    eex_cost_report report = {.only = EEX_CONVENTIONS};
    const eex_option options[] = {
        {.name = "convention",
         .value = "NAME",
         .help = "macs, ptflops, thop, torchprofile or all (all)",
         .text = &convention},
        {.name = "points", .help = "where gates may go, and how many", .flag = &report.points},
        {.name = "json", .help = "print one JSON object", .flag = &json},
        {.name = "trust", .help = "let the file do what any program may", .flag = &trust},
        {0}};
    const eex_command command = {
        .name = "cost",
        .synopsis = "FILE.lua [options]",
        .summary = "Counts what the network of an experiment costs for one image.",
        .details =
            "FILE.lua returns an experiment or a network, with or without gates. Papers count\n"
            "differently: macs are plain multiply-accumulates, the other conventions those of\n"
            "the tools that they used. Tables of exits and points are in macs, unless a\n"
            "convention is named.",
        .options = options,
        .min_words = 1,
        .max_words = 1};
    eex_arguments args;
    EEX_TRY(eex_options_parse(&args, argc, argv, &command));
    if (args.help)
        return EEX_OK;
    if (strcmp(convention, "all") != 0)
        EEX_TRY(eex_convention_parse(&report.only, convention));
    return print(&report, args.word[0], trust, json);
}
