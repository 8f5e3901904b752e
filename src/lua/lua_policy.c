/* Policies of a run as Lua objects: what if the exits decided otherwise, what if some were not
 * there. Nothing runs: all is replayed on the run's traces. docs/running-models.md has the methods.
 */
#include "core/graph/cost.h"
#include "core/model/cut.h"
#include "lua/args.h"
#include "lua/lua_class.h"
#include "lua/lua_fields.h"
#include "lua/lua_policy_impl.h"
#include "lua/put.h"

#include "base/log.h"
#include "base/status.h"

#include <math.h>

#define METATABLE "eex.policy"

typedef eex__lua_policy box;

static int box_close(lua_State *L)
{
    box *b = luaL_checkudata(L, 1, METATABLE);
    eex_policy_free(b->policy);
    eex_trace_free(b->part);
    eex__lua_give_back(L, &b->held);
    *b = (box){0};
    return 0;
}

box *eex__lua_policy_at(lua_State *L, int index)
{
    box *b = luaL_checkudata(L, index, METATABLE);
    if (!b->policy)
        luaL_error(L, "this policy was never finished");
    return b;
}

eex__lua_run *eex__lua_policy_run(lua_State *L, int policy)
{
    lua_getiuservalue(L, policy, EEX__POLICY_RUN);
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
    lua_setiuservalue(L, -2, EEX__POLICY_RUN);
    return b;
}

/* ---- the exits that there are ---- */

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

eex_exit_costs eex__lua_policy_costs(const box *b, const eex__lua_run *run)
{
    const double base = run->report->base.macs;
    return (eex_exit_costs){b->count, b->cost, isnan(base) ? b->cost[b->count - 1] : base};
}

/* ---- facts ---- */

/* Scripts say entropies, policies compare what grows with certainty. */
static double said(const eex_policy *p, double threshold)
{
    return p->kind == EEX_POLICY_ENTROPY ? -threshold : threshold;
}

/* A threshold that nobody reaches is not there. */
static void set_threshold(lua_State *L, const char *name, const eex_policy *p, double value)
{
    if (value < INFINITY)
        eex__lua_put_number(L, name, said(p, value));
}

