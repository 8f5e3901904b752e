/* Policies of a run as Lua objects: what if the exits decided otherwise, what if some were not
 * there. Nothing runs: all is replayed on the run's traces. docs/running-models.md has the methods.
 */
#include "core/graph/cost.h"
#include "core/model/cut.h"
#include "core/policy/replay.h"
#include "lua/args.h"
#include "lua/lua_class.h"
#include "lua/lua_fields.h"
#include "lua/lua_run_impl.h"

#include "base/status.h"

#include <math.h>
#include <string.h>

#define METATABLE "eex.policy"

/* User values: a table with the facts, and the run. */
enum { FACTS = 1, RUN = 2 };

typedef struct box {
    eex__lua_held held;
    bool fitted;                       /* by `how`; else it is the run's own */
    eex_calibration how;               /* the rule */
    int count, columns[EEX_MAX_EXITS]; /* which of the network's exits there are, ascending */
    double cost[EEX_MAX_EXITS];        /* (count) MACs of an image that leaves there */
    int64_t parameters;                /* trained, of these exits alone */
    eex_policy *policy;
    eex_trace *part; /* of a trace, while it is worked with */
} box;

static int box_close(lua_State *L)
{
    box *b = luaL_checkudata(L, 1, METATABLE);
    eex_policy_free(b->policy);
    eex_trace_free(b->part);
    eex__lua_give_back(L, &b->held);
    *b = (box){0};
    return 0;
}

static box *self(lua_State *L, int index)
{
    box *b = luaL_checkudata(L, index, METATABLE);
    if (!b->policy)
        luaL_error(L, "this policy was never finished");
    return b;
}

static eex__lua_run *run_of(lua_State *L, int policy)
{
    lua_getiuservalue(L, policy, RUN);
    eex__lua_run *run = eex__lua_run_at(L, -1);
    lua_pop(L, 1); /* the policy keeps it */
    return run;
}

/* Pushes an empty policy of the run on the top, which it replaces. */
static box *push_empty(lua_State *L)
{
    box *b = lua_newuserdatauv(L, sizeof *b, 2);
    *b = (box){.fitted = false};
    luaL_setmetatable(L, METATABLE);
    lua_insert(L, -2);
    lua_setiuservalue(L, -2, RUN);
    return b;
}

/* ---- the exits that there are ---- */

static bool is_whole(const box *b, const eex__lua_run *run)
{
    return b->count == eex_graph_exits(run->model->graph);
}

/* The trace of the policy's exits alone: *out is the run's own, or b->part. */
static int take_part(eex_trace **out, lua_State *L, box *b, const eex__lua_run *run,
                     eex_trace *whole)
{
    const size_t each = sizeof(int32_t) + (4 + (size_t)whole->classes) * sizeof(float);
    *out = whole;
    if (is_whole(b, run))
        return EEX_OK;
    eex_trace_free(b->part);
    b->part = NULL;
    eex__lua_held held = {0}; /* it is there for as long as this call takes */
    EEX_TRY(eex__lua_take(L, &held, (size_t)whole->samples * (size_t)b->count * each,
                          "a part of its trace does not fit"));
    eex__lua_give_back(L, &held);
    EEX_TRY(eex_trace_select(&b->part, whole, b->columns, b->count));
    *out = b->part;
    return EEX_OK;
}

static void drop_part(box *b)
{
    eex_trace_free(b->part);
    b->part = NULL;
}

static int count_costs(box *b, const eex__lua_run *run)
{
    eex_graph *graph = NULL;
    EEX_TRY(eex_graph_select(&graph, run->model->graph, b->columns, b->count));
    for (int k = 0; k < b->count; k++)
        b->cost[k] = (double)eex_cost_cumulative(graph, k, EEX_MACS);
    b->parameters = eex_graph_param_total(graph);
    eex_graph_free(graph);
    return EEX_OK;
}

static eex_exit_costs costs_of(const box *b, const eex__lua_run *run)
{
    const double base = run->report->base.macs;
    return (eex_exit_costs){b->count, b->cost, isnan(base) ? b->cost[b->count - 1] : base};
}

/* ---- facts ---- */

static void set_number(lua_State *L, const char *name, double value)
{
    if (isnan(value))
        return;
    lua_pushnumber(L, value);
    lua_setfield(L, -2, name);
}

