/* What is typed at the prompt: Lua, "!command" and "x?". */
#include "cli/repl_impl.h"

#include "base/log.h"
#include "base/signals.h"
#include "base/status.h"

#include <errno.h>
#include <lauxlib.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

extern char **environ;

typedef struct evaluation {
    const eex_repl *repl;
    const char *text;
    bool incomplete; /* the text may go on in the next line */
    bool compiles;
    int code; /* what came of it */
} evaluation;

void eex__repl_push_names(const eex_repl *repl)
{
    if (repl->names == LUA_NOREF)
        lua_pushglobaltable(repl->L);
    else
        lua_rawgeti(repl->L, LUA_REGISTRYINDEX, repl->names);
}

/* ---- Lua ---- */

static int tell(lua_State *L)
{
    luaL_tolstring(L, 1, NULL);
    return 1;
}

/* The error as text. How it tells itself was not typed, but what comes after it may be: `load`
 * returns what went wrong in it. */
static void push_told(lua_State *L)
{
    const bool before = eex_lua_typed(L, false);
    lua_pushcfunction(L, tell);
    lua_pushvalue(L, 1);
    const int status = lua_pcall(L, 1, 1, 0);
    eex_lua_typed(L, before);
    if (status != LUA_OK)
        lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
}

static int add_traceback(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TSTRING)
        push_told(L);
    luaL_traceback(L, L, lua_tostring(L, -1), 1);
    return 1;
}

static int load_text(lua_State *L, const char *text)
{
    return luaL_loadbufferx(L, text, strlen(text), "=stdin", "t");
}

/* Leaves the compiled text or an error message; an expression returns its value. */
static int compile(lua_State *L, evaluation *e)
{
    static const char end[] = "<eof>";
    size_t length;
    lua_pushfstring(L, "return %s", e->text);
    if (load_text(L, lua_tostring(L, -1)) == LUA_OK) {
        lua_remove(L, -2);
        return LUA_OK;
    }
    lua_pop(L, 2);
    int status = load_text(L, e->text);
    if (status == LUA_OK)
        return LUA_OK;
    const char *message = lua_tolstring(L, -1, &length);
    e->incomplete = message && length >= sizeof end - 1 &&
                    strcmp(message + length - (sizeof end - 1), end) == 0;
    return status;
}

static void show_results(lua_State *L, int first, FILE *out)
{
    int last = lua_gettop(L);
    for (int i = first; i <= last; i++) {
        eex_lua_push_module(L, "eex.inspect");
        lua_pushvalue(L, i);
        lua_call(L, 1, 1);
        if (i > first)
            fputc('\t', out);
        eex__repl_put(L, out, luaL_tolstring(L, -1, NULL));
        lua_pop(L, 1);
    }
    if (last >= first)
        fprintf(out, "\n");
}

/* The first result is "_" from now on, unless it is nothing. */
static void keep_result(lua_State *L, int first)
{
    if (lua_gettop(L) < first || lua_isnil(L, first))
        return;
    lua_pushglobaltable(L);
    lua_pushliteral(L, "_");
    lua_pushvalue(L, first);
    lua_rawset(L, -3);
    lua_pop(L, 1);
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
    if (status == LUA_OK) {
        eex__repl_push_names(e->repl);
        if (!lua_setupvalue(L, -2, 1)) /* _ENV */
            lua_pop(L, 1);
        eex_lua_typed(L, true);
        status = lua_pcall(L, 0, LUA_MULTRET, handler);
        eex_lua_typed(L, false);
    }
    if (status == LUA_OK) {
        keep_result(L, handler + 1);
        show_results(L, handler + 1, e->repl->out);
        return 0;
    }
    /* Buffers that it was in the middle of end with their finalizers, which no collection calls
     * that a full memory asks for: the next line would not fit. */
    const bool interrupted = eex_interrupted();
    lua_replace(L, 2);
    lua_settop(L, 2);
    lua_gc(L, LUA_GCCOLLECT, 0);
    e->code = eex__repl_wrong(interrupted ? "interrupted" : lua_tostring(L, 2));
    return 0;
}

