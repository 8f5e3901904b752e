/* Words of a shell: for scripts that a cluster runs, and for commands that messages name and people
 * copy. */
#ifndef EEX_BASE_SHELL_H
#define EEX_BASE_SHELL_H

#include "base/buffer.h"

/* Appends `text` in single quotes, whatever is in it. */
void eex_shell_quote(eex_buffer *out, const char *text);

/* Appends it bare where a shell leaves it alone, else in single quotes. */
void eex_shell_word(eex_buffer *out, const char *text);

/* That word for a line of printf: `text` itself where it may stand bare, or is too long for
 * `word`; else `word`. */
enum { EEX_SHELL_WORD = 1024 };
const char *eex_shell_text(char word[EEX_SHELL_WORD], const char *text);

#endif
