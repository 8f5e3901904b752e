#include "base/signals.h"

#include "base/status.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Lock-free atomics may be used in handlers and, unlike sig_atomic_t, read from other threads. */
static atomic_int caught;
static atomic_int last;           /* of those that came, also of those that were forgotten */
static _Atomic int64_t caught_at; /* milliseconds */
static atomic_int expendable;     /* see eex_signals_expendable */

enum { PATIENCE = 500000 }; /* microseconds from a signal to the end of what is expendable */

static const int asked[] = {SIGINT, SIGTERM, SIGHUP};
enum { ASKED = sizeof asked / sizeof *asked };

static int64_t milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void set_alarm(int microseconds)
{
    const struct itimerval once = {.it_value.tv_usec = microseconds};
    setitimer(ITIMER_REAL, &once, NULL);
}

/* Nobody has looked at the flag; nothing of what the process holds is safe to use. */
static void on_alarm(int number)
{
    static const char text[] = "error: interrupted\n";
    if (!caught || !expendable)
        return;
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    _exit(eex_signals_status());
}

/* A terminal that closes says so more than once, and means no harm. */
static void on_signal(int number)
{
    const int saved = errno;
    const int same_keystroke = 200;
    if (caught) {
        if (number != SIGHUP && milliseconds() - caught_at > same_keystroke) {
            signal(number, SIG_DFL);
            raise(number); /* delivered, and deadly, when this handler returns */
        }
    } else {
        caught_at = milliseconds();
        caught = last = number;
        if (expendable)
            set_alarm(PATIENCE);
    }
    errno = saved;
}

/* Under nohup SIGHUP is ignored, and stays so. */
static bool is_ignored(int number)
{
    struct sigaction now;
    return number == SIGHUP && sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

int eex_signals_install(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < ASKED; i++)
        if (!is_ignored(asked[i]) && sigaction(asked[i], &action, NULL) != 0)
            return eex_fail(EEX_EIO, "cannot install signal handlers: %s", strerror(errno));
    action.sa_handler = on_alarm;
    if (sigaction(SIGALRM, &action, NULL) != 0)
        return eex_fail(EEX_EIO, "cannot install signal handlers: %s", strerror(errno));
    /* A limit on file sizes is then an error of write, which says what happened. */
    action.sa_handler = SIG_IGN;
    if (sigaction(SIGXFSZ, &action, NULL) != 0)
        return eex_fail(EEX_EIO, "cannot ignore SIGXFSZ: %s", strerror(errno));
    return EEX_OK;
}

void eex_signals_expendable(bool on)
{
    const int before = atomic_fetch_add(&expendable, on ? 1 : -1);
    if (on && caught)
        set_alarm(PATIENCE);
    else if (!on && before == 1)
        set_alarm(0);
}

pid_t eex_signals_fork(void)
{
    sigset_t ours, before;
    sigemptyset(&ours);
    for (int i = 0; i < ASKED; i++)
        sigaddset(&ours, asked[i]);
    pthread_sigmask(SIG_BLOCK, &ours, &before);
    const pid_t child = fork();
    for (int i = 0; child == 0 && i < ASKED; i++)
        if (!is_ignored(asked[i]))
            signal(asked[i], SIG_DFL);
    const int number = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = number;
    return child;
}

void eex_signals_note(int number)
{
    last = number;
}

int eex_signals_status(void)
{
    return last == SIGHUP ? 128 + SIGHUP : 128 + SIGINT;
}

bool eex_terminated(void)
{
    return caught == SIGTERM || caught == SIGHUP;
}

bool eex_interrupted(void)
{
    return caught != 0;
}

void eex_signals_clear(void)
{
    caught = 0;
}
