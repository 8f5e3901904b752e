/* Messages and progress, as a file and as a terminal see them. */
#include "support/capture.h"

#include "base/log.h"
#include "base/progress.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static test_capture capture;

static void wait_milliseconds(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static void expect(char *text, const char *expected)
{
    cr_assert_str_eq(text, expected);
    free(text);
}

static void log_each_level(void)
{
    eex_log_error("e%d", 1);
    eex_log_warn("w%d", 2);
    eex_log_info("i%d", 3);
    eex_log_debug("d%d", 4);
}

static void plain_terminal(void)
{
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    unsetenv("COLUMNS");
}

TestSuite(log, .init = plain_terminal);
TestSuite(progress, .init = plain_terminal);

Test(log, levels)
{
    test_capture_file(&capture);
    log_each_level();
    eex_log_set_level(EEX_LOG_WARN);
    log_each_level();
    eex_log_set_level(EEX_LOG_DEBUG);
    log_each_level();
    expect(test_capture_end(&capture), "error: e1\nwarning: w2\ni3\n"
                                       "error: e1\nwarning: w2\n"
                                       "error: e1\nwarning: w2\ni3\ndebug: d4\n");
}

Test(log, a_name_does_not_break_a_line)
{
    test_capture_file(&capture);
    eex_log_warn("%s: no image", "a\nerror:\tb");
    eex_log_warn("%s", "two\nlines");
    expect(test_capture_end(&capture), "warning: a?error:?b: no image\nwarning: two\nlines\n");
}

Test(log, colour_only_on_a_terminal_that_wants_it)
{
    test_capture_terminal(&capture, 80);
    eex_log_error("bad");
    setenv("NO_COLOR", "1", 1);
    eex_log_error("bad");
    unsetenv("NO_COLOR");
    setenv("TERM", "dumb", 1);
    eex_log_error("bad");
    expect(test_capture_end(&capture),
           "\033[1;31merror: \033[0mbad\r\nerror: bad\r\nerror: bad\r\n");
}

Test(log, quoted_bytes_cannot_drive_the_terminal)
{
    test_capture_file(&capture);
    eex_log_warn("%s: unreadable", "x\033]0;title\a\r.png");
    expect(test_capture_end(&capture), "warning: x?]0;title??.png: unreadable\n");
}

Test(progress, short_work_is_silent_in_a_file)
{
    test_capture_file(&capture);
    eex_progress_begin("training", 100, "images");
    for (uint64_t i = 0; i <= 100; i++)
        eex_progress_update(i, "loss %.2f", 0.5);
    eex_progress_end();
    expect(test_capture_end(&capture), "");
}

Test(progress, long_work_ends_with_a_line_in_a_file)
{
    test_capture_file(&capture);
    eex_progress_begin("training", 100, "images");
    eex_progress_update(50, NULL);
    wait_milliseconds(2100);
    eex_progress_update(100, "loss %.2f", 0.5);
    eex_progress_end();
    char *text = test_capture_end(&capture);
    cr_assert_eq(strncmp(text, "training 100% 100/100, ", 23), 0, "got \"%s\"", text);
    cr_assert_not_null(strstr(text, "images/s"));
    cr_assert_not_null(strstr(text, "2 s, loss 0.50\n"), "got \"%s\"", text);
    cr_assert_eq(strchr(text, '\n'), text + strlen(text) - 1, "one line");
    free(text);
}

Test(progress, continued_work_does_not_count_for_the_rate)
{
    test_capture_terminal(&capture, 120);
    eex_progress_begin("search", 1000000, "trials");
    eex_progress_skip(500000);
    wait_milliseconds(110);
    eex_progress_update(500001, NULL);
    eex_progress_end();
    char *text = test_capture_end(&capture);
    double rate = 0.0;
    const char *numbers = strstr(text, "50% 500 k/1.00 M, ");
    cr_assert_not_null(numbers, "got \"%s\"", text);
    cr_assert_eq(sscanf(numbers, "50%% 500 k/1.00 M, %lf trials/s", &rate), 1);
    cr_assert(rate > 0.0 && rate < 10.0, "one trial in 0.11 s and more, got %g", rate);
    free(text);
}

/* What stays visible of each redraw, between an erased line and the next. */
static void check_widths(const char *text, size_t columns, int *drawn)
{
    char copy[64 * 1024];
    snprintf(copy, sizeof copy, "%s", text);
    for (char *part = strtok(copy, "\r\n"); part; part = strtok(NULL, "\r\n")) {
        const char *visible = strncmp(part, "\033[K", 3) == 0 ? part + 3 : part;
        cr_assert(eex_text_width(visible) < columns, "\"%s\" in %zu columns", visible, columns);
        *drawn += *visible != '\0';
    }
}

Test(progress, fits_every_terminal)
{
    const int widths[] = {1, 2, 10, 33, 60, 80, 200};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        int drawn = 0;
        test_capture_terminal(&capture, widths[i]);
        eex_progress_begin("search", 12, NULL);
        eex_progress_update(3, NULL);
        eex_progress_begin("trial \xe6\x97\xa5\xe6\x9c\xac", 1000, "images");
        wait_milliseconds(110);
        eex_progress_update(250, "loss %.3f", 1.25);
        eex_progress_end();
        eex_progress_end();
        char *text = test_capture_end(&capture);
        check_widths(text, widths[i] > 2 ? (size_t)widths[i] : 3, &drawn);
        cr_assert(drawn > 0 || widths[i] < 3, "%d columns", widths[i]);
        free(text);
    }
}

