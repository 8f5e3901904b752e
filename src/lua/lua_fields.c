/* The walk over all fields, and the types that nothing is special about. */
#include "lua/lua_fields.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_KNOWN = 40, MAX_PATH = 96 };

int eex__type_of(const eex_args *a, const char *key)
{
    lua_pushstring(a->L, key);
    const int type = lua_rawget(a->L, a->table);
    lua_pop(a->L, 1);
    return type;
}

bool eex__is_false(const eex_args *a, const char *key)
{
    lua_pushstring(a->L, key);
    const bool is = lua_rawget(a->L, a->table) == LUA_TBOOLEAN && !lua_toboolean(a->L, -1);
    lua_pop(a->L, 1);
    return is;
}

/* ---- plain types ---- */

void eex__read_int(const eex_lua_reading *r, const eex_args *a, const char *key, const eex_field *f)
{
    const lua_Integer min = (lua_Integer)f->range.min, max = (lua_Integer)f->range.max;
    eex_field_put(f, r->e, (double)eex_args_int(a, key, min, max));
}

/* In the words of the range alone, whatever else the field may be. */
_Noreturn static void refuse_number(const eex_args *a, const char *key, const eex_field *f, bool is,
                                    double value)
{
    char words[EEX_RANGE_SIZE];
    eex_args_refuse(a, key, "%s%s",
                    eex_range_words_for(words, &f->range, false, is ? value : f->range.min),
                    is && eex_range_has(&f->range, value) ? EEX_FIELD_FLOATS : "");
}

void eex__read_number(const eex_lua_reading *r, const eex_args *a, const char *key,
                      const eex_field *f)
{
    const bool is = eex__type_of(a, key) == LUA_TNUMBER;
    const double value =
        is ? eex_args_number(a, key, -(double)INFINITY, (double)INFINITY) : (double)NAN;
    if (!eex_range_has(&f->range, value) || !eex_field_takes(f, value))
        refuse_number(a, key, f, is, value);
    eex_field_put(f, r->e, value);
}

static void read_flag(const eex_lua_reading *r, const eex_args *a, const char *key,
                      const eex_field *f)
{
    eex_field_put(f, r->e, eex_args_flag_or(a, key, false));
}

void eex__read_enum(const eex_lua_reading *r, const eex_args *a, const char *key,
                    const eex_field *f)
{
    eex_field_put(f, r->e, eex_args_choice(a, key, f->names()));
}

static void read_seed(const eex_lua_reading *r, const eex_args *a, const char *key,
                      const eex_field *f)
{
    r->e->seed = (uint64_t)eex_args_int(a, key, 0, LLONG_MAX);
}

void eex__read_text(const eex_lua_reading *r, const eex_args *a, const char *key,
                    const eex_field *f)
{
    snprintf(eex_field_text(f, r->e), (size_t)f->size, "%s",
             eex_args_text(a, key, (size_t)f->size - 1));
}

static void read_time(const eex_lua_reading *r, const eex_args *a, const char *key,
                      const eex_field *f)
{
    eex_args_time(eex_field_text(f, r->e), (size_t)f->size, a, key);
}

static void read_ints(const eex_lua_reading *r, const eex_args *a, const char *key,
                      const eex_field *f)
{
    *eex_field_count(f, r->e) = eex_args_ints(a, key, eex_field_ints(f, r->e), f->size,
                                              (lua_Integer)f->range.min, (lua_Integer)f->range.max);
}

static void read_numbers(const eex_lua_reading *r, const eex_args *a, const char *key,
                         const eex_field *f)
{
    *eex_field_count(f, r->e) =
        eex_args_numbers(a, key, eex_field_numbers(f, r->e), f->size, f->range.min, f->range.max);
}

/* ---- the types ---- */

static const struct {
    eex__field_reader *read;
    bool absent; /* is called for an absent field too */
} readers[] = {
    [EEX_FIELD_INT] = {eex__read_int, false},
    [EEX_FIELD_NUMBER] = {eex__read_number, false},
    [EEX_FIELD_FLOAT] = {eex__read_number, false},
    [EEX_FIELD_FLAG] = {read_flag, false},
    [EEX_FIELD_ENUM] = {eex__read_enum, false},
    [EEX_FIELD_EITHER] = {eex__read_enum, false},
    [EEX_FIELD_SEED] = {read_seed, false},
    [EEX_FIELD_TEXT] = {eex__read_text, false},
    [EEX_FIELD_INTS] = {read_ints, false},
    [EEX_FIELD_NUMBERS] = {read_numbers, false},
    [EEX_FIELD_RUN_NAME] = {eex__read_run_name, true},
    [EEX_FIELD_TABLE_FILE] = {eex__read_table_file, false},
    [EEX_FIELD_DATA_NAME] = {eex__read_data_name, false},
    [EEX_FIELD_TIME] = {read_time, false},
    [EEX_FIELD_BACKBONE] = {eex__read_backbone, true},
    [EEX_FIELD_NETWORK] = {eex__read_backbone, false},
    [EEX_FIELD_SALIENCY] = {eex__read_saliency, true},
    [EEX_FIELD_GATE_ACT] = {eex__read_gate_act, true},
    [EEX_FIELD_DATASET] = {eex__read_dataset, true},
    [EEX_FIELD_SHORT] = {eex__read_short, false},
    [EEX_FIELD_AUGMENT] = {eex__read_augment, false},
    [EEX_FIELD_LIKE] = {eex__read_like, true},
    [EEX_FIELD_FIXED] = {eex__read_fixed, false},
    [EEX_FIELD_POLICY_KIND] = {eex__read_policy_kind, false},
    [EEX_FIELD_TEMPERATURE] = {eex__read_temperature, false},
    [EEX_FIELD_THRESHOLD] = {eex__read_threshold, false},
    [EEX_FIELD_LOWER] = {eex__read_lower, false},
    [EEX_FIELD_OR_FALSE] = {eex__read_or_false, false},
    [EEX_FIELD_POPULATION] = {eex__read_population, false},
};
_Static_assert(sizeof readers / sizeof *readers == EEX_FIELD_TYPES, "a reader a type");