static void push_facts(lua_State *L, const box *b, const eex__lua_run *run)
{
    lua_createtable(L, 0, 5);
    eex__lua_put_text(L, "kind", eex_policy_kind_name(b->policy->kind));
    eex__lua_put_text(L, "by", eex_policy_fitted_by(b->policy->kind, b->policy->by_label));
    eex__lua_put_integer(L, "parameters", b->parameters);
    eex__lua_put_number(L, "macs", b->cost[b->count - 1]);
    lua_createtable(L, b->count, 0);
    for (int k = 0; k < b->count; k++) {
        lua_createtable(L, 0, 6);
        eex__lua_policy_put_exit(L, b, run, k);
        eex__lua_put_number(L, "temperature", (double)b->policy->temperature[k]);
        if (k + 1 < b->count)
            set_threshold(L, "a", b->policy, b->policy->a[k]);
        set_threshold(L, "b", b->policy, b->policy->b[k]);
        eex__lua_put_number(L, "macs", b->cost[k]);
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
    lua_setiuservalue(L, -2, EEX__POLICY_FACTS);
}

/* ---- making them ---- */

static int fit(lua_State *L, box *b, eex__lua_run *run)
{
    char missed[EEX_CALIBRATION_MISSED];
    eex_trace *trace;
    EEX_TRY(eex__lua_run_device(L, run));
    EEX_TRY(eex__lua_policy_part(&trace, L, b, run, run->calibration));
    const eex_exit_costs costs = eex__lua_policy_costs(b, run);
    int code = eex_calibrate(&b->policy, trace, run->device, &b->how, &costs);
    if (code == EEX_OK)
        code = eex_calibration_missed(missed, b->policy, trace, &b->how, &costs,
                                      run->report->folder, "MACs");
    if (code == EEX_OK && missed[0])
        eex_log_warn("%s", missed);
    eex__lua_policy_drop(b);
    return code;
}

/* The run's own policy, as it was fitted. */
static int take_own(box *b, const eex__lua_run *run)
{
    if (!run->model->policy)
        return eex_fail(EEX_ENOTFOUND, "%s: its network has no policy", run->report->folder);
    b->how.kind = run->model->policy->kind;
    b->how.by_label = run->model->policy->by_label;
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

/* Over what there is in `how`. A target goes with the tuning that it was of. */
static eex_calibration read_rule(lua_State *L, int index, eex_calibration how, const char *method)
{
    eex_args a = eex_args_open(L, index, method, true);
    const eex_tune before = how.tune;
    eex__read_policy(&how, &a, "policy");
    if (how.tune != before && !eex_args_has(&a, "target"))
        how.target = 0;
    const char *expected = eex_calibration_target_expected(&how);
    if (expected)
        eex_args_refuse(&a, "target", "%s", expected);
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
    const box *from = eex__lua_policy_at(L, index);
    eex__lua_run *run = eex__lua_policy_run(L, index);
    lua_getiuservalue(L, index, EEX__POLICY_RUN);
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
    } else if (eex_exit_parse(&column, run->model->graph, eex_lua_text(L, index)) < 0) {
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
    const box *b = eex__lua_policy_at(L, 1);
    const eex__lua_run *run = eex__lua_policy_run(L, 1);
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
    finish(L, made, eex__lua_policy_run(L, 1));
    return 1;
}

/* p:cut(k, {alone = true}): the network that ends at exit k */
static int policy_cut(lua_State *L)
{
    static const char *const known[] = {"alone", NULL};
    const box *b = eex__lua_policy_at(L, 1);
    const eex__lua_run *run = eex__lua_policy_run(L, 1);
    int kept[EEX_MAX_EXITS], count = 0;
    const int end = find_exit(L, b, run, 2);
    const eex_args a = eex_args_open(L, 3, "cut", true);
    eex_args_known(&a, known);
    const bool alone = eex_args_flag_or(&a, "alone", false);
    for (int k = alone ? end : 0; k <= end; k++)
        kept[count++] = k;
    box *made = push_part(L, 1, kept, count);
    finish(L, made, eex__lua_policy_run(L, 1));
    return 1;
}

/* p:with{temperature = 2}: its rule with these fields changed, fitted anew for the exits it has */
static int policy_with(lua_State *L)
{
    const box *b = eex__lua_policy_at(L, 1);
    int kept[EEX_MAX_EXITS];
    if (!b->fitted)
        return luaL_error(L, "with: the run's own policy is kept as it was fitted, without its "
                             "rule: run:policy { policy = ... } fits one that can be changed");
    const eex_calibration how = read_rule(L, 2, b->how, "with");
    for (int k = 0; k < b->count; k++)
        kept[k] = k;
    eex__lua_run *run = eex__lua_policy_run(L, 1);
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
    const box *b = eex__lua_policy_at(L, 1);
    eex__lua_run *run = eex__lua_policy_run(L, 1);
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

/* run:replay{policy = "margin", a = 0.3}: run:policy{...}:replay() */
static int run_replay(lua_State *L)
{
    eex__lua_run *run = eex__lua_run_at(L, 1);
    const eex_calibration how = read_rule(L, 2, eex_calibration_default(), "replay");
    need_loaded(L, run);
    box *b = push_policy(L, run, &how);
    return eex__lua_policy_outcome(L, b, run, run->validation);
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
    return eex__lua_policy_image(L);
}

const eex__lua_function eex__lua_policy_methods[] = {
    {"policy", run_policy, 1}, {"replay", run_replay, 1}, {"without", run_without, EEX__ANY},
    {"cut", run_cut, 2},       {"image", run_image, 2},   {NULL, NULL, 0}};

/* ---- the object ---- */

static int policy_index(lua_State *L)
{
    luaL_checkudata(L, 1, METATABLE);
    return eex__lua_member(L, EEX__POLICY_FACTS);
}

static int policy_text(lua_State *L)
{
    const box *b = eex__lua_policy_at(L, 1);
    lua_pushfstring(L, "policy %s: %d exits%s", eex_policy_kind_name(b->policy->kind), b->count,
                    b->fitted ? "" : ", as the run has it");
    return 1;
}

void eex__lua_policy_register(lua_State *L)
{
    static const luaL_Reg metamethods[] = {
        {"__index", policy_index}, {"__gc", box_close}, {"__tostring", policy_text}, {NULL, NULL}};
    static const eex__lua_function methods[] = {{"replay", eex__lua_policy_replay, 1},
                                                {"with", policy_with, 1},
                                                {"set", policy_set, 2},
                                                {"without", policy_without, EEX__ANY},
                                                {"cut", policy_cut, 2},
                                                {"image", eex__lua_policy_image, 2},
                                                {NULL, NULL, 0}};
    eex__lua_class(L, METATABLE, "policy", metamethods, methods);
}