/* A search's trial on a terminal so wide, as it is drawn in the end. */
static char *drawn_in(int columns)
{
    test_capture_terminal(&capture, columns);
    eex_progress_begin("search", 12, NULL);
    eex_progress_update(3, NULL);
    eex_progress_begin("trial 3", 1000, "images");
    wait_milliseconds(110);
    eex_progress_update(250, "loss 0.312, val. 81.5%%, train 84.1%%, epoch 3/30");
    char *text = test_capture_end(&capture), *at;
    eex_progress_end();
    eex_progress_end();
    for (char *next = text; (at = strstr(next, "\r\033[K")); next = at + 4)
        memmove(text, at + 4, strlen(at + 4) + 1), at = text;
    return text;
}

static void expect_parts(int columns, const char *const *there, const char *const *gone)
{
    char *text = drawn_in(columns);
    for (; *there; there++)
        cr_assert_not_null(strstr(text, *there), "no %s at %d: \"%s\"", *there, columns, text);
    for (; *gone; gone++)
        cr_assert_null(strstr(text, *gone), "%s at %d: \"%s\"", *gone, columns, text);
    free(text);
}

/* What tells most stays longest: loss, accuracy and the time left. */
Test(progress, loses_what_tells_least_first)
{
    static const char *const all[] = {"search 3/12", "trial 3",     "[=",        "25%",
                                      "250/1.00 k",  "images/s",    "left",      "loss 0.312",
                                      "val. 81.5%",  "train 84.1%", "epoch 3/30"};
#define PARTS(...) ((const char *const[]){__VA_ARGS__, NULL})
    expect_parts(200,
                 PARTS(all[0], all[1], all[2], all[3], all[4], all[5], all[6], all[7], all[8],
                       all[9], all[10]),
                 PARTS("never"));
    expect_parts(120,
                 PARTS(all[0], all[1], all[3], all[4], all[6], all[7], all[8], all[9], all[10]),
                 PARTS(all[2]));
    expect_parts(80, PARTS(all[0], all[1], all[3], all[6], all[7], all[8], all[9]),
                 PARTS(all[2], all[4], all[5], all[10]));
    expect_parts(60, PARTS(all[1], all[3], all[6], all[7], all[8]),
                 PARTS(all[2], all[4], all[5], all[9], all[10]));
    expect_parts(40, PARTS(all[6], all[7], all[8]),
                 PARTS(all[0], all[2], all[4], all[5], all[9], all[10]));
    expect_parts(20, PARTS(all[7]), PARTS(all[1], all[8]));
#undef PARTS
}

/* $COLUMNS counts in files too. */
Test(progress, lines_in_a_file_are_as_wide_as_the_user_says)
{
    setenv("COLUMNS", "30", 1);
    test_capture_file(&capture);
    eex_progress_begin("training", 100, "images");
    wait_milliseconds(2100);
    eex_progress_update(100, "loss 0.50, epoch 3/3");
    eex_progress_end();
    unsetenv("COLUMNS");
    expect(test_capture_end(&capture), "2 s, loss 0.50, epoch 3/3\n");
}

Test(progress, shows_both_levels_and_the_bar)
{
    test_capture_terminal(&capture, 160);
    eex_progress_begin("search", 12, NULL);
    eex_progress_update(3, NULL);
    eex_progress_begin("trial", 1000, "images");
    eex_progress_begin("too deep", 5, NULL);
    eex_progress_update(5, "never shown");
    eex_progress_end();
    wait_milliseconds(110);
    eex_progress_update(250, "loss %.3f", 1.25);
    eex_progress_end();
    eex_progress_end();
    eex_progress_end(); /* one too many does no harm */
    char *text = test_capture_end(&capture);
    cr_assert_not_null(strstr(text, "search 3/12 | trial [=====               ] 25% 250/1.00 k"),
                       "got \"%s\"", text);
    cr_assert_not_null(strstr(text, "loss 1.250"));
    cr_assert_null(strstr(text, "too deep"));
    cr_assert_null(strstr(text, "never shown"));
    free(text);
}

Test(progress, messages_erase_and_redraw_the_line)
{
    test_capture_terminal(&capture, 80);
    eex_progress_begin("search", 12, NULL);
    wait_milliseconds(110);
    eex_progress_update(6, NULL);
    eex_log_info("a message");
    eex_progress_end();
    char *text = test_capture_end(&capture);
    const char *message = strstr(text, "\r\033[Ka message\r\n");
    cr_assert_not_null(message, "got \"%s\"", text);
    cr_assert_not_null(strstr(message, "search [==========          ] 50%"));
    const char *const erased = "\r\033[K";
    cr_assert_str_eq(text + strlen(text) - strlen(erased), erased, "the line is gone at the end");
    free(text);
}

Test(progress, quiet_shows_nothing)
{
    eex_log_set_level(EEX_LOG_WARN);
    test_capture_terminal(&capture, 80);
    eex_progress_begin("search", 12, NULL);
    wait_milliseconds(110);
    eex_progress_update(6, NULL);
    eex_progress_end();
    expect(test_capture_end(&capture), "");
}

static void *log_often(void *unused)
{
    for (int i = 0; i < 200; i++)
        eex_log_info("message");
    return unused;
}

Test(progress, threads_do_not_mix_their_lines)
{
    pthread_t threads[4];
    test_capture_file(&capture);
    eex_progress_begin("search", 12, NULL);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, log_often, NULL), 0);
    for (uint64_t i = 0; i < 200; i++)
        eex_progress_update(i, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    eex_progress_end();
    char *text = test_capture_end(&capture);
    int lines = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), lines++)
        cr_assert_str_eq(line, "message");
    cr_assert_eq(lines, 800);
    free(text);
}
