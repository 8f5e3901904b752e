#include "lua/lua_run.h"

#include "core/report/report.h"
#include "lua/args.h"
#include "lua/lua_class.h"
#include "lua/lua_model.h"
#include "lua/lua_model_impl.h"
#include "lua/lua_run_impl.h"
#include "lua/put.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/status.h"

#include <lauxlib.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define METATABLE "eex.run"

typedef eex__lua_run box;

static int box_close(lua_State *L)
{
    box *b = luaL_checkudata(L, 1, METATABLE);
    eex_report_free(b->report);
    eex_device_close(b->device);
    eex_model_close(b->model);
    eex_trace_free(b->calibration);
    eex_trace_free(b->validation);
    eex_buffer_free(&b->text);
    free(b->path);
    eex__lua_give_back(L, &b->held);
    *b = (box){0};
    return 0;
}

eex__lua_run *eex__lua_run_at(lua_State *L, int index)
{
    box *b = luaL_checkudata(L, index, METATABLE);
    if (!b->report)
        luaL_error(L, "this run was closed");
    return b;
}

static box *self(lua_State *L)
{
    return eex__lua_run_at(L, 1);
}

/* ---- what the report says ---- */

static size_t report_bytes(const eex_report *r)
{
    const eex_trials *t = &r->trials;
    return sizeof *r + t->capacity * (sizeof *t->at + (size_t)t->genes * sizeof *t->genomes) +
           r->front_count * sizeof *r->front;
}

static void put(void *L, const char *name, double value)
{
    eex__lua_put_number(L, name, value);
}

/* Where an exit is; blocks below 0: the end of the backbone, which has none. */
static void put_place(lua_State *L, int position, const char *node, int blocks)
{
    eex__lua_put_integer(L, "position", position);
    eex__lua_put_text(L, "node", node);
    if (blocks >= 0)
        eex__lua_put_integer(L, "blocks", blocks);
}

static void push_exits(lua_State *L, const eex_report *r)
{
    lua_createtable(L, r->best.exits, 0);
    for (int k = 0; k < r->best.exits; k++) {
        const eex_report_exit *x = &r->best.exit[k];
        lua_createtable(L, 0, 8);
        put_place(L, x->position, x->node, x->blocks);
        eex_report_put_exit(put, L, x);
        lua_rawseti(L, -2, k + 1);
    }
}

