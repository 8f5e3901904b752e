/* eex repl: a Lua prompt with the eex library, and an experiment or a run's results at hand. */
#include "cli/commands.h"
#include "cli/repl.h"
#include "cli/script_options.h"
#include "lua/lua_model.h"
#include "lua/lua_run.h"
#include "lua/sandbox.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/status.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what is at hand ---- */

static int push_library(lua_State *L)
{
    static const char *const words[] = {"help", "compare", "plot"};
    eex_lua_push_module(L, "eex");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        lua_getfield(L, -1, words[i]);
        lua_setglobal(L, words[i]);
    }
    eex_lua_push_given(L, "eex");
    lua_setglobal(L, "eex");
    return 0;
}

static int push_run(lua_State *L)
{
    eex_lua_push_run(L, lua_touserdata(L, 1));
    lua_setglobal(L, "run");
    return 0;
}

static int push_model(lua_State *L)
{
    lua_pushnil(L);
    eex_lua_push_model(L, lua_touserdata(L, 1), lua_gettop(L));
    lua_setglobal(L, "model");
    return 0;
}

/* What the prompt was given. */
typedef enum subject { NOTHING, SCRIPT, RUN, MODEL } subject;

static subject subject_of(const char *what)
{
    static const char end[] = ".h5";
    if (!what)
        return NOTHING;
    if (eex_fs_is_folder(what))
        return RUN;
    const size_t length = strlen(what), least = sizeof end - 1;
    return length > least && strcmp(what + length - least, end) == 0 ? MODEL : SCRIPT;
}

/* Raw: a script may have given its globals a metatable. */
static int name_experiment(lua_State *L)
{
    lua_pushglobaltable(L);
    lua_insert(L, 1);
    lua_pushliteral(L, "experiment");
    lua_insert(L, 2);
    lua_rawset(L, 1);
    return 0;
}

static int set_up(lua_State *L, const char *what, subject is)
{
    EEX_TRY(eex_lua_protect(L, push_library, NULL));
    if (is == MODEL)
        EEX_TRY(eex_fs_find(what));
    if (is == RUN || is == MODEL) {
        char *copy = strdup(what);
        int code = copy ? eex_lua_protect(L, is == RUN ? push_run : push_model, copy)
                        : eex_fail(EEX_ENOMEM, "out of memory");
        free(copy);
        return code;
    }
    if (is == SCRIPT) {
        EEX_TRY(eex_lua_run_file(L, what));
        lua_pushcfunction(L, name_experiment);
        lua_insert(L, -2);
        return eex_lua_call(L, 1, 0);
    }
    return EEX_OK;
}

static int repl(const char *what, bool trust)
{
    static const char *const at_hand[] = {
        [NOTHING] = "",
        [SCRIPT] = "; the file returned \"experiment\"",
        [RUN] = "; the run is \"run\", its network run:model()",
        [MODEL] = "; the network is \"model\"",
    };
    const subject is = subject_of(what);
    const eex_lua_options options = {.trust = trust, .print = stdout, .stop = eex_repl_stop};
    lua_State *L = NULL;
    EEX_TRY(is == SCRIPT ? eex_lua_open_for(&L, what, &options) : eex_lua_open(&L, &options));
    int code = set_up(L, what, is);
    if (code == EEX_OK) {
        eex_repl repl = {.L = L, .names = LUA_NOREF, .trust = trust, .out = stdout};
        if (isatty(STDIN_FILENO))
            printf("eex %s, %s%s; help tells more, Ctrl-D leaves\n", EEX_VERSION, LUA_RELEASE,
                   at_hand[is]);
        code = eex_repl_loop(&repl, "eex> ");
    }
    eex_lua_close(L);
    return code;
}

/* ---- the command ---- */

typedef struct arguments {
    bool trust;
} arguments;

static const eex_option options[] = {
    EEX_TRUST(trust, "scripts"),
    {0},
};

static int run(const void *given, const eex_words *words)
{
    const arguments *a = given;
    return repl(words->count ? words->at[0] : NULL, a->trust);
}

const eex_cmd eex_cmd_repl = {
    .name = "repl",
    .brief = "an interactive Lua prompt, with a run's results at hand",
    .synopsis = "[FILE.lua | RUN | MODEL]",
    .summary =
        "A Lua prompt with the eex library. FILE.lua is run first and what it returns is\n"
        "\"experiment\"; of a folder RUN the results are \"run\", the network in a file MODEL\n"
        "(.h5) is \"model\".",
    .details =
        "help, help(x) or x? tells about the library, Tab completes, _ is the last result.\n"
        "!COMMAND runs a command of the shell, with --trust. What a file or a pipe says ends\n"
        "with its first error, with status 1, or with Ctrl-C, with 130. docs/repl.md shows\n"
        "ten things to try with a run, docs/lua-api.md is the reference. What if the exits\n"
        "decided otherwise:\n"
        "  run:replay { policy = \"per_class\", a = 0.25 }\n"
        "  p = run:policy { policy = \"margin\", tune = \"accuracy\", target = 0.86 }\n"
        "  p:without(2):replay()            a gate dropped; p:cut(3): the network cut\n"
        "  compare(run, p)                  both on the validation split\n"
        "What the network itself says about images:\n"
        "  m = run:model()                  of another run or file: eex.open(\"runs/x\")\n"
        "  m:classify(\"cat.jpg\")            m:classify(\"test\", 1): of the data set\n"
        "  m.exits, m.classes, m:macs(1)    m:run(\"test\"): all of them",
    .words = {0, 1},
    .takes = {sizeof(arguments), NULL, options},
    .run = run,
};
