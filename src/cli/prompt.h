/* Reading lines from a person: with history and completion on a terminal, plainly otherwise. */
#ifndef EEX_CLI_PROMPT_H
#define EEX_CLI_PROMPT_H

#include <stddef.h>

/* Fills in up to `room` words that may stand in the place of `word`, with which `line` ends, as
 * strings for free(); returns how many. */
typedef size_t eex_completer(void *context, char **out, size_t room, const char *line,
                             const char *word);

typedef struct eex_prompt_user {
    eex_completer *complete; /* NULL: nobody uses the prompt */
    void *context;
} eex_prompt_user;

/* Returns who used the prompt before, for eex_prompt_end, which writes the history. */
eex_prompt_user eex_prompt_begin(eex_completer *complete, void *context);
void eex_prompt_end(eex_prompt_user before);

typedef enum eex_prompt_result {
    EEX_PROMPT_LINE,      /* *line is the caller's (free) */
    EEX_PROMPT_INTERRUPT, /* Ctrl-C: what was typed is gone */
    EEX_PROMPT_TERMINATE, /* SIGTERM, SIGHUP */
    EEX_PROMPT_END,       /* Ctrl-D, or the end of the input */
    EEX_PROMPT_FAILED     /* the input cannot be read: the message says why */
} eex_prompt_result;

eex_prompt_result eex_prompt_read(char **line, const char *prompt);
void eex_prompt_remember(const char *line);

#endif
