/* What the files of the prompt share. */
#ifndef EEX_CLI_REPL_IMPL_H
#define EEX_CLI_REPL_IMPL_H

#include "cli/prompt.h"
#include "cli/repl.h"

/* Evaluates what was typed and prints what it gives, or what is wrong with it. True: it is not
 * whole, and may go on in the next line. */
bool eex__repl_evaluate(const eex_repl *repl, const char *text);

/* Does what is no Lua: "!command", "x?". False: the text is neither. */
bool eex__repl_command(const eex_repl *repl, const char *text);
bool eex__repl_question(const eex_repl *repl, const char *text);

/* Pushes the table of names, which may be the globals. */
void eex__repl_push_names(const eex_repl *repl);

eex_completer eex__repl_complete; /* the context is the eex_repl */

#endif
