/* Experiment files: the table that a script returns becomes an eex_experiment. */
#ifndef EEX_LUA_LUA_EXPERIMENT_H
#define EEX_LUA_LUA_EXPERIMENT_H

#include "core/run/experiment.h"
#include "lua/sandbox.h"

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct eex_lua_experiment_options {
    bool trust;             /* see sandbox.h */
    const char *const *set; /* (sets) "a.b=value": fields replaced in the table before it is read */
    size_t sets;
    bool foreign; /* a file says what is set, not the user: it may no more than the script */
    eex_lua_stopper *stop; /* see sandbox.h */
} eex_lua_experiment_options;

/* Runs the file and reads what it returns. *out is the caller's and has passed
 * eex_experiment_check. EEX_ESCRIPT or EEX_EINVAL name the file, and its line or the field's path
 * with what was expected and what is there. */
int eex_lua_experiment(eex_experiment **out, const char *path,
                       const eex_lua_experiment_options *options);

/* The same of the value that the file at `path` has returned, on top of the stack, which is popped.
 */
int eex_lua_experiment_of(eex_experiment **out, lua_State *L, const char *path,
                          const eex_lua_experiment_options *options);

/* The experiment of the run in a folder, from the script, the `--set`s and the seed that its run.h5
 * keeps, as if the script lay in the folder. A script that reads other files of its own folder
 * fails, for these are not kept. */
int eex_lua_experiment_of_run(eex_experiment **out, const char *folder, bool trust);

#endif
