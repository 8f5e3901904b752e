#include "core/run/workers.h"

#include "core/run/candidates.h"
#include "core/run/elsewhere.h"
#include "core/run/run.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/processors.h"
#include "base/signals.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    TEXT = 64,
    DEVICE = 2 * TEXT,
    POLL_MS = 20,
    LOCK_TRIES = 100,
    ADDED = 6,
    LOG = 1 << 24,
    SAID = 1024
};

typedef struct worker {
    pid_t child;      /* 0: it does not run */
    char *log;        /* path */
    char **arguments; /* NULL-ended; the first ones are borrowed */
    char device[DEVICE], threads[TEXT];
} worker;

struct eex__workers {
    eex_run *run;
    eex_lock *lock; /* on RUN/candidates: one search at a time hands them out */
    int count;
    int deaths; /* since the search was told of a candidate */
    worker *at;
    bool here; /* they are processes of this one */
    eex__elsewhere elsewhere;
};

/* ---- starting ---- */

static int threads_of(const eex_run *run, int workers)
{
    const int all = run->options->threads ? run->options->threads : eex_processors();
    return all > workers ? all / workers : 1;
}

/* RUN's own arguments, then which device it has, how many threads, and that it is one. */
static int make_arguments(worker *one, const eex_run *run)
{
    static char with_device[] = "--device", with_threads[] = "--threads", as_worker[] = "--worker";
    const char *const *given = run->options->worker;
    size_t n = 0;
    while (given[n])
        n++;
    one->arguments = calloc(n + ADDED, sizeof *one->arguments);
    if (!one->arguments)
        return eex_fail(EEX_ENOMEM, "out of memory for a worker");
    memcpy(one->arguments, given, n * sizeof *given); /* execv leaves alone what they point to */
    one->arguments[n++] = with_device;
    one->arguments[n++] = one->device;
    one->arguments[n++] = with_threads;
    one->arguments[n++] = one->threads;
    one->arguments[n] = as_worker;
    return EEX_OK;
}

/* With "cuda", which says no number, each worker has a GPU of its own. */
static int prepare(eex__workers *w, int i)
{
    const char *device = w->run->options->device;
    worker *one = &w->at[i];
    char name[TEXT], *folder = NULL;
    if (strcmp(device, "cuda") == 0 && w->count > 1)
        snprintf(one->device, sizeof one->device, "cuda:%d", i);
    else
        snprintf(one->device, sizeof one->device, "%s", device);
    snprintf(one->threads, sizeof one->threads, "%d", threads_of(w->run, w->count));
    snprintf(name, sizeof name, "worker-%d.log", i + 1);
    EEX_TRY(eex__candidates_folder(&folder, w->run));
    int code = eex_path_join(&one->log, folder, name);
    free(folder);
    EEX_TRY(code);
    return make_arguments(one, w->run);
}

/* Ctrl-C comes to the search alone, which tells its workers; where it dies, they are told too. */
static void become(const worker *one, pid_t search, int log)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    const int nothing = open("/dev/null", O_RDONLY);
    if (getppid() != search || nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 ||
        dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
        _exit(126);
    execv(one->arguments[0], one->arguments);
    _exit(127);
}

