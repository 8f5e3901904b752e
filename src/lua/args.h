/* Checked reading of tables that scripts hand over: options of a layer, a whole experiment.
 *
 * Every function raises a Lua error when something is wrong, with the place in the script, the
 * field's path and what was expected: "a.lua:7: backbone.width: a number in 0.1..4, got "x"". So
 * call them only where that is safe: in a C function that Lua called, holding nothing that Lua (or
 * someone outside the protected call) does not own. */
#ifndef EEX_LUA_ARGS_H
#define EEX_LUA_ARGS_H

#include "base/names.h"

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

/* A table on the stack and its path in messages ("" for the outermost); it lives as long as its
 * stack slot. Fields are read raw, without metamethods. */
typedef struct eex_args {
    lua_State *L;
    int table;        /* absolute index */
    const char *path; /* borrowed: a literal or a string on the stack */
} eex_args;

/* The table at `index`; anything else is refused. An absent or nil value counts as an empty table
 * when `optional`, which then is put on the stack. */
eex_args eex_args_open(lua_State *L, int index, const char *path, bool optional);

/* The table in a field, pushed on the stack together with its path (two slots). An absent one is
 * empty when `optional`. Leave with lua_settop or eex_args_close. */
eex_args eex_args_table(const eex_args *a, const char *field, bool optional);

/* Member i (from 1) of a list of tables; likewise two slots. Its path ends in "[i]". */
eex_args eex_args_member(const eex_args *a, int i);

/* Drops what eex_args_table or eex_args_member pushed, and all above it. */
void eex_args_close(const eex_args *a);

/* Refuses fields that are not in `known` (NULL at the end) and names the nearest one that is. */
void eex_args_known(const eex_args *a, const char *const *known);

/* Refuses one name that is not in `known`, likewise: "path.name: no such field". */
void eex_args_check_name(lua_State *L, const char *path, const char *name,
                         const char *const *known);

/* Refuses what is at no place of a list: fields with names, and places behind a hole. */
void eex_args_list(const eex_args *a);

bool eex_args_has(const eex_args *a, const char *field);

/* Integers and numbers within min..max (NaN never is). The plain ones demand the field, the _or
 * ones take `otherwise` when it is absent, which need not lie within. */
lua_Integer eex_args_int(const eex_args *a, const char *field, lua_Integer min, lua_Integer max);
lua_Integer eex_args_int_or(const eex_args *a, const char *field, lua_Integer min, lua_Integer max,
                            lua_Integer otherwise);
double eex_args_number(const eex_args *a, const char *field, double min, double max);
double eex_args_number_or(const eex_args *a, const char *field, double min, double max,
                          double otherwise);
bool eex_args_flag_or(const eex_args *a, const char *field, bool otherwise);

/* The text in a slot; NULL: it is none, or has a NUL in it, which C would take for its end. */
const char *eex_lua_plain_text(lua_State *L, int index);

/* The same of an argument. Raises, as luaL_checkstring does; `otherwise` where it is absent. */
const char *eex_lua_text(lua_State *L, int index);
const char *eex_lua_text_or(lua_State *L, int index, const char *otherwise);

/* Text has 1..max bytes and no NUL. It is borrowed from the table: copy it before a script runs. */
const char *eex_args_text(const eex_args *a, const char *field, size_t max);
const char *eex_args_text_or(const eex_args *a, const char *field, size_t max,
                             const char *otherwise);

/* Of Slurm, copied into out[size]: a text, or a whole number of minutes, which becomes its digits.
 */
void eex_args_time(char *out, size_t size, const eex_args *a, const char *field);

/* One of the names: its number. */
int eex_args_choice(const eex_args *a, const char *field, const eex_names *names);
int eex_args_choice_or(const eex_args *a, const char *field, const eex_names *names, int otherwise);

/* A list of integers within min..max; returns how many, at most `room`. One integer counts as a
 * list of one. Absent: 0. */
int eex_args_ints(const eex_args *a, const char *field, int *out, int room, lua_Integer min,
                  lua_Integer max);
int eex_args_numbers(const eex_args *a, const char *field, double *out, int room, double min,
                     double max);

/* "path.field: expected <printf-style text>, got <what is there>": raises. */
_Noreturn void eex_args_refuse(const eex_args *a, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Raises this thread's message (base/status.h), with the place in the script in front. */
_Noreturn void eex_lua_raise(lua_State *L);

/* The same with a message of its own, which is formatted as luaL_error's are: that one's place
 * would be in the library where the library has called. */
_Noreturn void eex_lua_error(lua_State *L, const char *format, ...);

/* Puts the place in the script on the stack ("a.lua:7: "): of the innermost running function that
 * is not part of the library; "" when there is none. */
void eex_lua_where(lua_State *L);

#endif
