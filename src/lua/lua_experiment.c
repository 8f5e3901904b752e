#include "lua/lua_experiment.h"

#include "lua/args.h"
#include "lua/experiment_set.h"
#include "lua/lua_fields.h"
#include "lua/sandbox_impl.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>

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
    for (size_t i = 0; i < r->options->sets; i++)
        eex__experiment_set(L, 2, r->options->set[i]);
    eex__read_fields(r, &a);
    fit_to_epochs(&r->e->candidate);
    fit_to_epochs(&r->e->final);
    return 0;
}

/* The script and what was set from outside, as it is stored with the run. */
static int keep_source(eex_experiment *e, const char *path,
                       const eex_lua_experiment_options *options)
{
    char *text = NULL;
    eex_buffer b = EEX_BUFFER_INIT;
    EEX_TRY(eex_fs_read(&text, NULL, path, MAX_SCRIPT));
    eex_buffer_puts(&b, text);
    free(text);
    for (size_t i = 0; i < options->sets; i++)
        eex_buffer_printf(&b, "\n-- --set %s", options->set[i]);
    return eex_buffer_take(&e->source, &b);
}

/* The script's value is on top of the stack. */
static int read_value(eex_experiment *e, lua_State *L, const char *path,
                      const eex_lua_experiment_options *options)
{
    eex_lua_reading r = {e, path, options};
    lua_pushcfunction(L, read_table);
    lua_insert(L, -2);
    lua_pushlightuserdata(L, &r);
    lua_insert(L, -2);
    int code = eex_lua_call(L, 2, 0);
    if (code < 0)
        return eex_fail_in(code, "%s", path);
    EEX_TRY(keep_source(e, path, options));
    code = eex_experiment_check(e);
    return code < 0 ? eex_fail_in(code, "%s", path) : EEX_OK;
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
    const eex_lua_options lua = {.trust = options->trust};
    lua_State *L = NULL;
    *out = NULL;
    EEX_TRY(eex_lua_open_for(&L, path, &lua));
    int code = eex_lua_run_file(L, path);
    if (code == EEX_OK)
        code = eex_lua_experiment_of(out, L, path, options);
    eex_lua_close(L);
    return code;
}