static void push_networks(lua_State *L, const eex_report *r)
{
    lua_newtable(L);
    eex__lua_put_number(L, "accuracy", r->base.accuracy);
    eex__lua_put_number(L, "macs", r->base.macs);
    eex_report_put_latency(put, L, &r->base.latency);
    lua_setfield(L, -2, "base");
    lua_newtable(L);
    eex_report_put_full(put, L, r);
    lua_setfield(L, -2, "full");
    lua_newtable(L);
    eex_report_put_best(put, L, r);
    if (r->best.decides) {
        eex__lua_put_text(L, "policy", eex_policy_kind_name(r->best.policy));
        eex__lua_put_text(L, "policy_by", eex_policy_fitted_by(r->best.policy, r->best.by_label));
    }
    if (r->latency_rounds) {
        eex__lua_put_integer(L, "speedup_rounds", r->latency_rounds);
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
        eex__lua_put_number(L, part[p].name, part[p].threshold);
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
        eex__lua_put_number(L, gene.name, gene.value);
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
        eex__lua_put_integer(L, "trial", (lua_Integer)r->front[i]);
        eex_report_put_trial(put, L, &r->trials.at[r->front[i]]);
        const int parts =
            eex_described_parts(part, EEX_MAX_EXITS, r->space, genome, r->trials.genes);
        lua_createtable(L, 0, parts);
        for (int p = 0; p < parts; p++)
            eex__lua_put_integer(L, part[p].name, part[p].size);
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
        put_place(L, x->position, x->node, x->blocks);
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
        eex__lua_put_integer(L, "trial", (lua_Integer)m->trial);
        eex__lua_put_integer(L, "gates", m->gates);
        lua_pushboolean(L, m->spread);
        lua_setfield(L, -2, "spread");
        lua_pushboolean(L, m->best);
        lua_setfield(L, -2, "best");
        eex_report_put_member(put, L, m);
        if (m->exits > 0) {
            eex__lua_put_text(L, "file", eex_front_file(file, i));
            push_alone(L, "backbone", eex_front_end(&r->tested, m));
        } else {
            eex__lua_put_text(L, "failure", m->reason);
        }
        push_member_exits(L, &r->tested, m);
        lua_setfield(L, -2, "exits");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void push_rivals(lua_State *L, const eex_report *r)
{
    lua_createtable(L, (int)r->rivals.count, 0);
    for (size_t i = 0; i < r->rivals.count; i++) {
        lua_createtable(L, 0, 6);
        eex__lua_put_text(L, "name", r->rivals.at[i].name);
        if (*r->rivals.at[i].failure)
            eex__lua_put_text(L, "failure", r->rivals.at[i].failure);
        eex__lua_put_integer(L, "epochs", (lua_Integer)r->rivals.at[i].epochs);
        eex_report_put_rival(put, L, &r->rivals.at[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* Other policies, tuned alike. */
static void push_policies(lua_State *L, const eex_report *r)
{
    lua_createtable(L, (int)r->policies, 0);
    for (size_t i = 0; i < r->policies; i++) {
        lua_createtable(L, 0, 3);
        eex__lua_put_text(L, "policy", r->policy_names.item[i]);
        eex_report_put_policy(put, L, r, i);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void push_report(lua_State *L, const eex_report *r)
{
    lua_createtable(L, 0, 20);
    eex__lua_put_text(L, "name", r->name);
    eex__lua_put_text(L, "dataset", r->dataset);
    if (eex_identity_known(&r->made_of))
        eex__lua_put_text(L, "fingerprint", r->made_of.fingerprint);
    eex__lua_put_text(L, "device", r->device);
    eex__lua_put_text(L, "precision", eex_precision_name(r->precision));
    eex__lua_put_text(L, "folder", r->folder);
    eex__lua_put_text(L, "state", r->state);
    eex__lua_put_integer(L, "seed", r->seed);
    eex__lua_put_integer(L, "trials", (lua_Integer)r->trials.count);
    if (r->structures > 0)
        eex__lua_put_integer(L, "structures", r->structures);
    if (r->chosen >= 0)
        eex__lua_put_integer(L, "chosen", r->chosen);
    eex__lua_put_number(L, "seconds", r->seconds);
    eex__lua_put_number(L, "kendall_tau", r->tau);
    eex__lua_put_number(L, "hypervolume", r->hypervolume);
    lua_pushboolean(L, r->finished);
    lua_setfield(L, -2, "finished");
    push_networks(L, r);
    push_pareto(L, r);
    lua_setfield(L, -2, "pareto");
    push_front(L, r);
    lua_setfield(L, -2, "front");
    push_rivals(L, r);
    lua_setfield(L, -2, "rivals");
    push_policies(L, r);
    lua_setfield(L, -2, "policies");
}

/* ---- what-if ---- */

/* run:model{policy = "margin", threshold = 0.3}: the network that the run has chosen */
static int run_model(lua_State *L)
{
    const box *b = self(L);
    lua_settop(L, 2);
    eex_lua_push_model(L, b->report->folder, 2);
    return 1;
}

/* run:profile{images = 64}: of that network, against the base */
static int run_profile(lua_State *L)
{
    const box *b = self(L);
    lua_settop(L, 2);
    lua_newtable(L);
    eex_lua_push_model(L, b->report->folder, lua_gettop(L));
    const int own = lua_gettop(L);
    lua_newtable(L);
    lua_pushboolean(L, true);
    lua_setfield(L, -2, "base");
    eex_lua_push_model(L, b->report->folder, lua_gettop(L));
    eex__lua_profile(L, own, lua_gettop(L), 2);
    return 1;
}

/* ---- the object ---- */

static int run_index(lua_State *L)
{
    self(L);
    return eex__lua_member(L, 1);
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

void eex_lua_run_register(lua_State *L)
{
    static const luaL_Reg metamethods[] = {
        {"__index", run_index}, {"__gc", box_close}, {"__tostring", run_text}, {NULL, NULL}};
    static const eex__lua_function methods[] = {
        {"model", run_model, 1}, {"profile", run_profile, 1}, {NULL, NULL, 0}};
    eex__lua_class(L, METATABLE, "run", metamethods, methods);
    luaL_getmetatable(L, METATABLE);
    lua_getfield(L, -1, "methods");
    eex__lua_set_methods(L, eex__lua_policy_methods);
    lua_pop(L, 2);
    eex__lua_policy_register(L);
}

void eex_lua_push_run(lua_State *L, const char *folder)
{
    luaL_checkstack(L, 16, NULL);
    box *b = lua_newuserdatauv(L, sizeof *b, 1);
    *b = (box){0};
    luaL_setmetatable(L, METATABLE);
    if (eex_report_load(&b->report, folder) < 0 ||
        eex__lua_take(L, &b->held, report_bytes(b->report), "its trials do not fit") < 0)
        eex_lua_raise(L);
    push_report(L, b->report);
    lua_setiuservalue(L, -2, 1);
}

/* eex.run(folder): the run in a folder that the script may read */
int eex_lua_run_open(lua_State *L)
{
    char real[PATH_MAX];
    if (eex__lua_find_run(L, real, eex_lua_text(L, 1)) < 0)
        eex_lua_raise(L);
    eex_lua_push_run(L, real);
    return 1;
}
