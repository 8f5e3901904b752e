/* Ctrl-C and SIGTERM as a flag that long work polls, so that state is saved before leaving. */
#ifndef EEX_BASE_SIGNALS_H
#define EEX_BASE_SIGNALS_H

#include <stdbool.h>

/* The first SIGINT or SIGTERM sets the flag. A second one of either kind ends the process at once
 * by the default handler (130 or 143 to a shell); one that follows within 0.2 s is the same
 * keystroke arriving twice and is ignored. Interrupted system calls are restarted. SIGXFSZ is
 * ignored. */
int eex_signals_install(void);

/* Between true and false nothing would be lost if the process ended: a signal that is not answered
 * within half a second, wherever the process hangs, then ends it with status 130. Calls nest. Uses
 * SIGALRM. */
void eex_signals_expendable(bool expendable);

/* True once a signal came. Work that sees it saves and returns eex_fail(EEX_EINTERRUPTED, ...). */
bool eex_interrupted(void);

/* True once SIGTERM came: work that may go on after Ctrl-C, as the prompt of the REPL does, ends.
 */
bool eex_terminated(void);

/* Forgets a signal that came: for tests and the prompt of the REPL. */
void eex_signals_clear(void);

#endif
