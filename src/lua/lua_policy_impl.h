/* What the files of policy objects share. */
#ifndef EEX_LUA_LUA_POLICY_IMPL_H
#define EEX_LUA_LUA_POLICY_IMPL_H

#include "core/policy/calibrate.h"
#include "lua/lua_run_impl.h"

/* User values: a table with the facts, and the run. */
enum { EEX__POLICY_FACTS = 1, EEX__POLICY_RUN = 2 };

typedef struct eex__lua_policy {
    eex__lua_held held;
    bool fitted;                       /* by `how`; else it is the run's own */
    eex_calibration how;               /* the rule */
    int count, columns[EEX_MAX_EXITS]; /* which of the network's exits there are, ascending */
    double cost[EEX_MAX_EXITS];        /* (count) MACs of an image that leaves there */
    int64_t parameters;                /* trained, of these exits alone */
    eex_policy *policy;
    eex_trace *part; /* of a trace, while it is worked with */
} eex__lua_policy;

/* The policy at the index, and the run that it is for; raise where there is none. */
eex__lua_policy *eex__lua_policy_at(lua_State *L, int index);
eex__lua_run *eex__lua_policy_run(lua_State *L, int index);

/* MACs of leaving at each of its exits. */
eex_exit_costs eex__lua_policy_costs(const eex__lua_policy *policy, const eex__lua_run *run);

/* The trace of the policy's exits alone: *out is `whole`, one of the run's, or policy->part, until
 * it is dropped. */
int eex__lua_policy_part(eex_trace **out, lua_State *L, eex__lua_policy *policy,
                         const eex__lua_run *run, eex_trace *whole);
void eex__lua_policy_drop(eex__lua_policy *policy);

/* Members of the table on the top: which exit it is, by its number in the run's network, and what
 * it reads. */
void eex__lua_policy_put_exit(lua_State *L, const eex__lua_policy *policy, const eex__lua_run *run,
                              int k);

/* Pushes what the policy comes to on a trace of the run. Raises. */
int eex__lua_policy_outcome(lua_State *L, eex__lua_policy *policy, eex__lua_run *run,
                            eex_trace *whole);

/* Methods: p:replay([split]) and p:image(i [, split]). */
int eex__lua_policy_replay(lua_State *L);
int eex__lua_policy_image(lua_State *L);

#endif