static int protect(const eex_repl *repl, lua_CFunction f, evaluation *e)
{
    const int code = eex__repl_protect(repl, f, e);
    return code < 0 ? eex__repl_wrong(eex_error()) : e->code;
}

int eex__repl_evaluate(const eex_repl *repl, const char *text)
{
    evaluation e = {.repl = repl, .text = text};
    EEX_TRY(protect(repl, evaluate, &e));
    return e.incomplete ? EEX_REPL_INCOMPLETE : EEX_REPL_DONE;
}

/* ---- x?, or ? alone ---- */

static int try_compile(lua_State *L)
{
    evaluation *e = lua_touserdata(L, 1);
    e->compiles = compile(L, e) == LUA_OK;
    return 0;
}

static int answer(lua_State *L)
{
    const evaluation *e = lua_touserdata(L, 1);
    eex_lua_push_module(L, "eex.help");
    lua_getfield(L, -1, "question");
    lua_pushlstring(L, e->text, strlen(e->text) - 1);
    eex__repl_push_names(e->repl);
    lua_call(L, 2, 1);
    eex__repl_put(L, e->repl->out, luaL_tolstring(L, -1, NULL));
    fputc('\n', e->repl->out);
    return 0;
}

/* A comment may end so too, and then it is Lua. */
static int ask(evaluation *e)
{
    EEX_TRY(protect(e->repl, try_compile, e));
    if (e->compiles || e->incomplete)
        return EEX_REPL_OTHER;
    EEX_TRY(protect(e->repl, answer, e));
    return EEX_REPL_DONE;
}

int eex__repl_question(const eex_repl *repl, const char *text)
{
    evaluation e = {.repl = repl};
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t", text[length - 1]))
        length--;
    if (length < 1 || text[length - 1] != '?')
        return EEX_REPL_OTHER;
    char *question = strndup(text, length);
    if (!question)
        return eex__repl_wrong("out of memory");
    e.text = question;
    const int code = ask(&e);
    free(question);
    return code;
}

/* ---- !command ---- */

/* Ctrl-C is the command's, which begins with the usual answer to it. */
static int run_command(char *text)
{
    char shell[] = "sh", option[] = "-c";
    char *arguments[] = {shell, option, text, NULL};
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    posix_spawnattr_t usual;
    sigset_t restored;
    pid_t child;
    int status = 0;
    posix_spawnattr_init(&usual);
    sigemptyset(&restored);
    sigaddset(&restored, SIGINT);
    posix_spawnattr_setsigdefault(&usual, &restored);
    posix_spawnattr_setflags(&usual, POSIX_SPAWN_SETSIGDEF);
    sigaction(SIGINT, &ignore, &before);
    const int error = posix_spawnp(&child, shell, NULL, &usual, arguments, environ);
    while (!error && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    sigaction(SIGINT, &before, NULL);
    posix_spawnattr_destroy(&usual);
    if (error)
        return eex_fail(EEX_EIO, "cannot run sh: %s", strerror(error));
    if (WIFSIGNALED(status))
        return eex_fail(EEX_EIO, "!%s: ended by signal %d", text, WTERMSIG(status));
    return status ? eex_fail(EEX_EIO, "!%s: exit status %d", text, WEXITSTATUS(status)) : EEX_OK;
}

int eex__repl_command(const eex_repl *repl, const char *text)
{
    text += strspn(text, " \t");
    if (*text != '!')
        return EEX_REPL_OTHER;
    text += 1 + strspn(text + 1, " \t");
    char *command = strdup(text);
    int code = EEX_OK;
    fflush(repl->out);
    if (!command)
        code = eex_fail(EEX_ENOMEM, "out of memory");
    else if (!repl->trust)
        code = eex_fail(EEX_ESCRIPT,
                        "!%s: commands of the shell are for prompts that were started "
                        "with --trust",
                        text);
    else if (*text)
        code = run_command(command);
    free(command);
    return code < 0 ? eex__repl_wrong(eex_error()) : EEX_REPL_DONE;
}
