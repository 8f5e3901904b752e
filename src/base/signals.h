/* Ctrl-C, SIGTERM and SIGHUP as a flag that long work polls, so that state is saved before leaving.
 */
#ifndef EEX_BASE_SIGNALS_H
#define EEX_BASE_SIGNALS_H

#include <stdbool.h>
#include <sys/types.h>

/* The first SIGINT, SIGTERM or SIGHUP sets the flag. A second one of the first two ends the process
 * at once by the default handler (130 or 143 to a shell); one that follows within 0.2 s is the same
 * keystroke arriving twice and is ignored, as any further SIGHUP is, of which a terminal that
 * closes sends several. Where SIGHUP is ignored, as under nohup, it stays so. SIGQUIT is left as it
 * is: it ends the process with a core, for who looks for a fault. Interrupted system calls are
 * restarted. SIGXFSZ is ignored. */
int eex_signals_install(void);

/* Between true and false nothing would be lost if the process ended: a signal that is not answered
 * within half a second, wherever the process hangs, then ends it with eex_signals_status. Calls
 * nest. Uses SIGALRM. */
void eex_signals_expendable(bool expendable);

/* True once a signal came. Work that sees it saves and returns eex_fail(EEX_EINTERRUPTED, ...). */
bool eex_interrupted(void);

/* fork, for who becomes another program: a signal that came to the child before that would only set
 * this program's flag there, and nobody would hear of it, so it has its default action. */
pid_t eex_signals_fork(void);

/* What the process ends with whose work returned EEX_EINTERRUPTED: 129 after SIGHUP, else 130. */
int eex_signals_status(void);

/* One came to another handler than this one: for the status alone. Safe in handlers. */
void eex_signals_note(int number);

/* True once SIGTERM or SIGHUP came: work that may go on after Ctrl-C, as the prompt of the REPL
 * does, ends. */
bool eex_terminated(void);

/* Forgets a signal that came: for tests and the prompt of the REPL. */
void eex_signals_clear(void);

#endif
