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

/* What a line shows. Where there is no room, it loses what tells least, in this order: the bar, the
 * rate, the count, what stands in the note behind two parts, the outer level, percent, the title,
 * the note's second part, the time left. */
typedef struct shape {
    bool bar, rate, count, outer, percent, title, left;
    int parts; /* of the note */
} shape;

static int note_parts(const level *l)
{
    int parts = *l->note ? 1 : 0;
    for (const char *at = l->note; (at = strstr(at, ", ")); at += 2)
        parts++;
    return parts;
}

/* Takes away what tells least of what is there; false: only the first part of the note is left. */
static bool shrink(shape *s)
{
    bool *const early[] = {&s->bar, &s->rate, &s->count};
    bool *const late[] = {&s->outer, &s->percent, &s->title};
    for (size_t i = 0; i < sizeof early / sizeof *early; i++)
        if (*early[i])
            return *early[i] = false, true;
    if (s->parts > 2)
        return s->parts--, true;
    for (size_t i = 0; i < sizeof late / sizeof *late; i++)
        if (*late[i])
            return *late[i] = false, true;
    if (s->parts > 1)
        return s->parts--, true;
    return s->left ? s->left = false, true : false;
}

/* Appends what there is room for of a text, behind the separator unless it is the first. */
static void join(char *out, size_t size, const char *separator, const char *text)
{
    const size_t used = strlen(out);
    if (*text && snprintf(out + used, size - used, "%s%s", used ? separator : "", text) < 0)
        out[used] = '\0';
}

static void put_count(char *out, size_t size, const level *l)
{
    char a[EEX_TEXT_SIZE], b[EEX_TEXT_SIZE], text[2 * EEX_TEXT_SIZE + 2];
    eex_text_number(a, (double)l->done, NULL);
    if (l->total > 0)
        snprintf(text, sizeof text, "%s/%s", a, eex_text_number(b, (double)l->total, NULL));
    join(out, size, ", ", l->total > 0 ? text : a);
}

static void put_time(char *out, size_t size, const level *l, double rate, double seconds)
{
    char a[EEX_TEXT_SIZE], text[2 * EEX_TEXT_SIZE] = "";
    if (rate > 0.0 && l->total > l->done && !l->ended)
        snprintf(text, sizeof text, "%s left",
                 eex_text_duration(a, (double)(l->total - l->done) / rate));
    else if (seconds >= worth_mentioning)
        snprintf(text, sizeof text, "%s", eex_text_duration(a, seconds));
    join(out, size, ", ", text);
}

static void put_note(char *out, size_t size, const level *l, int parts)
{
    char text[NOTE_SIZE];
    char *end = text;
    snprintf(text, sizeof text, "%s", parts > 0 ? l->note : "");
    for (; parts > 0 && end; parts--)
        end = strstr(end == text ? text : end + 2, ", ");
    if (end)
        *end = '\0';
    join(out, size, ", ", text);
}

/* "37/100, 1.63 kimages/s, 0:39 left, loss 1.20" */
static void describe(char *out, size_t size, const level *l, const shape *s)
{
    char a[EEX_TEXT_SIZE], text[80];
    const double seconds = eex_clock_seconds() - l->began;
    const double rate = seconds > 0.0 ? (double)(l->done - l->before) / seconds : 0.0;
    out[0] = '\0';
    if (s->count)
        put_count(out, size, l);
    if (s->rate && *l->unit && rate > 0.0) {
        snprintf(text, sizeof text, "%s/s", eex_text_number(a, rate, l->unit));
        join(out, size, ", ", text);
    }
    if (s->left)
        put_time(out, size, l, rate, seconds);
    put_note(out, size, l, s->parts);
}

static double fraction(const level *l)
{
    if (l->total == 0)
        return 0.0;
    return l->done >= l->total ? 1.0 : (double)l->done / (double)l->total;
}

/* The innermost level that is shown. */
static void compose_last(char *out, size_t size, const level *l, const shape *s)
{
    char text[LINE_SIZE / 2];
    const int percent = (int)(100.0 * fraction(l));
    out[0] = '\0';
    if (s->title)
        join(out, size, " ", l->title);
    if (s->bar && l->total > 0) {
        snprintf(text, sizeof text, "[%-20.*s]", percent / 5, "====================");
        join(out, size, " ", text);
    }
    if (s->percent && l->total > 0) {
        snprintf(text, sizeof text, "%d%%", percent);
        join(out, size, " ", text);
    }
    describe(text, sizeof text, l, s);
    join(out, size, " ", text);
}

/* All shown levels in one line of at most `width` columns, 0: any. */
static void compose(char *out, size_t size, bool bar, size_t width)
{
    char last[LINE_SIZE / 2], outer[LINE_SIZE / 2];
    const int shown = state.depth < LEVELS ? state.depth : LEVELS;
    out[0] = '\0';
    if (shown == 0)
        return;
    const level *l = &state.levels[shown - 1];
    shape s = {bar, true, true, true, true, true, true, note_parts(l)};
    do {
        out[0] = '\0';
        for (int i = 0; i < shown - 1 && s.outer; i++) {
            snprintf(outer, sizeof outer, "%s %llu/%llu", state.levels[i].title,
                     (unsigned long long)state.levels[i].done,
                     (unsigned long long)state.levels[i].total);
            join(out, size, " | ", outer);
        }
        compose_last(last, sizeof last, l, &s);
        join(out, size, " | ", last);
    } while (width > 0 && eex_text_width(out) > width && shrink(&s));
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
    const size_t width = eex__terminal_columns(STDERR_FILENO);
    const size_t room =
        width > 1 ? width - 1 : 1; /* the last column would wrap on some terminals */
    compose(line, sizeof line, true, room);
    cut(line, room);
    fprintf(stderr, "\r\033[K%s", line);
    fflush(stderr);
    state.drawn = true;
}

static void print_line(void)
{
    char line[LINE_SIZE];
    compose(line, sizeof line, false, eex__terminal_width(STDERR_FILENO));
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
