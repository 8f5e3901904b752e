/* Reading the fields of an experiment (core/run/fields.h) from a script's table. All functions
 * raise.
 */
#ifndef EEX_LUA_LUA_FIELDS_H
#define EEX_LUA_LUA_FIELDS_H

#include "core/run/fields.h"
#include "lua/args.h"
#include "lua/lua_experiment.h"

typedef struct eex_lua_reading {
    eex_experiment *e;
    const char *script; /* its path */
    const eex_lua_experiment_options *options;
} eex_lua_reading;

/* Reads every field from the script's table; refuses what is no field. */
void eex__read_fields(const eex_lua_reading *reading, const eex_args *table);

/* Reads the policy's fields from a table of their own, over the values in *policy. `kind` is what
 * the field with the policy's kind is called there. */
void eex__read_policy(eex_calibration *policy, const eex_args *table, const char *kind);

/* One type's way to read the field `key` of a table. */
typedef void eex__field_reader(const eex_lua_reading *reading, const eex_args *table,
                               const char *key, const eex_field *field);

/* For fields.c alone: those that something is special about. */
eex__field_reader eex__read_run_name, eex__read_table_file, eex__read_data_name, eex__read_backbone,
    eex__read_saliency, eex__read_gate_act, eex__read_dataset, eex__read_short, eex__read_augment,
    eex__read_like, eex__read_fixed, eex__read_policy_kind, eex__read_temperature,
    eex__read_threshold, eex__read_lower, eex__read_or_false, eex__read_population;

/* Plain ones that others build on. */
eex__field_reader eex__read_int, eex__read_number, eex__read_enum, eex__read_text;

/* The type of what is in a field. */
int eex__type_of(const eex_args *table, const char *key);

/* Whether it is false, and not merely absent. */
bool eex__is_false(const eex_args *table, const char *key);

#endif
