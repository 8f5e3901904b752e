/* Runs from Lua: what they hold outside of it is the script's memory. */
#include "core/policy/trace.h"
#include "core/run/experiment.h"
#include "cpu/cpu_register.h"
#include "lua/lua_run.h"
#include "lua/sandbox_impl.h"
#include "support/corners.h"
#include "support/folder.h"
#include "support/forge.h"

#include "base/log.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <lauxlib.h>
#include <string.h>
#include <sys/resource.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { SAMPLES = 200000 };

static char folder[TEST_PATH_SIZE];
static lua_State *L;

static void setup(void)
{
    test_folder_make(folder);
    OK(eex_cpu_register());
    eex_log_set_level(EEX_LOG_ERROR);
    test_corners_make(folder);
    char run[TEST_PATH_SIZE];
    snprintf(run, sizeof run, "%s", test_path(folder, "run"));
    const eex_run_options options = {
        .folder = run, .data_dir = folder, .device = "cpu", .threads = 1};
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
    OK(eex_experiment_run(e, &options));
    eex_experiment_free(e);
}

static void teardown(void)
{
    eex_lua_close(L);
    test_folder_remove(folder);
}

TestSuite(lua_run, .init = setup, .fini = teardown, .timeout = 300);

/* ---- traces of any length ---- */

static void write_trace(const eex_trace *t, const char *path)
{
    eex_store_file *file;
    OK(eex_store_create(&file, path, "trace", 1));
    OK(eex_trace_save(t, file, "trace"));
    OK(eex_store_commit(&file));
}

/* Zeros pack to next to nothing. Returns what they take in memory. */
static size_t lengthen(const char *name)
{
    char path[TEST_PATH_SIZE];
    eex_store_file *file;
    eex_trace *t, *longer;
    size_t bytes;
    snprintf(path, sizeof path, "%s", test_path(folder, name));
    OK(eex_store_open(&file, path, "trace", 1));
    OK(eex_trace_load(&t, file, "trace"));
    eex_store_close(file);
    OK(eex_trace_new(&longer, SAMPLES, t->exits, t->classes));
    if (t->distance)
        OK(eex_trace_add_distance(longer));
    /* What goes with any trace. */
    OK(test_forge_without(test_path(folder, "run/final.h5"), "made_with"));
    OK(test_forge_without(test_path(folder, "run/policies.h5"), "made_with"));
    write_trace(longer, path);
    OK(eex_store_open(&file, path, "trace", 1));
    OK(eex_trace_size(&bytes, file, "trace"));
    eex_store_close(file);
    cr_expect_geq(bytes, (size_t)SAMPLES * 8 +
                             (size_t)SAMPLES * (size_t)t->exits * (size_t)(4 * t->classes + 16));
    eex_trace_free(t);
    eex_trace_free(longer);
    return bytes;
}

/* ---- scripts ---- */

static int open_run(lua_State *state)
{
    eex_lua_push_run(state, luaL_checkstring(state, 1));
    return 1;
}

static void open_state(const eex_lua_options *options)
{
    eex_lua_options own = *options;
    own.folder = folder;
    eex_lua_close(L);
    OK(eex_lua_open(&L, &own));
    lua_register(L, "open_run", open_run);
    lua_pushstring(L, test_path(folder, "run"));
    lua_setglobal(L, "path");
}

static int run(const char *text)
{
    lua_settop(L, 0);
    if (luaL_loadbuffer(L, text, strlen(text), "@a.lua") != LUA_OK)
        cr_assert(false, "%s", lua_tostring(L, -1));
    return eex_lua_call(L, 0, 1);
}

static void fails(const char *text, const char *part)
{
    cr_expect(run(text) == EEX_ESCRIPT && strstr(eex_error(), part), "%s: \"%s\" has no \"%s\"",
              text, eex_error(), part);
}

static long peak_mib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss >> 10;
}

Test(lua_run, facts_and_replays)
{
    open_state(&(eex_lua_options){.memory = 0});
    OK(run("r = open_run(path) return r.finished and r.trials == 20 and\n"
           "  r:replay{policy = 'confidence', a = 0}.exits[1].utilisation == 1"));
    cr_expect(lua_toboolean(L, -1));
    OK(run("local first = r:replay{policy = 'margin', a = 0.3}\n"
           "for i = 1, 20 do r:replay{policy = 'entropy', a = 0.1 * i} end\n"
           "return r:replay{policy = 'margin', a = 0.3}.accuracy == first.accuracy"));
    cr_expect(lua_toboolean(L, -1));
    cr_expect_not_null(strstr(luaL_tolstring(L, 1, NULL), "true"));
}

