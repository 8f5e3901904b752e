#include "lua/lua_experiment.h"

#include "core/run/run.h"
#include "lua/args.h"
#include "lua/experiment_set.h"
#include "lua/lua_fields.h"
#include "lua/sandbox_impl.h"

#include "base/fs.h"
#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SCRIPT = 16 << 20 };

static void fit_to_epochs(eex_recipe *r)
{
    r->schedule.warmup = fmin(r->schedule.warmup, r->epochs);
    r->alone = r->alone < r->epochs ? r->alone : r->epochs;
}

/* Under protection, with the script's value at index 2. */
static int read_table(lua_State *L)
{
    const eex_lua_reading *r = lua_touserdata(L, 1);
    const eex_args a = eex_args_open(L, 2, "", false);
    for (size_t i = 0; i < r->options->sets; i++) {
        eex__lua_check(L); /* a file may have many */
        eex__experiment_set(L, 2, r->options->set[i]);
    }
    eex__read_fields(r, &a);
    fit_to_epochs(&r->e->candidate);
    fit_to_epochs(&r->e->final);
    return 0;
}

static int room_for_sets(eex_store_list *sets, size_t count)
{
    sets->item = calloc(count + 1, sizeof *sets->item);
    return sets->item ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for what --set says");
}

static int add_set(eex_store_list *sets, const char *set)
{
    sets->item[sets->count] = strdup(set);
    if (!sets->item[sets->count])
        return eex_fail(EEX_ENOMEM, "out of memory for what --set says");
    sets->count++;
    return EEX_OK;
}

/* The script and what was set from outside, as they are stored with the run. */
static int keep_source(eex_experiment *e, const char *path,
                       const eex_lua_experiment_options *options)
{
    EEX_TRY(eex_fs_read(&e->source, NULL, path, MAX_SCRIPT));
    EEX_TRY(room_for_sets(&e->sets, options->sets));
    for (size_t i = 0; i < options->sets; i++)
        EEX_TRY(add_set(&e->sets, options->set[i]));
    return EEX_OK;
}

/* Whether a message is about what an assignment set: it names the field, one within it, or begins
 * with the table that it was put into, which then is no field. */
static bool is_about(const char *message, const char *assignment)
{
    const size_t length = strcspn(assignment, "="), first = strcspn(message, ":");
    if (first < length && strncmp(message, assignment, first) == 0 && assignment[first] == '.')
        return true;
    for (const char *at = message; length > 0 && *at; at++) {
        const bool begins = at == message || strchr(" \"(", at[-1]);
        if (begins && strncmp(at, assignment, length) == 0 && strchr(":.[, \"", at[length]))
            return true;
    }
    return false;
}

/* Whether it is about another field of the same table: one may have to go with the other. */
static bool is_beside(const char *message, const char *assignment)
{
    const size_t length = strcspn(assignment, "="), first = strcspn(message, ":");
    for (size_t i = 0; i < length && i < first && message[i] == assignment[i]; i++)
        if (message[i] == '.')
            return true;
    return false;
}

static bool is_of_set(const char *message)
{
    static const char word[] = "--set ";
    return strncmp(message, word, sizeof word - 1) == 0;
}

/* Names in messages are disarmed. */
static bool is_told(bool (*is)(const char *, const char *), const char *assignment)
{
    char shown[1024];
    snprintf(shown, sizeof shown, "%s", assignment);
    eex_text_disarm(shown, "");
    return is(eex_error(), shown);
}

/* Whose mistake it is: that of the command line where the message is about what --set has set, else
 * the script's. */
static int blame(int code, const char *path, const eex_lua_experiment_options *options)
{
    if (code == EEX_OK || is_of_set(eex_error()))
        return code;
    for (size_t i = options->sets; i-- > 0;)
        if (is_told(is_about, options->set[i]))
            return eex_fail_in(code, "--set %s", options->set[i]);
    for (size_t i = options->sets; i-- > 0;)
        if (is_told(is_beside, options->set[i]))
            return eex_fail_in(code, "%s with --set %s", path, options->set[i]);
    return eex_lua_fail_in(code, path);
}

/* The script's value is on top of the stack. */
static int read_fields(eex_experiment *e, lua_State *L, const char *path,
                       const eex_lua_experiment_options *options)
{
    eex_lua_reading r = {e, path, options};
    lua_pushcfunction(L, read_table);
    lua_insert(L, -2);
    lua_pushlightuserdata(L, &r);
    lua_insert(L, -2);
    return blame(eex_lua_call(L, 2, 0), path, options);
}

static int read_value(eex_experiment *e, lua_State *L, const char *path,
                      const eex_lua_experiment_options *options)
{
    EEX_TRY(read_fields(e, L, path, options));
    EEX_TRY(keep_source(e, path, options));
    return blame(eex_experiment_check(e), path, options);
}

