/* Lua states in which scripts of other people run.
 *
 * Without trust a script has the language, the pure parts of the standard library, the eex library
 * and read access to the files of its own folder, and nothing else:
 *  - no os.execute and friends, no io.popen, no package table, no C loaders, no debug library but
 *    traceback, no bytecode in either direction;
 *  - io.open and io.lines read regular files whose real path, links resolved, lies in the script's
 *    folder or in the eex library; `require` finds eex modules in the library and others in the
 *    script's folder, likewise, and gives of the library's what `eex` has, and eex.core;
 *  - what a script makes of its globals, of the standard library and of the modules that it was
 *    given reaches nobody else: the library has globals of its own, and the methods of texts are
 *    the standard ones, beside what is added to `string`;
 *  - a limit on memory, a quarter of it for a single value, and limits for what it opens (models,
 *    their memory and threads, graphs): see lua_model.h and lua_graph.h;
 *  - Ctrl-C ends it wherever it is, also under pcall, xpcall and in coroutines. A hook sees
 *    instructions and calls. C functions that could run long by themselves (patterns, string.rep,
 *    load, what walks over a table) are versions of our own that look for the interrupt; the rest
 *    is bounded by the size of a value, and formats (string.format, string.pack, os.date) are at
 *    most 64 KiB long. What remains, such as a collection of a full state, is bounded by the
 *    memory; while a script is only being read (`expendable`), the process ends half a second
 *    after a signal even then.
 *
 * The state's panic handler is never reached as long as everything goes through eex_lua_call or
 * eex_lua_protect. */
#ifndef EEX_LUA_SANDBOX_H
#define EEX_LUA_SANDBOX_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What eex.repl() does: a prompt, until the person goes on. The names at hand are the environment
 * of what is typed, at index `names`; `where` is "FILE:LINE", `locals` lists the locals. Negative:
 * the script ends with this thread's message. Never raises. */
typedef int eex_lua_stopper(lua_State *L, int names, const char *where, const char *locals);

typedef struct eex_lua_options {
    const char *folder; /* of the script; NULL: the current one */
    bool trust;         /* the whole standard library, and files anywhere */
    size_t memory;      /* bytes a script may use; 0: 1 GiB */
    /* Nothing would be lost with the process as long as the state is open: see
     * eex_signals_expendable. */
    bool expendable;
    eex_lua_stopper *stop; /* NULL: nobody is there, and eex.repl() is an error */
    FILE *print; /* where print and io.write go; NULL: stderr, because results go to stdout */
} eex_lua_options;

/* A state with the standard library as above and `require "eex"` ready. EEX_ENOTFOUND names the
 * places where the Lua library was looked for. */
int eex_lua_open(lua_State **out, const eex_lua_options *options);
void eex_lua_close(lua_State *L); /* accepts NULL */

/* The same for a script at `path`: its folder is the one that it may read. options->folder is
 * ignored. */
int eex_lua_open_for(lua_State **out, const char *path, const eex_lua_options *options);

/* Runs the file and leaves the one value that it returns on the stack. EEX_ESCRIPT with file and
 * line; EEX_ENOTFOUND, EEX_EIO; EEX_EINTERRUPTED. */
int eex_lua_run_file(lua_State *L, const char *path);

/* The same for a script's text; messages call it `name`. */
int eex_lua_run_text(lua_State *L, const char *text, const char *name);

/* Calls a function with its arguments on the stack, like lua_pcall, which it replaces. On failure
 * nothing is left on the stack and the message is this thread's. */
int eex_lua_call(lua_State *L, int arguments, int results);

/* The message of `code` with the script's path in front of it, where it does not begin with it:
 * what a script's function says has file and line already. Returns the code. */
int eex_lua_fail_in(int code, const char *path);

bool eex_lua_trusts(lua_State *L);
FILE *eex_lua_out(lua_State *L); /* where print goes */

/* Says whether what runs now is what a person typed at a prompt, who may write pictures below the
 * script's folder; showing what comes of it is not. Returns what was so before. */
bool eex_lua_typed(lua_State *L, bool typed);

/* Pushes a module of the library for the library's own use, whatever a script has made of its
 * globals and of what it was given. Raises. */
void eex_lua_push_module(lua_State *L, const char *name);
/* The same as `require` gives it to scripts, which may change it. */
void eex_lua_push_given(lua_State *L, const char *name);

/* Calls f(L) protected, with `data` as a light userdata at index 1 and no results. */
int eex_lua_protect(lua_State *L, lua_CFunction f, void *data);

/* The folder with the Lua library, which holds eex/init.lua: $EEX_LUA_DIR, else beside the program:
 * ../share/eex/lua, or lua in a folder above it (a build tree), or in the source tree of the build
 * that the program lies in. *out belongs to the caller. */
int eex_lua_library(char **out);

#endif
