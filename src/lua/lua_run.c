#include "lua/lua_run.h"

#include "core/policy/replay.h"
#include "core/report/report.h"
#include "lua/args.h"
#include "lua/lua_fields.h"
#include "lua/lua_model.h"
#include "lua/sandbox_impl.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/status.h"

#include <lauxlib.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

static const char type_name[] = "eex.run";

/* Everything that the object holds; absent until it is wanted. The user value is a table with what
 * the report says. */
typedef struct box {
    eex__lua_held held; /* by all but the policy */
    eex__lua_held policy_held;
    eex_report *report;
    eex_device *device;
    eex_trace *calibration, *validation;
    eex_policy *policy; /* of the last replay */
    char *path;         /* being opened */
    eex_buffer text;
} box;

static int box_close(lua_State *L)
{
    box *b = luaL_checkudata(L, 1, type_name);
    eex_report_free(b->report);
    eex_device_close(b->device);
    eex_trace_free(b->calibration);
    eex_trace_free(b->validation);
    eex_policy_free(b->policy);
    eex_buffer_free(&b->text);
    free(b->path);
    eex__lua_give_back(L, &b->held);
    eex__lua_give_back(L, &b->policy_held);
    *b = (box){0};
    return 0;
}

static box *self(lua_State *L)
{
    box *b = luaL_checkudata(L, 1, type_name);
    if (!b->report)
        luaL_error(L, "this run was closed");
    return b;
}

/* ---- what the report says ---- */

static size_t report_bytes(const eex_report *r)
{
    const eex_trials *t = &r->trials;
    return sizeof *r + t->capacity * (sizeof *t->at + (size_t)t->genes * sizeof *t->genomes) +
           r->front_count * sizeof *r->front;
}

/* NaN, which is what is not known, is nil. */
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

static void put(void *L, const char *name, double value)
{
    set_number(L, name, value);
}

static void push_exits(lua_State *L, const eex_report *r)
{
    lua_createtable(L, r->best.exits, 0);
    for (int k = 0; k < r->best.exits; k++) {
        const eex_report_exit *x = &r->best.exit[k];
        lua_createtable(L, 0, 8);
        set_integer(L, "position", x->position);
        set_text(L, "node", x->node);
        if (x->blocks >= 0)
            set_integer(L, "blocks", x->blocks);
        eex_report_put_exit(put, L, x);
        lua_rawseti(L, -2, k + 1);
    }
}

static void push_networks(lua_State *L, const eex_report *r)
{
    lua_newtable(L);
    set_number(L, "accuracy", r->base.accuracy);
    set_number(L, "macs", r->base.macs);
    eex_report_put_latency(put, L, &r->base.latency);
    lua_setfield(L, -2, "base");
    lua_newtable(L);
    eex_report_put_full(put, L, r);
    lua_setfield(L, -2, "full");
    lua_newtable(L);
    eex_report_put_best(put, L, r);
    if (r->latency_rounds) {
        set_integer(L, "speedup_rounds", r->latency_rounds);
        lua_pushboolean(L, r->best.speedup.disturbed);
        lua_setfield(L, -2, "speedup_disturbed");
    }
    push_exits(L, r);
    lua_setfield(L, -2, "exits");
    lua_setfield(L, -2, "best");
}

/* Thresholds of gates by the names of their points, where the search has chosen them. */
static void push_thresholds(lua_State *L, const eex_structure_part *part, int parts)
{
    if (parts == 0 || isnan(part->threshold))
        return;
    lua_createtable(L, 0, parts);
    for (int p = 0; p < parts; p++)
        set_number(L, part[p].name, part[p].threshold);
    lua_setfield(L, -2, "thresholds");
}

/* What an elastic backbone's genes say. */
static void push_network(lua_State *L, const eex_report *r, const int *genome)
{
    const int genes = eex_described_genes(r->space);
    if (genes == 0)
        return;
    lua_createtable(L, 0, genes);
    for (int i = 0; i < genes && i < r->trials.genes; i++) {
        const eex_structure_gene gene = eex_described_gene(r->space, genome, i);
        set_number(L, gene.name, gene.value);
    }
    lua_setfield(L, -2, "network");
}