Test(lua_run, a_trace_that_does_not_fit_is_not_read)
{
    const size_t bytes = lengthen("run/final-calibration.h5");
    const long peak = peak_mib();
    open_state(&(eex_lua_options){.memory = bytes / 2});
    OK(run("r = open_run(path)"));
    const size_t before = eex__lua_of(L)->used;
    fails("r:replay{policy = 'margin', a = 0.3}", "final-calibration.h5: its trace does not fit");
    fails("for i = 1, 5 do pcall(r.replay, r, {policy = 'margin', a = 0.3}) end\n"
          "r:replay{policy = 'margin', a = 0.3}",
          "--trust lifts the limit");
    cr_expect_lt(eex__lua_of(L)->used, before + (64 << 10));
    cr_expect_lt(peak_mib() - peak, (long)(bytes >> 20) + 8, "it was read");
    open_state(&(eex_lua_options){.memory = bytes / 2, .trust = true});
    OK(run("return open_run(path):replay{policy = 'margin', a = 0.3}"));
}

/* The collector sees a few bytes of each. */
Test(lua_run, traces_pile_up_to_the_limit_and_go_with_their_runs)
{
    const size_t bytes = lengthen("run/final-validation.h5");
    open_state(&(eex_lua_options){.memory = 3 * bytes});
    fails("local kept = {}\n"
          "for i = 1, 100 do\n"
          "  kept[i] = open_run(path)\n"
          "  kept[i]:replay{policy = 'margin', a = 0.3}\n"
          "end",
          "final-validation.h5: its trace does not fit");
    OK(run("for i = 1, 8 do open_run(path):replay{policy = 'margin', a = 0.3} end"));
    lua_settop(L, 0);
    lua_gc(L, LUA_GCCOLLECT);
    cr_expect_lt(eex__lua_of(L)->used, (size_t)4 << 20);
    cr_expect_eq(eex__lua_of(L)->threads, 0);
}

/* As many threads as a device opens with are the script's, too. */
Test(lua_run, threads_of_runs_are_counted)
{
    open_state(&(eex_lua_options){.memory = 0});
    fails("local kept = {}\n"
          "for i = 1, 2000 do\n"
          "  kept[i] = open_run(path)\n"
          "  kept[i]:replay{policy = 'margin', a = 0.3}\n"
          "end",
          "threads: ");
}

/* Policies are objects: what each holds is the script's, and a part of a trace while it is used. */
Test(lua_run, policies_pile_up_to_the_limit)
{
    open_state(&(eex_lua_options){.memory = 4 << 20});
    OK(run("r = open_run(path) p = r:policy{policy = 'margin', a = 0.3}\n"
           "return p:without(1):replay().macs < p:replay().macs or p:cut(1).macs < p.macs"));
    cr_expect(lua_toboolean(L, -1));
    fails("local kept = {} for i = 1, 100000 do kept[i] = p:set(1, {a = 0.4}) end", "4 MiB");
    cr_expect_lt(eex__lua_of(L)->used, (size_t)1 << 20, "what filled the memory is still there");
    OK(run("for i = 1, 3000 do p:set(1, {a = 0.4}) end return p:replay().accuracy"));
    fails("return p:without('end')", "is where it ends");
    fails("return p:cut(0)", "the network has 1 to");
    fails("return r:replay{policy = 'margin', a = 0.3}.exits, p:image(1e9 // 1 | 0)",
          "the split has");
}

/* Whoever finds no room first, an object or Lua itself: what nothing refers to makes room. */
Test(lua_run, policies_go_whatever_the_limit)
{
    for (size_t more = 0; more < 6; more++) {
        open_state(&(eex_lua_options){.memory = (6 << 20) + more * 50000});
        OK(run("r = open_run(path) p = r:policy{policy = 'margin', a = 0.3}"));
        fails("local kept = {} for i = 1, 100000 do kept[i] = p:set(1, {a = 0.4}) end", "6 MiB");
        OK(run("for i = 1, 3000 do p:set(1, {a = 0.4}) end return p:replay().accuracy"));
    }
}

/* Nobody is at the prompt, and nothing was typed there. */
Test(lua_run, a_script_neither_stops_nor_draws)
{
    open_state(&(eex_lua_options){.memory = 0});
    fails("require('eex').repl()", "nobody is at a terminal");
    fails("require('eex').plot({1}, {2}, {file = 'a.svg'})", "may write no picture");
    fails("return open_run(path).nobody.x", "nil value");
    fails("getmetatable(open_run(path)).x = 1", "attempt to index a string value");
}
