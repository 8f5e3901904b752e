/* The prompt of eex repl and of eex.repl(): reads, evaluates, prints, until the input ends. */
#ifndef EEX_CLI_REPL_H
#define EEX_CLI_REPL_H

#include "lua/sandbox.h"

typedef struct eex_repl {
    lua_State *L;
    int names;  /* where what is typed finds its names: a reference in the registry; LUA_NOREF: in
                 * the globals */
    bool trust; /* !command runs commands */
    FILE *out;
} eex_repl;

/* EEX_EINTERRUPTED once SIGTERM or SIGHUP came. What else goes wrong, and Ctrl-C, is told at the
 * prompt, which goes on where a person is at a terminal. What a file or a pipe says ends with the
 * first error, EEX_EFORMAT, and with Ctrl-C, EEX_EINTERRUPTED. */
int eex_repl_loop(eex_repl *repl, const char *prompt);

/* What eex.repl() does at the prompt of `eex repl`, and in other commands while somebody is at a
 * terminal to answer; NULL where nobody is. */
eex_lua_stopper eex_repl_stop;
eex_lua_stopper *eex_repl_stopper(void);

#endif
