/* What the files of reading a sweep share. */
#ifndef EEX_LUA_LUA_SWEEP_IMPL_H
#define EEX_LUA_LUA_SWEEP_IMPL_H

#include "core/sweep/axes.h"
#include "core/sweep/sweep.h"
#include "lua/args.h"

#include <limits.h>

enum { EEX__SWEEP_FIELDS = 64 };

typedef struct eex__sweep_reading {
    eex_sweep *s;
    const char *path; /* of the sweep's file */
    char folder[PATH_MAX];
    eex_axis axis[EEX__SWEEP_FIELDS]; /* with their values; freed by who opened this */
    size_t axes;
    eex_sweep_kind kind;
    uint64_t seed;
} eex__sweep_reading;

_Noreturn void eex__sweep_no_memory(lua_State *L);

/* A copy of a text, or an error that is raised. */
void eex__sweep_keep(lua_State *L, char **out, const char *text);

/* ---- lua_sweep_value.c ---- */

/* Pushes the value at `index` as text; in tables (depth > 0) strings are quoted. */
void eex__sweep_push_text(lua_State *L, int index, int depth);
void eex__sweep_keep_value(lua_State *L, char **out, int index);

/* ---- lua_sweep_axes.c ---- */

/* Pushes a sorted list of the table's keys, all of which must be texts; how many. */
size_t eex__sweep_push_fields(const eex_args *a);

/* Name i of the list on top of the stack, and its value in the table pushed above it. */
const char *eex__sweep_push_field(const eex_args *a, size_t i);

/* Whether the value on top of the stack has been here before; the table at `seen` has those that
 * were, and now it too. */
bool eex__sweep_comes_again(lua_State *L, int seen);

/* Grid, random or sobol. */
void eex__sweep_read_points(eex__sweep_reading *r, const eex_args *a);

#endif
