/* Reading lines from a person: with history and completion on a terminal, plainly otherwise. */
#ifndef EEX_CLI_PROMPT_H
#define EEX_CLI_PROMPT_H

#include <stddef.h>

/* Fills in up to `room` completions of the word (its path included: "eex.back") as strings for
 * free(); returns how many. */
typedef size_t eex_completer(void *context, char **out, size_t room, const char *word);

void eex_prompt_begin(eex_completer *complete, void *context);
void eex_prompt_end(void); /* writes the history */

typedef enum eex_prompt_result {
    EEX_PROMPT_LINE,      /* *line is the caller's (free) */
    EEX_PROMPT_INTERRUPT, /* Ctrl-C: what was typed is gone */
    EEX_PROMPT_TERMINATE, /* SIGTERM */
    EEX_PROMPT_END        /* Ctrl-D, or the end of the input */
} eex_prompt_result;

eex_prompt_result eex_prompt_read(char **line, const char *prompt);
void eex_prompt_remember(const char *line);

#endif