int eex_lua_experiment_of(eex_experiment **out, lua_State *L, const char *path,
                          const eex_lua_experiment_options *options)
{
    *out = NULL;
    eex_experiment *e = eex_experiment_new();
    if (!e) {
        lua_pop(L, 1);
        return EEX_ENOMEM;
    }
    int code = read_value(e, L, path, options);
    if (code != EEX_OK) {
        eex_experiment_free(e);
        return code;
    }
    *out = e;
    return EEX_OK;
}

int eex_lua_experiment(eex_experiment **out, const char *path,
                       const eex_lua_experiment_options *options)
{
    const eex_lua_options lua = {
        .trust = options->trust, .expendable = true, .stop = options->stop};
    lua_State *L = NULL;
    *out = NULL;
    EEX_TRY(eex_lua_open_for(&L, path, &lua));
    int code = eex_lua_run_file(L, path);
    if (code == EEX_OK)
        code = eex_lua_experiment_of(out, L, path, options);
    eex_lua_close(L);
    return code;
}

/* ---- of a run ---- */

/* What a run.h5 says of its experiment. */
typedef struct kept {
    char *source, *name;
    eex_store_list sets;
    int64_t seed;
} kept;

/* Files of before have them as lines behind the script, which cannot be told from comments of its
 * own. Cuts them off. */
static int cut_sets(eex_store_list *sets, char *text)
{
    static const char mark[] = "\n-- --set ";
    size_t count = 0, end = strlen(text);
    for (char *line; (line = memrchr(text, '\n', end)); count++) {
        if (strncmp(line, mark, sizeof mark - 1) != 0)
            break;
        *line = 0;
        end = (size_t)(line - text);
    }
    EEX_TRY(room_for_sets(sets, count));
    for (const char *at = text + end; sets->count < count; at += strlen(at) + 1)
        if (at > text + end) /* the script itself ends there */
            EEX_TRY(add_set(sets, at + sizeof mark - 2));
    return EEX_OK;
}

static int read_sets(kept *k, eex_store_file *file)
{
    int64_t count;
    const int there = eex_store_has_attribute(file, "", "set_count");
    EEX_TRY(there);
    if (!there)
        return cut_sets(&k->sets, k->source);
    EEX_TRY(eex_store_get_int(&count, file, "", "set_count"));
    if (count == 0)
        return EEX_OK;
    EEX_TRY(eex_store_read_strings(&k->sets, file, "sets", MAX_SCRIPT));
    return k->sets.count == (uint64_t)count
               ? EEX_OK
               : eex_store_refuse(file, "/sets: %zu strings, expected %lld", k->sets.count,
                                  (long long)count);
}

static int use_kept(eex_store_file *file, void *context)
{
    kept *k = context;
    EEX_TRY(eex_store_get_int(&k->seed, file, "", "seed"));
    EEX_TRY(eex_store_get_string(&k->name, file, "", "name"));
    EEX_TRY(eex_store_read_string(&k->source, file, "script", MAX_SCRIPT));
    return read_sets(k, file);
}

static void kept_free(kept *k)
{
    free(k->source);
    free(k->name);
    eex_store_list_free(&k->sets);
}

/* Whoever made the run has set what it keeps, which need not be who reads it. */
static int read_kept(eex_experiment *e, const kept *k, const char *folder, const char *path,
                     bool trust)
{
    const eex_lua_experiment_options options = {.trust = trust,
                                                .set = (const char *const *)k->sets.item,
                                                .sets = k->sets.count,
                                                .foreign = true};
    const eex_lua_options lua = {.trust = trust, .folder = folder};
    lua_State *L = NULL;
    EEX_TRY(eex_lua_open(&L, &lua));
    int code = eex_lua_run_text(L, k->source, path);
    if (code == EEX_OK)
        code = read_fields(e, L, path, &options);
    eex_lua_close(L);
    EEX_TRY(code);
    e->seed = (uint64_t)k->seed;
    snprintf(e->name, sizeof e->name, "%s", k->name);
    return blame(eex_experiment_check(e), path, &options);
}

/* A --set that is not on the command line is said to be the file's. */
static int load_kept(eex_experiment *e, const kept *k, const char *folder, const char *path,
                     bool trust)
{
    const int code = read_kept(e, k, folder, path, trust);
    return code < 0 && is_of_set(eex_error()) ? eex_fail_in(code, "%s", path) : code;
}

int eex_lua_experiment_of_run(eex_experiment **out, const char *folder, bool trust)
{
    kept k = {0};
    char *path = NULL;
    *out = NULL;
    if (eex_fs_is_file(folder))
        return eex_fail(EEX_EINVAL, "%s: the folder of a run, got a file", folder);
    EEX_TRY(eex_path_join(&path, folder, "run.h5"));
    eex_experiment *e = eex_experiment_new();
    int code = e ? eex_store_read_file(path, "run", EEX_RUN_VERSION, use_kept, &k) : EEX_ENOMEM;
    if (code == EEX_OK)
        code = load_kept(e, &k, folder, path, trust);
    kept_free(&k);
    free(path);
    if (code != EEX_OK) {
        eex_experiment_free(e);
        return code;
    }
    *out = e;
    return EEX_OK;
}
