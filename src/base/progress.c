#include "base/progress.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/terminal.h"
#include "base/text.h"
#include "base/utf8.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LEVELS = 2, TITLE_SIZE = 64, UNIT_SIZE = 24, NOTE_SIZE = 96, LINE_SIZE = 1024 };

static const double redraw_every = 0.1, line_every = 10.0, worth_mentioning = 2.0;

typedef struct level {
    char title[TITLE_SIZE], unit[UNIT_SIZE], note[NOTE_SIZE];
    uint64_t done, total;
    uint64_t before; /* done before this began: not part of the rate */
    double began;
    bool ended;
} level;

/* One stack and one line on one terminal, so one state for the process; `lock` guards it and every
 * write to stderr. It is not recursive: eex__progress_hide keeps it until eex__progress_show. */
static struct {
    pthread_mutex_t lock;
    level levels[LEVELS];
    int depth;      /* open levels, also those that are too deep to show */
    bool drawn;     /* the line is on the terminal now */
    double printed; /* when the line was last drawn or printed */
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

static level *innermost(void)
{
    return state.depth > 0 && state.depth <= LEVELS ? &state.levels[state.depth - 1] : NULL;
}

static bool silenced(void)
{
    return eex_log_get_level() < EEX_LOG_INFO;
}

/* Cuts text to some columns without cutting a character. */
static void cut(char *text, size_t columns)
{
    const char *at = text;
    while (*at) {
        const char *next = at;
        const size_t width = (size_t)eex__utf8_columns(eex__utf8_next(&next));
        if (width > columns)
            break;
        columns -= width;
        at = next;
    }
    text[at - text] = '\0';
}

/* "37/100 images, 1.63 k images/s, 0:39 left, loss 1.20" */
static void describe(char *out, size_t size, const level *l)
{
    char a[EEX_TEXT_SIZE], b[EEX_TEXT_SIZE], rate_text[80] = "", left[80] = "";
    const double seconds = eex_clock_seconds() - l->began;
    const double rate = seconds > 0.0 ? (double)(l->done - l->before) / seconds : 0.0;
    if (*l->unit && rate > 0.0)
        snprintf(rate_text, sizeof rate_text, ", %s/s", eex_text_number(a, rate, l->unit));
    if (rate > 0.0 && l->total > l->done && !l->ended)
        snprintf(left, sizeof left, ", %s left",
                 eex_text_duration(a, (double)(l->total - l->done) / rate));
    else if (seconds >= worth_mentioning)
        snprintf(left, sizeof left, ", %s", eex_text_duration(a, seconds));
    char count[2 * EEX_TEXT_SIZE];
    eex_text_number(a, (double)l->done, NULL);
    if (l->total > 0)
        snprintf(count, sizeof count, "%s/%s", a, eex_text_number(b, (double)l->total, NULL));
    else
        snprintf(count, sizeof count, "%s", a);
    snprintf(out, size, "%s%s%s%s%s", count, rate_text, left, *l->note ? ", " : "", l->note);
}

static double fraction(const level *l)
{
    if (l->total == 0)
        return 0.0;
    return l->done >= l->total ? 1.0 : (double)l->done / (double)l->total;
}

/* Titles and numbers of all shown levels in one line, without the bar. */
static void compose(char *out, size_t size, bool bar)
{
    char text[LINE_SIZE / 2];
    size_t used = 0;
    out[0] = '\0';
    const int shown = state.depth < LEVELS ? state.depth : LEVELS;
    for (int i = 0; i < shown; i++) {
        const level *l = &state.levels[i];
        const bool last = i == shown - 1;
        if (last)
            describe(text, sizeof text, l);
        else
            snprintf(text, sizeof text, "%llu/%llu", (unsigned long long)l->done,
                     (unsigned long long)l->total);
        const int percent = (int)(100.0 * fraction(l));
        char graph[48] = "";
        if (last && l->total > 0 && bar)
            snprintf(graph, sizeof graph, " [%-20.*s]", percent / 5, "====================");
        if (last && l->total > 0)
            snprintf(graph + strlen(graph), sizeof graph - strlen(graph), " %d%%", percent);
        const int put = snprintf(out + used, size - used, "%s%s%s %s", i > 0 ? " | " : "", l->title,
                                 graph, text);
        if (put < 0 || (size_t)put >= size - used)
            return;
        used += (size_t)put;
    }
}

static void erase(void)
{
    if (state.drawn)
        fputs("\r\033[K", stderr);
    state.drawn = false;
}

static void draw(void)
{
    char line[LINE_SIZE];
    const size_t width = eex__terminal_width(STDERR_FILENO);
    compose(line, sizeof line, true);
    if (eex_text_width(line) >= width) /* the bar is the first thing to go */
        compose(line, sizeof line, false);
    cut(line, width > 1 ? width - 1 : 1); /* the last column would wrap on some terminals */
    fprintf(stderr, "\r\033[K%s", line);
    fflush(stderr);
    state.drawn = true;
}

static void print_line(void)
{
    char line[LINE_SIZE];
    compose(line, sizeof line, false);
    fprintf(stderr, "%s\n", line);
    fflush(stderr);
}

/* Draws or prints when it is time to. */
static void refresh(void)
{
    const double now = eex_clock_seconds();
    const bool terminal = eex__terminal_is(STDERR_FILENO);
    if (silenced() || now - state.printed < (terminal ? redraw_every : line_every))
        return;
    state.printed = now;
    if (terminal)
        draw();
    else
        print_line();
}

void eex_progress_begin(const char *title, uint64_t total, const char *unit)
{
    pthread_mutex_lock(&state.lock);
    const double now = eex_clock_seconds();
    if (state.depth++ == 0)
        state.printed = now;
    level *l = innermost();
    if (l) {
        memset(l, 0, sizeof *l);
        snprintf(l->title, sizeof l->title, "%s", title);
        snprintf(l->unit, sizeof l->unit, "%s", unit ? unit : "");
        l->total = total;
        l->began = now;
        refresh();
    }
    pthread_mutex_unlock(&state.lock);
}

void eex_progress_skip(uint64_t done)
{
    pthread_mutex_lock(&state.lock);
    level *l = innermost();
    if (l)
        l->done = l->before = done;
    pthread_mutex_unlock(&state.lock);
}

void eex_progress_update(uint64_t done, const char *format, ...)
{
    pthread_mutex_lock(&state.lock);
    level *l = innermost();
    if (l) {
        l->done = done > l->before ? done : l->before;
        if (format) {
            va_list args;
            va_start(args, format);
            vsnprintf(l->note, sizeof l->note, format, args);
            va_end(args);
        }
        refresh();
    }
    pthread_mutex_unlock(&state.lock);
}

void eex_progress_end(void)
{
    pthread_mutex_lock(&state.lock);
    level *l = innermost();
    const double now = eex_clock_seconds();
    if (l && !silenced()) {
        erase();
        l->ended = true;
        /* On a terminal an inner level's end is seen from the outer one's count. */
        const bool told = state.depth == 1 || !eex__terminal_is(STDERR_FILENO);
        if (told && now - l->began >= worth_mentioning)
            print_line();
        fflush(stderr);
        state.printed = now;
    }
    if (state.depth > 0)
        state.depth--;
    pthread_mutex_unlock(&state.lock);
}

void eex__progress_hide(void)
{
    pthread_mutex_lock(&state.lock);
    erase();
}

void eex__progress_show(void)
{
    if (state.depth > 0 && !silenced() && eex__terminal_is(STDERR_FILENO))
        draw();
    pthread_mutex_unlock(&state.lock);
}
