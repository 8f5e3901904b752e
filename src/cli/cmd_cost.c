/* eex cost: what a network costs in each paper's way of counting, and where gates may go. */
#include "cli/commands.h"
#include "cli/cost_genome.h"
#include "cli/print_cost.h"
#include "cli/repl.h"
#include "cli/script_options.h"
#include "core/graph/elastic.h"
#include "core/run/limits.h"
#include "lua/lua_graph.h"
#include "lua/saliency.h"
#include "lua/sandbox.h"

#include "base/status.h"

#include <lauxlib.h>
#include <string.h>

typedef struct arguments {
    const char *convention;
    const char *genome;
    bool points, extremes, json;
    eex_script_options script;
} arguments;

static const arguments defaults = {.convention = "all"};

static const eex_option options[] = {
    EEX_TEXT("convention", "NAME", convention, "macs, ptflops, thop, torchprofile or all (all)"),
    EEX_FLAG("points", points, "where gates may go, and how many"),
    EEX_TEXT("genome", "VALUES", genome, "the structure with these values: 2,3,5,..."),
    EEX_FLAG("extremes", extremes, "the smallest and the largest structure"),
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

/* What is asked of the file. */
typedef struct question {
    eex_cost_report *report;
    bool structure; /* one of its space: an elastic network's genes, or gates on its points */
} question;

static bool wants_points(const question *q)
{
    return q->report->points || (q->structure && eex_graph_genes(q->report->graph) == 0);
}

/* With the question at index 1 and the script's value at index 2, which is returned: the report's
 * graph becomes the network that it is, with its usual points, and stays NULL when it is something
 * else. */
static int look_at(lua_State *L)
{
    const question *q = lua_touserdata(L, 1);
    eex_cost_report *r = q->report;
    eex_lua_saliency found;
    r->graph = eex_lua_finished(L, 2);
    if (lua_istable(L, 2))
        add_dataset(L, 2);
    if (!r->graph || !wants_points(q))
        return 1;
    if (eex_graph_exits(r->graph) > 1)
        luaL_error(L, "a network without gates expected, for %s",
                   q->structure ? "--genome and --extremes" : "--points");
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
    r->family = e->gates.family;
    r->channels = e->gates.channels;
    r->required = e->gates.required;
    r->each = e->gates.points > 0 ? e->gates.each : NULL;
    if (r->each)
        r->choices = 1;
}

/* ---- structures ---- */

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

/* ---- the command ---- */

static int print_value(eex_cost_report *r, lua_State *L, const char *path, const arguments *a)
{
    eex_experiment *e = NULL;
    question q = {.report = r, .structure = a->genome || a->extremes};
    lua_pushcfunction(L, look_at);
    lua_insert(L, -2);
    lua_pushlightuserdata(L, &q);
    lua_insert(L, -2);
    int code = eex_lua_call(L, 2, 1);
    if (code < 0)
        return eex_lua_fail_in(code, path);
    if (r->graph && a->script.set.count)
        return eex_fail(EEX_EINVAL, "--set %s: %s returns a network, which has no fields",
                        a->script.set.item[0], path);
    if (!r->graph) {
        EEX_TRY(eex_experiment_from(&e, L, path, &a->script));
        take_experiment(r, e);
        code = eex_limits_check_early(e);
    }
    if (code < 0)
        code = eex_fail_in(code, "%s", path);
    else
        code = a->genome     ? print_genome(r, a)
               : a->extremes ? print_extremes(r, a)
                             : eex_print_costs(r, 1, a->json);
    eex_experiment_free(e);
    return code;
}

static int print(eex_cost_report *r, const char *path, const arguments *a)
{
    const eex_lua_options lua = {
        .trust = a->script.trust, .expendable = true, .stop = eex_repl_stopper()};
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
               "convention is named. --set is explained by eex help run.\n"
               "\n"
               "--genome counts one structure of the file's space: of an elastic network a value\n"
               "for each gene, as eex cost lists them (3 for a kernel of 3x3, 64 for images of\n"
               "that size), of any other a number of blocks for each salient point, - for no\n"
               "gate: --genome 2,-,1, which gates.required rules out. The structure is shown in\n"
               "canonical form.",
    .words = {1, 1},
    .takes = {sizeof(arguments), &defaults, options},
    .check = check,
    .run = run,
};
