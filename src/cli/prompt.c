#include "cli/prompt.h"

#include "base/fs.h"
#include "base/signals.h"
#include "base/status.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#if EEX_HAVE_EDIT
#include <editline/readline.h>
#endif

enum { HISTORY = 1000, COMPLETIONS = 256 };

static eex_prompt_user user;

static eex_prompt_user change_user(eex_prompt_user other)
{
    const eex_prompt_user before = user;
    user = other;
    return before;
}

static volatile sig_atomic_t interrupted, terminated; /* by which signal */

/* While a line is typed, Ctrl-C is no reason to leave: reading ends with EINTR instead. */
static void on_signal(int number)
{
    if (number != SIGINT) {
        terminated = number;
        eex_signals_note(number);
    }
    interrupted = 1;
}

typedef struct handlers {
    struct sigaction interrupt, terminate, hang_up;
} handlers;

static void catch_signals(handlers *before)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    interrupted = 0;
    sigaction(SIGINT, &action, &before->interrupt);
    sigaction(SIGTERM, &action, &before->terminate);
    sigaction(SIGHUP, NULL, &before->hang_up);
    if (before->hang_up.sa_handler != SIG_IGN) /* as under nohup */
        sigaction(SIGHUP, &action, NULL);
}

static void restore_signals(const handlers *before)
{
    sigaction(SIGINT, &before->interrupt, NULL);
    sigaction(SIGTERM, &before->terminate, NULL);
    sigaction(SIGHUP, &before->hang_up, NULL);
}

/* ---- without a terminal ---- */

static int reason; /* why no line could be read; 0: there is none */

static char *read_plain(void)
{
    char *line = NULL;
    size_t room = 0;
    errno = 0;
    ssize_t length = getline(&line, &room, stdin);
    if (length < 0) {
        free(line);
        reason = feof(stdin) ? 0 : errno;
        clearerr(stdin);
        return NULL;
    }
    if (length > 0 && line[length - 1] == '\n')
        line[length - 1] = '\0';
    return line;
}

#if EEX_HAVE_EDIT

/* ---- with one ---- */

static char *matches[COMPLETIONS];
static size_t match_count, match_next;
static char *line_before; /* up to the cursor */

static char *next_match(const char *word, int state)
{
    if (state == 0) {
        match_next = 0;
        match_count = user.complete(user.context, matches, COMPLETIONS, line_before, word);
    }
    return match_next < match_count ? matches[match_next++] : NULL;
}

static char **complete(const char *word, int from, int to)
{
    rl_attempted_completion_over = 1; /* never names of files */
    line_before = strndup(rl_line_buffer, (size_t)to);
    char **found = user.complete && line_before ? rl_completion_matches(word, next_match) : NULL;
    free(line_before);
    line_before = NULL;
    return found;
}

/* ~/.local/state/eex/history, or nothing when there is no home. */
static char *history_path(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char folder[4096];
    char *path = NULL;
    if (state && *state)
        snprintf(folder, sizeof folder, "%s/eex", state);
    else if (home && *home)
        snprintf(folder, sizeof folder, "%s/.local/state/eex", home);
    else
        return NULL;
    if (eex_fs_make_folder(folder) < 0 || eex_path_join(&path, folder, "history") < 0)
        return NULL;
    return path;
}

/* What a Ctrl-D behind other keys becomes that were typed while nobody read them. By itself the
 * library puts the next key into the line as it is, because the keys that a terminal has not count
 * as this one. */
static int bind_nul(void)
{
    static char command[] = "bind ^@ em-set-mark";
    return rl_parse_and_bind(command);
}

eex_prompt_user eex_prompt_begin(eex_completer *complete_word, void *context)
{
    static char breaks[] = " \t\n\"'`@$><=;|&{}(),+-*/^%#~[]";
    const eex_prompt_user before = change_user((eex_prompt_user){complete_word, context});
    if (before.complete || !isatty(STDIN_FILENO))
        return before;
    char *path = history_path();
    rl_readline_name = "eex";
    rl_attempted_completion_function = complete;
    rl_completer_word_break_characters = breaks;
    rl_completion_append_character = '\0';
    rl_pre_input_hook = bind_nul;
    using_history();
    stifle_history(HISTORY);
    if (path && eex_fs_is_file(path))
        read_history(path);
    free(path);
    return before;
}

void eex_prompt_end(eex_prompt_user before)
{
    (void)change_user(before);
    char *path = isatty(STDIN_FILENO) ? history_path() : NULL, *part = NULL;
    if (path && eex_fs_part_make(&part, path) == EEX_OK) {
        if (write_history(part) == 0)
            (void)eex_fs_commit(part, path); /* a history is no reason to end with an error */
        else
            unlink(part);
    }
    free(part);
    free(path);
}

void eex_prompt_remember(const char *line)
{
    if (isatty(STDIN_FILENO) && *line)
        add_history(line);
}

/* Whether Ctrl-D was typed before the prompt was there: then the terminal has kept it as an end of
 * its input, which counts no bytes and would be lost when keys are read one by one. Takes it. */
static bool take_typed_end(void)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    int bytes = 0;
    char none;
    if (poll(&in, 1, 0) != 1 || ioctl(STDIN_FILENO, FIONREAD, &bytes) != 0 || bytes > 0)
        return false;
    const ssize_t got = read(STDIN_FILENO, &none, 1);
    return got == 0 || (got == 1 && none == '\0');
}

static char *read_keys(const char *prompt)
{
    if (!take_typed_end())
        return readline(prompt);
    fputs(prompt, stdout);
    return NULL;
}

static char *read_line(const char *prompt)
{
    return isatty(STDIN_FILENO) ? read_keys(prompt) : read_plain();
}

#else

eex_prompt_user eex_prompt_begin(eex_completer *complete_word, void *context)
{
    return change_user((eex_prompt_user){complete_word, context});
}

void eex_prompt_end(eex_prompt_user before)
{
    (void)change_user(before);
}

void eex_prompt_remember(const char *line)
{
}

static char *read_line(const char *prompt)
{
    if (isatty(STDIN_FILENO)) {
        fputs(prompt, stdout);
        fflush(stdout);
    }
    return read_plain();
}

#endif

/* What there is instead of a line. */
static eex_prompt_result no_line(void)
{
    if (reason == 0)
        return EEX_PROMPT_END;
    eex_fail(EEX_EIO, "cannot read the standard input: %s",
             eex_fs_has_input() ? strerror(reason) : "it is closed");
    return EEX_PROMPT_FAILED;
}

eex_prompt_result eex_prompt_read(char **line, const char *prompt)
{
    handlers before;
    *line = NULL;
    reason = 0;
    catch_signals(&before);
    if (eex_terminated())
        terminated = SIGTERM;
    else
        *line = read_line(prompt);
    restore_signals(&before);
    const bool typed = isatty(STDIN_FILENO);
    if (typed)
        eex_signals_clear();
    if (!interrupted && !terminated) {
        if (!*line && typed && isatty(STDOUT_FILENO))
            fputc('\n', stdout); /* what comes next begins a line */
        return *line ? EEX_PROMPT_LINE : no_line();
    }
    free(*line);
    *line = NULL;
    if (typed)
        fputc('\n', stdout);
    else if (!eex_interrupted()) /* nobody goes on after it: it is for all that asks */
        raise(terminated ? terminated : SIGINT);
    return terminated ? EEX_PROMPT_TERMINATE : EEX_PROMPT_INTERRUPT;
}
