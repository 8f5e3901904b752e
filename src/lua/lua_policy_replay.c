/* Replaying policies on the run's traces. */
#include "core/policy/replay.h"
#include "lua/args.h"
#include "lua/lua_policy_impl.h"
#include "lua/put.h"

#include "base/status.h"

#include <string.h>

typedef eex__lua_policy box;

/* ---- the exits that there are ---- */

static bool is_whole(const box *b, const eex__lua_run *run)
{
    return b->count == eex_graph_exits(run->model->graph);
}

/* The trace of the policy's exits alone: *out is the run's own, or b->part. */
int eex__lua_policy_part(eex_trace **out, lua_State *L, box *b, const eex__lua_run *run,
                         eex_trace *whole)
{
    const size_t each = sizeof(int32_t) + (5 + (size_t)whole->classes) * sizeof(float);
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

void eex__lua_policy_drop(box *b)
{
    eex_trace_free(b->part);
    b->part = NULL;
}

/* Which exit it is: its number in the run's network, and what it reads. */
void eex__lua_policy_put_exit(lua_State *L, const box *b, const eex__lua_run *run, int k)
{
    eex__lua_put_integer(L, "exit", b->columns[k] + 1);
    eex__lua_put_text(L, "node", run->report->best.exit[b->columns[k]].node);
}

/* ---- replay ---- */

/* The trace of a part that the argument names; validation when it is absent. */
static eex_trace *part_at(lua_State *L, const eex__lua_run *run, int index)
{
    const char *name = eex_lua_text_or(L, index, "validation");
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
    EEX_TRY(eex__lua_policy_part(out, L, b, run, whole));
    return eex_trace_score(*out, run->device, b->policy->temperature);
}

static int replay(eex_outcome *out, lua_State *L, box *b, eex__lua_run *run, eex_trace *whole)
{
    const eex_exit_costs costs = eex__lua_policy_costs(b, run);
    eex_trace *trace;
    int code = score(&trace, L, b, run, whole);
    if (code == EEX_OK)
        code = eex_replay(out, trace, b->policy, &costs, NULL, NULL);
    eex__lua_policy_drop(b);
    return code;
}

static void push_outcome(lua_State *L, const eex_outcome *o, const box *b, const eex__lua_run *run,
                         const char *part)
{
    lua_createtable(L, 0, 6);
    eex__lua_put_text(L, "split", part);
    eex__lua_put_number(L, "accuracy", o->accuracy);
    eex__lua_put_number(L, "macs", o->cost);
    eex__lua_put_number(L, "rejected", o->rejected);
    eex__lua_put_number(L, "agreement", o->agreement);
    lua_createtable(L, b->count, 0);
    for (int k = 0; k < b->count; k++) {
        lua_createtable(L, 0, 4);
        eex__lua_policy_put_exit(L, b, run, k);
        eex__lua_put_number(L, "utilisation", o->share[k]);
        eex__lua_put_number(L, "accuracy", o->exit_accuracy[k]);
        lua_rawseti(L, -2, k + 1);
    }
    lua_setfield(L, -2, "exits");
}

int eex__lua_policy_outcome(lua_State *L, box *b, eex__lua_run *run, eex_trace *whole)
{
    eex_outcome outcome;
    const int code = replay(&outcome, L, b, run, whole);
    if (code < 0)
        eex__lua_run_raise(L, run, code);
    push_outcome(L, &outcome, b, run, whole == run->validation ? "validation" : "calibration");
    return 1;
}

/* p:replay("calibration"); the validation split when nobody says */
int eex__lua_policy_replay(lua_State *L)
{
    box *b = eex__lua_policy_at(L, 1);
    eex__lua_run *run = eex__lua_policy_run(L, 1);
    return eex__lua_policy_outcome(L, b, run, part_at(L, run, 2));
}

/* ---- one image ---- */

static void push_row(lua_State *L, const box *b, const eex__lua_run *run, const eex_trace *t, int k,
                     int i)
{
    static const char *const words[] = {
        [EEX_GO_ON] = "goes on", [EEX_ACCEPT] = "leaves", [EEX_REJECT] = "is rejected"};
    const size_t at = (size_t)k * (size_t)t->samples + (size_t)i;
    lua_createtable(L, 0, 10);
    eex__lua_policy_put_exit(L, b, run, k);
    eex__lua_put_integer(L, "class", t->top[at]);
    eex__lua_put_text(L, "name", run->model->input.classes.item[t->top[at]]);
    eex__lua_put_number(L, "confidence", (double)t->confidence[at]);
    eex__lua_put_number(L, "margin", (double)t->margin[at]);
    eex__lua_put_number(L, "entropy", (double)t->entropy[at]);
    if (t->distance)
        eex__lua_put_number(L, "distance", (double)t->distance[at]);
    lua_pushboolean(L, t->top[at] == t->labels[i]);
    lua_setfield(L, -2, "right");
    eex__lua_put_text(L, "decision", words[eex_policy_judge(b->policy, t, k, i)]);
    lua_rawseti(L, -2, k + 1);
}

/* p:image(17): what each exit would say of image 17 of the split, and do with it */
int eex__lua_policy_image(lua_State *L)
{
    box *b = eex__lua_policy_at(L, 1);
    eex__lua_run *run = eex__lua_policy_run(L, 1);
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
    eex__lua_policy_drop(b);
    return 1;
}
