/* eex repl: a Lua prompt with the eex library, and an experiment or a run's results at hand. */
#include "cli/commands.h"
#include "cli/prompt.h"
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

/* ---- evaluation ---- */

typedef struct evaluation {
    const char *text;
    bool incomplete; /* the text may go on in the next line */
} evaluation;

static int add_traceback(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TSTRING)
        luaL_tolstring(L, 1, NULL);
    luaL_traceback(L, L, lua_tostring(L, -1), 1);
    return 1;
}

/* Leaves the compiled text or an error message; an expression returns its value. */
static int compile(lua_State *L, evaluation *e)
{
    static const char end[] = "<eof>";
    lua_pushfstring(L, "return %s", e->text);
    size_t length;
    const char *expression = lua_tolstring(L, -1, &length);
    if (luaL_loadbufferx(L, expression, length, "=stdin", "t") == LUA_OK) {
        lua_remove(L, -2);
        return LUA_OK;
    }
    lua_pop(L, 2);
    int status = luaL_loadbufferx(L, e->text, strlen(e->text), "=stdin", "t");
    if (status == LUA_OK)
        return LUA_OK;
    const char *message = lua_tolstring(L, -1, &length);
    e->incomplete = message && length >= sizeof end - 1 &&
                    strcmp(message + length - (sizeof end - 1), end) == 0;
    return status;
}

static void show_results(lua_State *L, int first)
{
    int last = lua_gettop(L);
    for (int i = first; i <= last; i++) {
        lua_getglobal(L, "require");
        lua_pushliteral(L, "eex.inspect");
        lua_call(L, 1, 1);
        lua_pushvalue(L, i);
        lua_call(L, 1, 1);
        printf("%s%s", i > first ? "\t" : "", lua_tostring(L, -1));
    }
    if (last >= first)
        printf("\n");
}

/* Protected by its caller; errors of the text are printed with where they come from. */
static int evaluate(lua_State *L)
{
    evaluation *e = lua_touserdata(L, 1);
    lua_pushcfunction(L, add_traceback);
    int handler = lua_gettop(L);
    int status = compile(L, e);
    if (e->incomplete)
        return 0;
    if (status == LUA_OK)
        status = lua_pcall(L, 0, LUA_MULTRET, handler);
    if (status == LUA_OK) {
        show_results(L, handler + 1);
        return 0;
    }
    eex_log_error("%s", eex_interrupted() ? "interrupted" : lua_tostring(L, -1));
    /* Buffers that it was in the middle of end with their finalizers, which no collection calls
     * that a full memory asks for: the next line would not fit. */
    lua_settop(L, 1);
    lua_gc(L, LUA_GCCOLLECT, 0);
    return 0;
}

/* ---- completion ---- */

typedef struct completion {
    const char *word;
    char **out;
    size_t room, count;
} completion;

/* Leaves the table that holds the last part of "a.b.c" and returns that part; NULL: there is none.
 */
static const char *open_path(lua_State *L, const char *word)
{
    lua_pushglobaltable(L);
    for (const char *dot = strpbrk(word, ".:"); dot; dot = strpbrk(word, ".:")) {
        lua_pushlstring(L, word, (size_t)(dot - word));
        lua_rawget(L, -2);
        if (!lua_istable(L, -1))
            return NULL;
        word = dot + 1;
    }
    return word;
}

static int collect(lua_State *L)
{
    completion *c = lua_touserdata(L, 1);
    const char *last = open_path(L, c->word);
    if (!last)
        return 0;
    for (lua_pushnil(L); lua_next(L, -2) && c->count < c->room; lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            continue;
        const char *key = lua_tostring(L, -2);
        size_t before = (size_t)(last - c->word);
        if (strncmp(key, last, strlen(last)) != 0)
            continue;
        char *match = malloc(before + strlen(key) + 1);
        if (!match)
            break;
        memcpy(match, c->word, before);
        strcpy(match + before, key);
        c->out[c->count++] = match;
    }
    return 0;
}