static void set_integer(lua_State *L, const char *name, lua_Integer value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

static void set_text(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

/* Which exit it is: its number in the run's network, and what it reads. */
static void set_exit(lua_State *L, const box *b, const eex__lua_run *run, int k)
{
    set_integer(L, "exit", b->columns[k] + 1);
    set_text(L, "node", run->report->best.exit[b->columns[k]].node);
}

/* Scripts say entropies, policies compare what grows with certainty. */
static double said(const eex_policy *p, double threshold)
{
    return p->kind == EEX_POLICY_ENTROPY ? -threshold : threshold;
}

/* A threshold that nobody reaches is not there. */
static void set_threshold(lua_State *L, const char *name, const eex_policy *p, double value)
{
    if (value < INFINITY)
        set_number(L, name, said(p, value));
}

static void push_facts(lua_State *L, const box *b, const eex__lua_run *run)
{
    lua_createtable(L, 0, 4);
    set_text(L, "kind", eex_policy_kind_name(b->policy->kind));
    set_integer(L, "parameters", b->parameters);
    set_number(L, "macs", b->cost[b->count - 1]);
    lua_createtable(L, b->count, 0);
    for (int k = 0; k < b->count; k++) {
        lua_createtable(L, 0, 6);
        set_exit(L, b, run, k);
        set_number(L, "temperature", (double)b->policy->temperature[k]);
        if (k + 1 < b->count)
            set_threshold(L, "a", b->policy, b->policy->a[k]);
        set_threshold(L, "b", b->policy, b->policy->b[k]);
        set_number(L, "macs", b->cost[k]);
        lua_rawseti(L, -2, k + 1);
    }
    lua_setfield(L, -2, "exits");
}

/* With the policy on the top: takes what it holds and says what it is. Raises. */
static void finish(lua_State *L, box *b, const eex__lua_run *run)
{
    if (eex__lua_take(L, &b->held, eex_policy_bytes(b->policy), "the policy does not fit") < 0)
        eex_lua_raise(L);
    push_facts(L, b, run);
    lua_setiuservalue(L, -2, FACTS);
}

/* ---- making them ---- */

static int fit(lua_State *L, box *b, eex__lua_run *run)
{
    eex_trace *trace;
    EEX_TRY(eex__lua_run_device(L, run));
    EEX_TRY(take_part(&trace, L, b, run, run->calibration));
    const eex_exit_costs costs = costs_of(b, run);
    int code = eex_calibrate(&b->policy, trace, run->device, &b->how, &costs);
    drop_part(b);
    return code;
}

/* The run's own policy, as it was fitted. */
static int take_own(box *b, const eex__lua_run *run)
{
    if (!run->model->policy)
        return eex_fail(EEX_ENOTFOUND, "%s: its network has no policy", run->report->folder);
    b->how.kind = run->model->policy->kind;
    return eex_policy_select(&b->policy, run->model->policy, b->columns, b->count);
}

static void need_loaded(lua_State *L, eex__lua_run *run)
{
    const int code = eex__lua_run_load(L, run);
    if (code < 0)
        eex__lua_run_raise(L, run, code);
}

/* Pushes a policy of all exits of the run at index 1; how NULL: the run's own. */
static box *push_policy(lua_State *L, eex__lua_run *run, const eex_calibration *how)
{
    lua_pushvalue(L, 1);
    box *b = push_empty(L);
    b->count = eex_graph_exits(run->model->graph);
    for (int k = 0; k < b->count; k++)
        b->columns[k] = k;
    int code = count_costs(b, run);
    if (how) {
        b->how = *how;
        b->fitted = true;
    }
    if (code == EEX_OK)
        code = how ? fit(L, b, run) : take_own(b, run);
    if (code < 0)
        eex__lua_run_raise(L, run, code);
    finish(L, b, run);
    return b;
}

static eex_calibration read_rule(lua_State *L, int index, eex_calibration how, const char *method)
{
    eex_args a = eex_args_open(L, index, method, true);
    eex__read_policy(&how, &a, "policy");
    return how;
}

/* run:policy{policy = "margin", a = 0.3}; run:policy(): its own */
static int run_policy(lua_State *L)
{
    eex__lua_run *run = eex__lua_run_at(L, 1);
    const bool own = lua_isnoneornil(L, 2);
    const eex_calibration how = read_rule(L, 2, eex_calibration_default(), "policy");
    need_loaded(L, run);
    push_policy(L, run, own ? NULL : &how);
    return 1;
}

/* Pushes what `from`, at the index, is for some of its own exits, `kept`. Thresholds stay. */
static box *push_part(lua_State *L, int index, const int *kept, int count)
{
    const box *from = self(L, index);
    eex__lua_run *run = run_of(L, index);
    lua_getiuservalue(L, index, RUN);
    box *b = push_empty(L);
    b->how = from->how;
    b->fitted = from->fitted;
    b->count = count;
    for (int j = 0; j < count; j++)
        b->columns[j] = from->columns[kept[j]];
    int code = count_costs(b, run);
    if (code == EEX_OK)
        code = eex_policy_select(&b->policy, from->policy, kept, count);
    if (code < 0)
        eex__lua_run_raise(L, run, code);
    return b;
}

/* ---- which exit is meant ---- */

/* An exit by its number in the run's network, "end", or the node that it reads: its place among the
 * policy's exits. */
static int find_exit(lua_State *L, const box *b, const eex__lua_run *run, int index)
{
    int column = -1;
    if (lua_isinteger(L, index)) {
        const lua_Integer number = lua_tointeger(L, index);
        const int exits = eex_graph_exits(run->model->graph);
        if (number < 1 || number > exits)
            luaL_error(L, "exit %I: the network has 1 to %d", number, exits);
        column = (int)number - 1;
    } else if (eex_exit_parse(&column, run->model->graph, luaL_checkstring(L, index)) < 0) {
        eex_lua_raise(L);
    }
    for (int k = 0; k < b->count; k++)
        if (b->columns[k] == column)
            return k;
    return luaL_error(L, "exit %d is not there any more", column + 1);
}

/* p:without(2, "features.5.add"): gates dropped, the thresholds of the others as they are */
static int policy_without(lua_State *L)
{
    const box *b = self(L, 1);
    const eex__lua_run *run = run_of(L, 1);
    const int words = lua_gettop(L);
    bool dropped[EEX_MAX_EXITS] = {false};
    int kept[EEX_MAX_EXITS], count = 0;
    for (int i = 2; i <= words; i++) {
        const int k = find_exit(L, b, run, i);
        if (k == b->count - 1)
            return luaL_error(L, "without: exit %d is where it ends: cut(k) ends it at exit k",
                              b->columns[k] + 1);
        dropped[k] = true;
    }
    for (int k = 0; k < b->count; k++)
        if (!dropped[k])
            kept[count++] = k;
    box *made = push_part(L, 1, kept, count);
    finish(L, made, run_of(L, 1));
    return 1;
}

/* p:cut(k, {alone = true}): the network that ends at exit k */
static int policy_cut(lua_State *L)
{
    static const char *const known[] = {"alone", NULL};
    const box *b = self(L, 1);
    const eex__lua_run *run = run_of(L, 1);
    int kept[EEX_MAX_EXITS], count = 0;
    const int end = find_exit(L, b, run, 2);
    const eex_args a = eex_args_open(L, 3, "cut", true);
    eex_args_known(&a, known);
    const bool alone = eex_args_flag_or(&a, "alone", false);
    for (int k = alone ? end : 0; k <= end; k++)
        kept[count++] = k;
    box *made = push_part(L, 1, kept, count);
    finish(L, made, run_of(L, 1));
    return 1;
}

/* p:with{temperature = 2}: its rule with these fields changed, fitted anew for the exits it has */
static int policy_with(lua_State *L)
{
    const box *b = self(L, 1);
    int kept[EEX_MAX_EXITS];
    if (!b->fitted)
        return luaL_error(L, "with: the run's own policy is kept as it was fitted, without its "
                             "rule: run:policy { policy = ... } fits one that can be changed");
    const eex_calibration how = read_rule(L, 2, b->how, "with");
    for (int k = 0; k < b->count; k++)
        kept[k] = k;
    eex__lua_run *run = run_of(L, 1);
    box *made = push_part(L, 1, kept, b->count);
    eex_policy_free(made->policy);
    made->policy = NULL;
    made->how = how;
    const int code = fit(L, made, run);
    if (code < 0)
        eex__lua_run_raise(L, run, code);
    finish(L, made, run);
    return 1;
}

/* p:set(k, {temperature = 2, a = 0.4}): one exit by hand, nothing is fitted */
static int policy_set(lua_State *L)
{
    static const char *const known[] = {"temperature", "a", "b", NULL};
    const box *b = self(L, 1);
    eex__lua_run *run = run_of(L, 1);
    int kept[EEX_MAX_EXITS];
    const int k = find_exit(L, b, run, 2);
    const eex_args a = eex_args_open(L, 3, "set", false);
    eex_args_known(&a, known);
    for (int j = 0; j < b->count; j++)
        kept[j] = j;
    const eex_policy *was = b->policy;
    const double temperature =
        eex_args_number_or(&a, "temperature", 0.01, 1000, (double)was->temperature[k]);
    const double high = eex_args_number_or(&a, "a", -1000, 1000, said(was, was->a[k]));
    const double low = eex_args_number_or(&a, "b", -1000, 1000, said(was, was->b[k]));
    box *made = push_part(L, 1, kept, b->count);
    made->policy->temperature[k] = (float)temperature;
    made->policy->a[k] = said(was, high);
    made->policy->b[k] = said(was, low);
    eex_policy_apply(made->policy);
    finish(L, made, run);
    return 1;
}

/* ---- replay ---- */

/* The trace of a part that the argument names; validation when it is absent. */
static eex_trace *part_at(lua_State *L, const eex__lua_run *run, int index)
{
    const char *name = luaL_optstring(L, index, "validation");
    if (strcmp(name, "validation") == 0)
        return run->validation;
    if (strcmp(name, "calibration") != 0)
        luaL_error(L,
                   "split \"%s\": a run keeps what its exits said of \"validation\" and "
                   "\"calibration\"",
                   name);
    return run->calibration;
}

static int score(eex_trace **out, lua_State *L, box *b, eex__lua_run *run, eex_trace *whole)
{
    EEX_TRY(eex__lua_run_device(L, run));
    EEX_TRY(take_part(out, L, b, run, whole));
    return eex_trace_score(*out, run->device, b->policy->temperature);
}

static int replay(eex_outcome *out, lua_State *L, box *b, eex__lua_run *run, eex_trace *whole)
{
    const eex_exit_costs costs = costs_of(b, run);
    eex_trace *trace;
    int code = score(&trace, L, b, run, whole);
    if (code == EEX_OK)
        code = eex_replay(out, trace, b->policy, &costs, NULL, NULL);
    drop_part(b);
    return code;
}

static void push_outcome(lua_State *L, const eex_outcome *o, const box *b, const eex__lua_run *run,
                         const char *part)
{
    lua_createtable(L, 0, 6);
    set_text(L, "split", part);
    set_number(L, "accuracy", o->accuracy);
    set_number(L, "macs", o->cost);
    set_number(L, "rejected", o->rejected);
    set_number(L, "agreement", o->agreement);
    lua_createtable(L, b->count, 0);
    for (int k = 0; k < b->count; k++) {
        lua_createtable(L, 0, 4);
        set_exit(L, b, run, k);
        set_number(L, "utilisation", o->share[k]);
        set_number(L, "accuracy", o->exit_accuracy[k]);
        lua_rawseti(L, -2, k + 1);
    }
    lua_setfield(L, -2, "exits");
}

static int push_replay(lua_State *L, box *b, eex__lua_run *run, eex_trace *whole)
{
    eex_outcome outcome;
    const int code = replay(&outcome, L, b, run, whole);
    if (code < 0)
        eex__lua_run_raise(L, run, code);
    push_outcome(L, &outcome, b, run, whole == run->validation ? "validation" : "calibration");
    return 1;
}

/* p:replay("calibration"); the validation split when nobody says */
static int policy_replay(lua_State *L)
{
    box *b = self(L, 1);
    eex__lua_run *run = run_of(L, 1);
    return push_replay(L, b, run, part_at(L, run, 2));
}

/* run:replay{policy = "margin", a = 0.3}: run:policy{...}:replay() */
static int run_replay(lua_State *L)
{
    eex__lua_run *run = eex__lua_run_at(L, 1);
    const eex_calibration how = read_rule(L, 2, eex_calibration_default(), "replay");
    need_loaded(L, run);
    box *b = push_policy(L, run, &how);
    return push_replay(L, b, run, run->validation);
}

/* ---- one image ---- */

static void push_row(lua_State *L, const box *b, const eex__lua_run *run, const eex_trace *t, int k,
                     int i)
{
    static const char *const words[] = {
        [EEX_GO_ON] = "goes on", [EEX_ACCEPT] = "leaves", [EEX_REJECT] = "is rejected"};
    const size_t at = (size_t)k * (size_t)t->samples + (size_t)i;
    lua_createtable(L, 0, 10);
    set_exit(L, b, run, k);
    set_integer(L, "class", t->top[at]);
    set_text(L, "name", run->model->input.classes.item[t->top[at]]);
    set_number(L, "confidence", (double)t->confidence[at]);
    set_number(L, "margin", (double)t->margin[at]);
    set_number(L, "entropy", (double)t->entropy[at]);
    if (t->distance)
        set_number(L, "distance", (double)t->distance[at]);
    lua_pushboolean(L, t->top[at] == t->labels[i]);
    lua_setfield(L, -2, "right");
    set_text(L, "decision", words[eex_policy_judge(b->policy, t, k, i)]);
    lua_rawseti(L, -2, k + 1);
}

/* p:image(17): what each exit would say of image 17 of the split, and do with it */
static int policy_image(lua_State *L)
{
    box *b = self(L, 1);
    eex__lua_run *run = run_of(L, 1);
    const lua_Integer i = luaL_checkinteger(L, 2);
    eex_trace *whole = part_at(L, run, 3), *trace;
    if (i < 1 || i > whole->samples)
        return luaL_error(L, "image %I: the split has 1 to %d", i, whole->samples);
    if ((size_t)whole->classes != run->model->input.classes.count)
        return luaL_error(L, "the trace has %d classes, the network %d", whole->classes,
                          (int)run->model->input.classes.count);
    const int code = score(&trace, L, b, run, whole);
    if (code < 0)
        eex__lua_run_raise(L, run, code);
    lua_createtable(L, b->count, 0);
    for (int k = 0; k < b->count; k++)
        push_row(L, b, run, trace, k, (int)i - 1);
    drop_part(b);
    return 1;
}

/* ---- the same of a run's own policy ---- */

/* Puts the run's own policy in the place of the run at index 1. */
static void use_own(lua_State *L)
{
    eex__lua_run *run = eex__lua_run_at(L, 1);
    need_loaded(L, run);
    push_policy(L, run, NULL);
    lua_replace(L, 1);
}

static int run_without(lua_State *L)
{
    use_own(L);
    return policy_without(L);
}

static int run_cut(lua_State *L)
{
    use_own(L);
    return policy_cut(L);
}

static int run_image(lua_State *L)
{
    use_own(L);
    return policy_image(L);
}

const luaL_Reg eex__lua_policy_methods[] = {{"policy", run_policy},   {"replay", run_replay},
                                            {"without", run_without}, {"cut", run_cut},
                                            {"image", run_image},     {NULL, NULL}};

/* ---- the object ---- */

static int policy_index(lua_State *L)
{
    luaL_checkudata(L, 1, METATABLE);
    return eex__lua_member(L, FACTS);
}

static int policy_text(lua_State *L)
{
    const box *b = self(L, 1);
    lua_pushfstring(L, "policy %s: %d exits%s", eex_policy_kind_name(b->policy->kind), b->count,
                    b->fitted ? "" : ", as the run has it");
    return 1;
}

void eex__lua_policy_register(lua_State *L)
{
    static const luaL_Reg metamethods[] = {
        {"__index", policy_index}, {"__gc", box_close}, {"__tostring", policy_text}, {NULL, NULL}};
    static const luaL_Reg methods[] = {{"replay", policy_replay},
                                       {"with", policy_with},
                                       {"set", policy_set},
                                       {"without", policy_without},
                                       {"cut", policy_cut},
                                       {"image", policy_image},
                                       {NULL, NULL}};
    eex__lua_class(L, METATABLE, "policy", metamethods, methods);
}
