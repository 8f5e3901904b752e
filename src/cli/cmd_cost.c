/* eex cost: what a network costs in each paper's way of counting, and where gates may go. */
#include "cli/commands.h"
#include "cli/cost_genome.h"
#include "cli/print_cost.h"
#include "cli/script_options.h"
#include "core/graph/elastic.h"
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
    const char *genome;
    bool points, extremes, json, trust;
} arguments;

static const arguments defaults = {.convention = "all"};

static const eex_option options[] = {
    EEX_TEXT("convention", "NAME", convention, "macs, ptflops, thop, torchprofile or all (all)"),
    EEX_FLAG("points", points, "where gates may go, and how many"),
    EEX_TEXT("genome", "VALUES", genome, "the structure with these values: 2,3,5,..."),
    EEX_FLAG("extremes", extremes, "the smallest and the largest structure"),
    EEX_JSON(json),
    EEX_TRUST(trust, "the file"),
    {0},
};

/* ---- what the file says ---- */

/* What is asked of the file. */
typedef struct question {
    eex_cost_report *report;
    bool structure; /* for the space */
    bool points;    /* for points and gates: the space of a network that is not elastic */
} question;

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
    r->family =
        (eex_gate_family)eex_args_choice_or(&t, "family", eex_gate_family_names(), EEX_GATE_BLOCKS);
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
    question *q = lua_touserdata(L, 1);
    eex_cost_report *r = q->report;
    if (eex_lua_finished(L, 2)) { /* as if it were {backbone = network} */
        lua_createtable(L, 0, 1);
        lua_insert(L, 2);
        lua_setfield(L, 2, "backbone");
    }
    eex_args a = eex_args_open(L, 2, "", false);
    lua_pushliteral(L, "backbone");
    lua_rawget(L, 2);
    r->graph = eex_lua_finished(L, -1);
    if (r->graph && q->structure && eex_graph_genes(r->graph) > 0)
        q->points = false; /* its space is its genes */
    if (!r->graph)
        eex_args_refuse(&a, "backbone",
                        "a finished network, such as eex.backbones.mobilenetv2 { ... }");
    if (q->points && eex_graph_exits(r->graph) > 1)
        eex_args_refuse(&a, "backbone", "a network without gates, for %s",
                        q->structure ? "--genome and --extremes" : "--points");
    if (q->points) {
        read_points(r, &a);
        read_gates(r, &a);
    }
    lua_pushvalue(L, 2); /* keeps the network alive while the caller prints */
    lua_setglobal(L, "experiment");
    return 0;
}

static int read_file(question *q, lua_State *L, const char *path)
{
    EEX_TRY(eex_lua_run_file(L, path));
    lua_pushcfunction(L, read_value);
    lua_insert(L, -2);
    lua_pushlightuserdata(L, q);
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

static int print_genome(const eex_cost_report *space, const arguments *a)
{
    eex_cost_genome genome;
    eex_cost_report one = *space;
    EEX_TRY(eex__cost_genome_parse(&genome, space, a->genome));
    one.graph = genome.graph;
    one.genome = eex_buffer_text(&genome.text);
    int code = eex_print_costs(&one, 1, a->json);
    eex__cost_genome_free(&genome);
    return code;
}

static int print_extremes(const eex_cost_report *space, const arguments *a)
{
    static const char *const titles[2] = {"smallest", "largest"};
    eex_cost_genome genome[2] = {{.text = EEX_BUFFER_INIT}, {.text = EEX_BUFFER_INIT}};
    eex_cost_report both[2] = {*space, *space};
    int code = EEX_OK;
    for (int i = 0; i < 2 && code == EEX_OK; i++) {
        code = eex__cost_genome_extreme(&genome[i], space, i);
        both[i].graph = genome[i].graph;
        both[i].genome = eex_buffer_text(&genome[i].text);
        both[i].title = titles[i];
    }
    if (code == EEX_OK)
        code = eex_print_costs(both, 2, a->json);
    eex__cost_genome_free(&genome[0]);
    eex__cost_genome_free(&genome[1]);
    return code;
}

static int print(eex_cost_report *r, const char *path, const arguments *a)
{
    const eex_lua_options lua = {.trust = a->trust};
    question q = {.report = r, .structure = a->genome || a->extremes};
    lua_State *L = NULL;
    q.points = r->points || q.structure;
    EEX_TRY(default_gates(r));
    EEX_TRY(eex_lua_open_for(&L, path, &lua));
    int code = read_file(&q, L, path);
    if (code == EEX_OK)
        code = a->genome     ? print_genome(r, a)
               : a->extremes ? print_extremes(r, a)
                             : eex_print_costs(r, 1, a->json);
    eex_lua_close(L);
    return code;
}

static int check(void *given, const eex_words *words)
{
    const arguments *a = given;
    if ((a->genome != NULL) + a->extremes + a->points > 1)
        return eex_fail(EEX_EINVAL, "one of --genome, --extremes and --points can be asked for");
    return EEX_OK;
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
               "convention is named.\n"
               "\n"
               "--genome counts one structure of the file's space: of an elastic network a value\n"
               "for each gene, as eex cost lists them (3 for a kernel of 3x3, 64 for images of\n"
               "that size), of any other a number of blocks for each salient point, - for no\n"
               "gate: --genome 2,-,1. The structure is shown in canonical form.",
    .words = {1, 1},
    .takes = {sizeof(arguments), &defaults, options},
    .check = check,
    .run = run,
};