static int start(worker *one)
{
    const pid_t search = getpid();
    const int log = open(one->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (log < 0)
        return eex_fail(EEX_EIO, "cannot write %s: %s", one->log, strerror(errno));
    const pid_t child = eex_signals_fork();
    if (child == 0)
        become(one, search, log);
    const int failed = errno;
    close(log);
    if (child < 0)
        return eex_fail(EEX_EIO, "cannot start a worker: %s", strerror(failed));
    one->child = child;
    return EEX_OK;
}

/* Workers look at times whether it is held, by holding it: several tries. */
static int lock_all(eex__workers *w)
{
    const struct timespec moment = {.tv_nsec = POLL_MS * 1000000L};
    char *folder = NULL;
    EEX_TRY(eex__candidates_folder(&folder, w->run));
    int code = eex_fs_make_folder(folder);
    if (code == EEX_OK)
        code = eex_lock_acquire(&w->lock, folder);
    for (int i = 0; i < LOCK_TRIES && code == EEX_EBUSY; i++) {
        nanosleep(&moment, NULL);
        code = eex_lock_acquire(&w->lock, folder);
    }
    free(folder);
    return code < 0 ? eex_fail_in(code, "search.workers") : EEX_OK;
}

int eex__workers_start(eex__workers **out, eex_run *run)
{
    const bool here = !run->options->elsewhere && !run->options->starter;
    const int count = here ? run->e->search.workers : 0;
    eex__workers *w = calloc(1, sizeof *w);
    *out = w;
    if (!w || !(w->at = calloc((size_t)count + 1, sizeof *w->at)))
        return eex_fail(EEX_ENOMEM, "out of memory for %d workers", count);
    w->run = run;
    w->count = count;
    w->here = here;
    EEX_TRY(lock_all(w));
    if (!here)
        return eex__elsewhere_begin(&w->elsewhere, run);
    for (int i = 0; i < count; i++) {
        EEX_TRY(prepare(w, i));
        EEX_TRY(start(&w->at[i]));
    }
    return EEX_OK;
}

/* ---- looking after them ---- */

/* The last line that begins so, of what a worker has said; "" where there is none. */
static void last_error(char said[SAID], const char *log)
{
    static const char mark[] = "error: ";
    char *text = NULL;
    *said = '\0';
    if (eex_fs_read(&text, NULL, log, LOG) != EEX_OK)
        return;
    for (char *line = strstr(text, mark); line; line = strstr(line + 1, mark))
        if (line == text || line[-1] == '\n')
            snprintf(said, SAID, "%.*s", (int)strcspn(line + sizeof mark - 1, "\n"),
                     line + sizeof mark - 1);
    free(text);
}

/* Who ends by itself has said why, and would say it again. Who was killed may not be to blame. */
static int note_end(eex__workers *w, int i, int status)
{
    char said[SAID];
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
        last_error(said, w->at[i].log);
        return eex_fail(EEX_EIO, "worker %d ended with status %d: %s (all it said is in %s)", i + 1,
                        WEXITSTATUS(status), *said ? said : "it said nothing", w->at[i].log);
    }
    if (WIFSIGNALED(status))
        eex_log_warn("worker %d was ended by signal %d (%s): what it had goes to another one",
                     i + 1, WTERMSIG(status), strsignal(WTERMSIG(status)));
    if (++w->deaths > EEX__CANDIDATE_DEATHS * (w->count + 1))
        return eex_fail(EEX_EIO,
                        "search.workers: %d workers have died, and no candidate was judged; what "
                        "they said is in %s",
                        w->deaths, w->at[i].log);
    return start(&w->at[i]);
}

static int tend(eex__workers *w)
{
    for (int i = 0; i < w->count; i++) {
        int status = 0;
        if (w->at[i].child == 0 || waitpid(w->at[i].child, &status, WNOHANG) <= 0)
            continue;
        w->at[i].child = 0;
        EEX_TRY(note_end(w, i, status));
    }
    return EEX_OK;
}

/* Of all candidates, so that what one worker cannot do is not waited for behind another. */
static int check_all(const eex__workers *w)
{
    uint64_t *number = NULL;
    size_t count = 0;
    int code = eex__candidates_list(&number, &count, w->run);
    for (size_t i = 0; i < count && code == EEX_OK; i++)
        code = eex__candidate_check(w->run, number[i]);
    free(number);
    return code;
}

int eex__workers_wait(eex__workers *w, uint64_t number)
{
    const struct timespec moment = {.tv_nsec = POLL_MS * 1000000L};
    while (!eex__candidate_is_judged(w->run, number)) {
        EEX_TRY(eex__run_poll());
        EEX_TRY(check_all(w));
        EEX_TRY(w->here ? tend(w) : eex__elsewhere_look(&w->elsewhere));
        nanosleep(&moment, NULL);
    }
    w->deaths = 0;
    eex__elsewhere_heard(&w->elsewhere);
    return EEX_OK;
}

/* ---- ending ---- */

void eex__workers_stop(eex__workers *w)
{
    if (!w)
        return;
    eex__elsewhere_end(&w->elsewhere);
    for (int i = 0; w->at && i < w->count; i++)
        if (w->at[i].child)
            kill(w->at[i].child, SIGTERM);
    for (int i = 0; w->at && i < w->count; i++) {
        while (w->at[i].child && waitpid(w->at[i].child, NULL, 0) < 0 && errno == EINTR)
            ;
        free(w->at[i].log);
        free(w->at[i].arguments);
    }
    free(w->at);
    eex_lock_release(w->lock);
    free(w);
}