static void push_pareto(lua_State *L, const eex_report *r)
{
    eex_structure_part part[EEX_MAX_EXITS];
    lua_createtable(L, (int)r->front_count, 0);
    for (size_t i = 0; i < r->front_count; i++) {
        const int *genome = eex_trials_genome(&r->trials, r->front[i]);
        lua_createtable(L, 0, 6);
        set_integer(L, "trial", (lua_Integer)r->front[i]);
        eex_report_put_trial(put, L, &r->trials.at[r->front[i]]);
        const int parts =
            eex_described_parts(part, EEX_MAX_EXITS, r->space, genome, r->trials.genes);
        lua_createtable(L, 0, parts);
        for (int p = 0; p < parts; p++)
            set_integer(L, part[p].name, part[p].size);
        lua_setfield(L, -2, "gates");
        push_thresholds(L, part, parts);
        push_network(L, r, genome);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void push_alone(lua_State *L, const char *name, const eex_front_exit *x)
{
    lua_createtable(L, 0, 3);
    eex_report_put_alone(put, L, x);
    lua_setfield(L, -2, name);
}

static void push_member_exits(lua_State *L, const eex_front *f, const eex_front_member *m)
{
    lua_createtable(L, m->exits, 0);
    for (int k = 0; k < m->exits; k++) {
        const eex_front_exit *x = &f->exits[m->first + (size_t)k];
        lua_createtable(L, 0, 8);
        set_integer(L, "position", x->position);
        set_text(L, "node", x->node);
        if (x->blocks >= 0)
            set_integer(L, "blocks", x->blocks);
        eex_report_put_member_exit(put, L, x);
        push_alone(L, "alone", x);
        lua_rawseti(L, -2, k + 1);
    }
}

/* Networks of the front on the test split; those that failed have a reason instead of figures. */
static void push_front(lua_State *L, const eex_report *r)
{
    char file[EEX_FRONT_NAME];
    lua_createtable(L, (int)r->tested.count, 0);
    for (size_t i = 0; i < r->tested.count; i++) {
        const eex_front_member *m = &r->tested.members[i];
        lua_createtable(L, 0, 14);
        set_integer(L, "trial", (lua_Integer)m->trial);
        set_integer(L, "gates", m->gates);
        lua_pushboolean(L, m->spread);
        lua_setfield(L, -2, "spread");
        lua_pushboolean(L, m->best);
        lua_setfield(L, -2, "best");
        eex_report_put_member(put, L, m);
        if (m->exits > 0) {
            set_text(L, "file", eex_front_file(file, i));
            push_alone(L, "backbone", eex_front_end(&r->tested, m));
        } else {
            set_text(L, "failure", m->reason);
        }
        push_member_exits(L, &r->tested, m);
        lua_setfield(L, -2, "exits");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void push_report(lua_State *L, const eex_report *r)
{
    lua_createtable(L, 0, 12);
    set_text(L, "name", r->name);
    set_text(L, "dataset", r->dataset);
    set_text(L, "device", r->device);
    set_text(L, "precision", eex_precision_name(r->precision));
    set_text(L, "folder", r->folder);
    set_text(L, "state", r->state);
    set_integer(L, "seed", r->seed);
    set_integer(L, "trials", (lua_Integer)r->trials.count);
    set_number(L, "seconds", r->seconds);
    set_number(L, "kendall_tau", r->tau);
    set_number(L, "hypervolume", r->hypervolume);
    lua_pushboolean(L, r->finished);
    lua_setfield(L, -2, "finished");
    push_networks(L, r);
    push_pareto(L, r);
    lua_setfield(L, -2, "pareto");
    push_front(L, r);
    lua_setfield(L, -2, "front");
}

/* ---- what-if ---- */

/* A trace is the script's memory before it is there. */
static int read_trace(eex_trace **out, lua_State *L, box *b, eex_store_file *file)
{
    size_t bytes;
    EEX_TRY(eex_trace_size(&bytes, file, "trace"));
    if (eex__lua_take(L, &b->held, bytes, "its trace does not fit") < 0)
        return eex_fail_in(EEX_ESCRIPT, "%s", b->path);
    return eex_trace_load(out, file, "trace");
}

static int load_trace(eex_trace **out, lua_State *L, box *b, const char *name)
{
    eex_store_file *file = NULL;
    if (*out)
        return EEX_OK;
    free(b->path);
    b->path = NULL;
    EEX_TRY(eex_path_join(&b->path, b->report->folder, name));
    if (!eex_fs_exists(b->path))
        return eex_fail(EEX_ENOTFOUND, "%s has no %s yet: finish the run first", b->report->folder,
                        name);
    EEX_TRY(eex_store_open(&file, b->path, "trace", 1));
    int code = read_trace(out, L, b, file);
    eex_store_close(file);
    return code;
}

static int load_traces(lua_State *L, box *b)
{
    const eex_report *r = b->report;
    EEX_TRY(load_trace(&b->calibration, L, b, "final-calibration.h5"));
    EEX_TRY(load_trace(&b->validation, L, b, "final-validation.h5"));
    if (b->validation->exits == r->best.exits)
        return EEX_OK;
    return eex_fail(EEX_EFORMAT, "%s: a trace of %d exits, the network has %d", r->folder,
                    b->validation->exits, r->best.exits);
}

/* The device holds what it scores a trace with for as long as that takes. */
static int open_device(lua_State *L, box *b)
{
    if (!b->device) {
        EEX_TRY(eex__lua_take_threads(L, &b->held, 0));
        EEX_TRY(eex_device_open(&b->device, "cpu", NULL));
    }
    const size_t room = eex__lua_room(L);
    b->device->memory = room == SIZE_MAX ? 0 : b->device->held + room + 1;
    return EEX_OK;
}

static int fit_policy(lua_State *L, box *b, const eex_calibration *how, const eex_exit_costs *costs)
{
    eex_policy_free(b->policy);
    b->policy = NULL;
    eex__lua_give_back(L, &b->policy_held);
    EEX_TRY(eex_calibrate(&b->policy, b->calibration, b->device, how, costs));
    return eex__lua_take(L, &b->policy_held, eex_policy_bytes(b->policy),
                         "the policy does not fit");
}

static int replay(eex_outcome *out, lua_State *L, box *b, const eex_calibration *how)
{
    const eex_report *r = b->report;
    double cost[EEX_MAX_EXITS];
    EEX_TRY(load_traces(L, b));
    EEX_TRY(open_device(L, b));
    for (int k = 0; k < r->best.exits; k++)
        cost[k] = r->best.exit[k].macs;
    double base = isnan(r->base.macs) ? cost[r->best.exits - 1] : r->base.macs;
    const eex_exit_costs costs = {r->best.exits, cost, base};
    EEX_TRY(fit_policy(L, b, how, &costs));
    EEX_TRY(eex_trace_score(b->validation, b->device, b->policy->temperature));
    return eex_replay(out, b->validation, b->policy, &costs, NULL, NULL);
}

static void push_outcome(lua_State *L, const eex_outcome *o, const eex_report *r)
{
    lua_newtable(L);
    set_text(L, "split", "validation"); /* that all of it is about */
    set_number(L, "accuracy", o->accuracy);
    set_number(L, "macs", o->cost);
    set_number(L, "rejected", o->rejected);
    set_number(L, "agreement", o->agreement);
    lua_createtable(L, r->best.exits, 0);
    for (int k = 0; k < r->best.exits; k++) {
        lua_createtable(L, 0, 3);
        set_text(L, "node", r->best.exit[k].node);
        set_number(L, "utilisation", o->share[k]);
        set_number(L, "accuracy", o->exit_accuracy[k]);
        lua_rawseti(L, -2, k + 1);
    }
    lua_setfield(L, -2, "exits");
}

/* run:replay{policy = "margin", a = 0.3} */
static int run_replay(lua_State *L)
{
    box *b = self(L);
    eex_calibration how = eex_calibration_default();
    eex_outcome outcome;
    eex_args a = eex_args_open(L, 2, "replay", true);
    eex__read_policy(&how, &a, "policy");
    const int code = replay(&outcome, L, b, &how);
    if (code == EEX_ENOMEM && b->device && b->device->full)
        (void)eex__lua_too_large(L, "what scores a trace does not fit");
    if (code < 0)
        eex_lua_raise(L);
    push_outcome(L, &outcome, b->report);
    return 1;
}

/* run:model{policy = "margin", threshold = 0.3}: the network that the run has chosen */
static int run_model(lua_State *L)
{
    const box *b = self(L);
    lua_settop(L, 2);
    eex_lua_push_model(L, b->report->folder, 2);
    return 1;
}

/* ---- the object ---- */

static int run_index(lua_State *L)
{
    self(L);
    if (lua_type(L, 2) == LUA_TSTRING && luaL_getmetafield(L, 1, "methods") != LUA_TNIL) {
        lua_pushvalue(L, 2);
        if (lua_rawget(L, -2) != LUA_TNIL)
            return 1;
        lua_pop(L, 2);
    }
    lua_getiuservalue(L, 1, 1);
    lua_pushvalue(L, 2);
    lua_rawget(L, -2);
    return 1;
}

static int run_text(lua_State *L)
{
    box *b = self(L);
    eex_buffer_clear(&b->text);
    if (eex_report_table(&b->text, b->report, 0) < 0)
        eex_lua_raise(L);
    lua_pushstring(L, eex_buffer_text(&b->text));
    eex_buffer_free(&b->text);
    return 1;
}

static void push_metatable(lua_State *L)
{
    static const luaL_Reg metamethods[] = {
        {"__index", run_index}, {"__gc", box_close}, {"__tostring", run_text}, {NULL, NULL}};
    static const luaL_Reg methods[] = {{"replay", run_replay}, {"model", run_model}, {NULL, NULL}};
    if (!luaL_newmetatable(L, type_name))
        return;
    luaL_setfuncs(L, metamethods, 0);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "methods");
    lua_pushliteral(L, "run");
    lua_setfield(L, -2, "__metatable");
}

void eex_lua_push_run(lua_State *L, const char *folder)
{
    luaL_checkstack(L, 16, NULL);
    box *b = lua_newuserdatauv(L, sizeof *b, 1);
    *b = (box){0};
    push_metatable(L);
    lua_setmetatable(L, -2);
    if (eex_report_load(&b->report, folder) < 0 ||
        eex__lua_take(L, &b->held, report_bytes(b->report), "its trials do not fit") < 0)
        eex_lua_raise(L);
    push_report(L, b->report);
    lua_setiuservalue(L, -2, 1);
}
