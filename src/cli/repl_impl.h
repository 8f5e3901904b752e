/* What the files of the prompt share. */
#ifndef EEX_CLI_REPL_IMPL_H
#define EEX_CLI_REPL_IMPL_H

#include "cli/prompt.h"
#include "cli/repl.h"

/* What a text was; failures as eex_repl_loop has them. */
typedef enum eex__repl_result {
    EEX_REPL_DONE,
    EEX_REPL_INCOMPLETE, /* it may go on in the next line */
    EEX_REPL_OTHER       /* nothing for this function */
} eex__repl_result;

/* Texts of somebody else's script, which do not reach into the terminal. */
void eex__repl_put(lua_State *L, FILE *out, const char *text);

/* eex_lua_protect for what the prompt does by itself, also where it was opened by what somebody
 * typed. */
int eex__repl_protect(const eex_repl *repl, lua_CFunction f, void *data);

/* Evaluates what was typed and prints what it gives, or what is wrong with it. */
int eex__repl_evaluate(const eex_repl *repl, const char *text);

/* Does what is no Lua: "!command", "x?". */
int eex__repl_command(const eex_repl *repl, const char *text);
int eex__repl_question(const eex_repl *repl, const char *text);

/* What to do about an error: it is told to who is at a terminal (EEX_OK), and else ends all. */
int eex__repl_wrong(const char *message);

/* Pushes the table of names, which may be the globals. */
void eex__repl_push_names(const eex_repl *repl);

eex_completer eex__repl_complete; /* the context is the eex_repl */

#endif
