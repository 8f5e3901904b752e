#include "support/capture.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void take_stderr(test_capture *capture)
{
    fflush(stderr);
    capture->saved = dup(STDERR_FILENO);
    cr_assert(capture->saved >= 0 && dup2(capture->target, STDERR_FILENO) >= 0);
}

void test_capture_file(test_capture *capture)
{
    FILE *file = tmpfile();
    cr_assert_not_null(file);
    capture->target = dup(fileno(file));
    capture->source = dup(fileno(file));
    fclose(file);
    take_stderr(capture);
}

void test_capture_terminal(test_capture *capture, int columns)
{
    const struct winsize size = {.ws_row = 24, .ws_col = (unsigned short)columns};
    capture->source = posix_openpt(O_RDWR | O_NOCTTY);
    cr_assert(capture->source >= 0 && grantpt(capture->source) == 0);
    cr_assert_eq(unlockpt(capture->source), 0);
    capture->target = open(ptsname(capture->source), O_RDWR | O_NOCTTY);
    cr_assert(capture->target >= 0 && ioctl(capture->target, TIOCSWINSZ, &size) == 0);
    take_stderr(capture);
}

char *test_capture_end(test_capture *capture)
{
    enum { LARGEST = 64 * 1024 };
    char *text = calloc(1, LARGEST);
    size_t used = 0;
    fflush(stderr);
    const int terminal = isatty(capture->target);
    cr_assert(dup2(capture->saved, STDERR_FILENO) >= 0);
    close(capture->saved);
    if (!terminal)
        lseek(capture->source, 0, SEEK_SET);
    else
        fcntl(capture->source, F_SETFL, O_NONBLOCK);
    for (ssize_t got = 1; got > 0 && used<LARGEST - 1; used += got> 0 ? (size_t)got : 0)
        got = read(capture->source, text + used, LARGEST - 1 - used);
    close(capture->target);
    close(capture->source);
    return text;
}
