/* Sweep files: a script's table becomes an eex_sweep.
 *
 *     return {
 *       experiment = "quickstart.lua",           -- beside the sweep's file
 *       set = { ["training.epochs"] = 5 },       -- of all points
 *       grid = { ["training.lr"] = { 0.05, 0.1 }, ["search.algorithm"] = { "aging", "random" } },
 *       seeds = { 0, 1, 2 },                     -- or how many
 *       slurm = { partition = "gpu", gpus = 1, time = "04:00:00" },
 *     }
 *
 * Instead of a grid: random or sobol = { points = 16, seed = 0, fields = { ["training.lr"] = { from
 * = 1e-3, to = 1, log = true }, ... } }, where a field has a list or a range. Fields are in the
 * order of their names. */
#ifndef EEX_LUA_LUA_SWEEP_H
#define EEX_LUA_LUA_SWEEP_H

#include "core/sweep/sweep.h"

/* *out is the caller's. Errors as of eex_lua_experiment; the experiment's file must be there, and
 * is read as text, not run. */
int eex_lua_sweep(eex_sweep **out, const char *path, bool trust);

#endif
