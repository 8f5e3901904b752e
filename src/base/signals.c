#include "base/signals.h"

#include "base/status.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

/* Lock-free atomics may be used in handlers and, unlike sig_atomic_t, read from other threads. */
static atomic_int caught;
static _Atomic int64_t caught_at; /* milliseconds */

static int64_t milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void on_signal(int number)
{
    const int saved = errno;
    const int same_keystroke = 200;
    if (caught) {
        if (milliseconds() - caught_at > same_keystroke) {
            signal(number, SIG_DFL);
            raise(number); /* delivered, and deadly, when this handler returns */
        }
    } else {
        caught_at = milliseconds();
        caught = number;
    }
    errno = saved;
}

int eex_signals_install(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGINT, &action, NULL) != 0 || sigaction(SIGTERM, &action, NULL) != 0)
        return eex_fail(EEX_EIO, "cannot install signal handlers: %s", strerror(errno));
    /* A limit on file sizes is then an error of write, which says what happened. */
    action.sa_handler = SIG_IGN;
    if (sigaction(SIGXFSZ, &action, NULL) != 0)
        return eex_fail(EEX_EIO, "cannot ignore SIGXFSZ: %s", strerror(errno));
    return EEX_OK;
}

bool eex_interrupted(void)
{
    return caught != 0;
}

void eex_signals_clear(void)
{
    caught = 0;
}
