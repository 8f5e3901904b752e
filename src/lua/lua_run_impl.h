/* What the files of run objects share. */
#ifndef EEX_LUA_LUA_RUN_IMPL_H
#define EEX_LUA_LUA_RUN_IMPL_H

#include "core/policy/trace.h"
#include "core/report/report.h"
#include "lua/lua_class.h"
#include "lua/sandbox_impl.h"

/* Everything that a run object holds; absent until it is wanted. Its user value is a table with
 * what the report says. */
typedef struct eex__lua_run {
    eex__lua_held held;
    eex_report *report;
    eex_device *device;
    eex_model *model; /* the chosen network without its weights */
    eex_trace *calibration, *validation;
    char *path; /* being opened */
    eex_buffer text;
} eex__lua_run;

/* The run at the index; raises where there is none. */
eex__lua_run *eex__lua_run_at(lua_State *L, int index);

/* Has both traces of the run, and the structure of its network. */
int eex__lua_run_load(lua_State *L, eex__lua_run *run);

/* Has a device, whose memory is what the script may still have. */
int eex__lua_run_device(lua_State *L, eex__lua_run *run);

/* Raises this thread's error; where the device was full, in the words of the limit. */
_Noreturn void eex__lua_run_raise(lua_State *L, const eex__lua_run *run, int code);

/* Methods of runs that make policies: policy, replay, without, cut and image. */
extern const eex__lua_function eex__lua_policy_methods[];

/* Makes the metatable of policies. Once a state. */
void eex__lua_policy_register(lua_State *L);

#endif