static size_t complete(void *context, char **out, size_t room, const char *word)
{
    completion c = {word, out, room, 0};
    eex_lua_protect(context, collect, &c);
    return c.count;
}

/* ---- the loop ---- */

/* Adds a line to what is there and evaluates it when it is whole. */
static int take_line(lua_State *L, eex_buffer *text, const char *line)
{
    eex_prompt_remember(line);
    if (text->size)
        eex_buffer_putc(text, '\n');
    eex_buffer_puts(text, line);
    EEX_TRY(eex_buffer_status(text));
    evaluation e = {eex_buffer_text(text), false};
    const bool before = eex_lua_typed(L, true);
    int code = eex_lua_protect(L, evaluate, &e);
    eex_lua_typed(L, before);
    if (code < 0)
        eex_log_error("%s", eex_error());
    if (!eex_terminated()) /* which is for the prompt, too */
        eex_signals_clear();
    fflush(stdout);
    if (!e.incomplete)
        eex_buffer_clear(text);
    return EEX_OK;
}

static int loop(lua_State *L)
{
    eex_buffer text = EEX_BUFFER_INIT;
    char *line = NULL;
    int code = EEX_OK;
    for (;;) {
        eex_prompt_result result = eex_prompt_read(&line, text.size ? "...> " : "eex> ");
        if (result == EEX_PROMPT_END)
            break;
        if (result == EEX_PROMPT_TERMINATE) {
            code = eex_fail(EEX_EINTERRUPTED, "terminated");
            break;
        }
        if (result == EEX_PROMPT_INTERRUPT)
            eex_buffer_clear(&text);
        else
            code = take_line(L, &text, line);
        free(line);
        if (code < 0)
            break;
    }
    if (text.size && code == EEX_OK)
        eex_log_error("the input ends within a statement");
    eex_buffer_free(&text);
    return code;
}

/* ---- what is at hand ---- */

static int push_library(lua_State *L)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "eex");
    lua_call(L, 1, 1);
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

static int set_up(lua_State *L, const char *what, subject is)
{
    EEX_TRY(eex_lua_protect(L, push_library, NULL));
    if (is == MODEL && !eex_fs_exists(what))
        return eex_fail(EEX_ENOTFOUND, "there is no file \"%s\"", what);
    if (is == RUN || is == MODEL) {
        char *copy = strdup(what);
        int code = copy ? eex_lua_protect(L, is == RUN ? push_run : push_model, copy)
                        : eex_fail(EEX_ENOMEM, "out of memory");
        free(copy);
        return code;
    }
    if (is == SCRIPT) {
        EEX_TRY(eex_lua_run_file(L, what));
        lua_setglobal(L, "experiment");
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
    const eex_lua_options options = {.trust = trust, .print = stdout};
    lua_State *L = NULL;
    EEX_TRY(is == SCRIPT ? eex_lua_open_for(&L, what, &options) : eex_lua_open(&L, &options));
    int code = set_up(L, what, is);
    if (code == EEX_OK) {
        if (isatty(STDIN_FILENO))
            printf("eex %s, %s%s; Ctrl-D leaves\n", EEX_VERSION, LUA_RELEASE, at_hand[is]);
        eex_prompt_begin(complete, L);
        code = loop(L);
        eex_prompt_end();
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
    .details = "With a run, what if the exits decided otherwise:\n"
               "  run:replay { policy = \"per_class\", a = 0.25 }\n"
               "  run:replay { policy = \"margin\", tune = \"accuracy\", target = 0.86 }\n"
               "What the network itself says about images:\n"
               "  m = run:model()                  of another run or file: eex.open(\"runs/x\")\n"
               "  m:classify(\"cat.jpg\")            m:classify(\"test\", 1): of the data set\n"
               "  m.exits, m.classes, m:macs(1)    m:run(\"test\"): all of them",
    .words = {0, 1},
    .takes = {sizeof(arguments), NULL, options},
    .run = run,
};
