/* eex watch: what a run does, again and again. */
#include "cli/commands.h"
#include "cli/print.h"
#include "cli/print_watch.h"

#include "base/signals.h"
#include "base/status.h"
#include "base/terminal.h"
#include "base/text.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { STEP_MS = 100, PATIENCE = 5 };

typedef struct arguments {
    double every;
    bool once;
} arguments;

static const arguments defaults = {.every = 2};

static const eex_option options[] = {
    EEX_REAL("every", "SECONDS", 0.5, 3600, every, "between two looks (2)"),
    EEX_FLAG("once", once, "look once, as in a pipe"),
    {0},
};

static int once(const char *folder)
{
    eex_buffer text = EEX_BUFFER_INIT;
    bool finished = false;
    const int code = eex_put_watch(&text, &finished, folder, eex__terminal_width(STDOUT_FILENO));
    return eex__print_text(&text, code);
}

/* As many lines as the terminal has: what does not fit would scroll away what is above it. */
static void cut(char *text)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row < 3)
        return;
    for (int rows = size.ws_row - 2; *text; text++)
        if (*text == '\n' && --rows == 0)
            text[1] = '\0';
}

/* From the top left corner, each line to its end, then nothing below. */
static int draw(eex_buffer *text, bool whole)
{
    EEX_TRY(eex_buffer_status(text));
    eex_text_disarm(text->data, "\n");
    if (!whole)
        cut(text->data);
    fputs("\033[H\033[J", stdout);
    fputs(text->data, stdout);
    if (!whole)
        fputs("Ctrl-C leaves this; the run goes on.", stdout);
    return fflush(stdout) == 0 ? EEX_OK : eex_fail(EEX_EIO, "cannot write to the terminal");
}

static void wait_for(double seconds)
{
    for (int left = (int)(1000 * seconds); left > 0 && !eex_interrupted(); left -= STEP_MS)
        poll(NULL, 0, left < STEP_MS ? left : STEP_MS);
}

/* A run replaces its files while they are read: a look that fails is tried again before it counts.
 */
static int watch(const char *folder, double every)
{
    int failed = 0;
    bool finished = false, drawn = false;
    while (!finished && !eex_interrupted()) {
        eex_buffer text = EEX_BUFFER_INIT;
        int code = eex_put_watch(&text, &finished, folder, eex__terminal_width(STDOUT_FILENO));
        failed = code == EEX_OK ? 0 : failed + 1;
        if (code == EEX_OK) {
            code = draw(&text, finished);
            drawn = true;
            failed = code == EEX_OK ? 0 : PATIENCE;
        }
        eex_buffer_free(&text);
        if (code != EEX_OK && (!drawn || failed >= PATIENCE))
            return code;
        if (!finished)
            wait_for(failed ? 0.2 : every);
    }
    if (!finished && drawn)
        putchar('\n');
    return EEX_OK;
}

static int run(const void *given, const eex_words *words)
{
    const arguments *a = given;
    return a->once || !eex__terminal_is(STDOUT_FILENO) ? once(words->at[0])
                                                       : watch(words->at[0], a->every);
}

const eex_cmd eex_cmd_watch = {
    .name = "watch",
    .brief = "watch a run at work",
    .synopsis = "RUN [--every SECONDS]",
    .summary = "Shows what the run in folder RUN does: its phase, how far it is, accuracy by\n"
               "epoch, the trials and the front so far; again and again, until it is finished.",
    .details = "It only reads, and disturbs nothing. Ctrl-C leaves it. In a pipe it prints once.\n"
               "While the run trains, curves go to the last checkpoint.",
    .words = {1, 1},
    .takes = {sizeof(arguments), &defaults, options},
    .run = run,
};