static void read_field(const eex_lua_reading *r, const eex_args *a, const char *key,
                       const eex_field *f)
{
    if (f->needed || readers[f->type].absent || eex_args_has(a, key))
        readers[f->type].read(r, a, key, f);
}

/* ---- what is no field ---- */

typedef struct known {
    char name[MAX_KNOWN][32];
    const char *list[MAX_KNOWN + 1];
    int count;
} known;

static void add_known(known *k, const char *name)
{
    char *at = k->name[k->count];
    snprintf(at, sizeof k->name[0], "%.*s", (int)strcspn(name, "."), name);
    for (int i = 0; i < k->count; i++)
        if (strcmp(k->name[i], at) == 0)
            return;
    if (k->count < MAX_KNOWN - 1)
        k->list[k->count++] = at;
    k->list[k->count] = NULL;
}

/* The fields of the table that `prefix` ("", "training.") is the path of. */
static void known_below(known *k, const char *prefix)
{
    const size_t length = strlen(prefix);
    int count;
    const eex_field *fields = eex_fields(&count);
    *k = (known){.count = 0};
    for (int i = 0; i < count; i++)
        if (strncmp(fields[i].path, prefix, length) == 0)
            add_known(k, fields[i].path + length);
}

static bool has_fields(const char *prefix)
{
    known below;
    known_below(&below, prefix);
    return below.count > 0;
}

static void refuse_unknown(const eex_args *a, const char *prefix)
{
    known k;
    known_below(&k, prefix);
    eex_args_known(a, k.list);
    for (int i = 0; i < k.count; i++) {
        char below[MAX_PATH];
        snprintf(below, sizeof below, "%s%s.", prefix, k.name[i]);
        if (eex__type_of(a, k.name[i]) != LUA_TTABLE || !has_fields(below))
            continue;
        const eex_args t = eex_args_table(a, k.name[i], false);
        refuse_unknown(&t, below);
        eex_args_close(&t);
    }
}

/* ---- all of it ---- */

/* Opens the tables on the way to a field; *key is what it is called in the last one. False: there
 * is something else in place of one, which the row that stands for that table has read. */
static bool descend(eex_args *t, const char **key, const eex_field *f)
{
    for (const char *dot = strchr(*key, '.'); dot; dot = strchr(*key, '.')) {
        char inner[MAX_PATH], path[MAX_PATH];
        snprintf(inner, sizeof inner, "%.*s", (int)(dot - *key), *key);
        snprintf(path, sizeof path, "%.*s", (int)(dot - f->path), f->path);
        const int type = eex__type_of(t, inner);
        if (type != LUA_TTABLE && type != LUA_TNIL && eex_field_find(path))
            return false;
        *t = eex_args_table(t, inner, true);
        *key = dot + 1;
    }
    return true;
}

void eex__read_fields(const eex_lua_reading *r, const eex_args *a)
{
    int count;
    const eex_field *fields = eex_fields(&count);
    const int top = lua_gettop(a->L);
    refuse_unknown(a, "");
    for (int i = 0; i < count; i++) {
        const char *key = fields[i].path;
        eex_args t = *a;
        if (descend(&t, &key, &fields[i]))
            read_field(r, &t, key, &fields[i]);
        lua_settop(a->L, top);
    }
}

void eex__read_policy(eex_calibration *policy, const eex_args *a, const char *kind)
{
    static const char prefix[] = "policy.";
    eex_experiment e = {.policy = *policy};
    const eex_lua_reading reading = {.e = &e};
    known k;
    known_below(&k, prefix);
    for (int i = 0; i < k.count; i++)
        if (strcmp(k.list[i], "kind") == 0)
            k.list[i] = kind;
    eex_args_known(a, k.list);
    for (int i = 0; i < k.count; i++) {
        char path[MAX_PATH];
        snprintf(path, sizeof path, "%s%s", prefix, k.name[i]);
        read_field(&reading, a, k.list[i], eex_field_find(path));
    }
    *policy = e.policy;
}
