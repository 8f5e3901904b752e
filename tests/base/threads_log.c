/* Messages, progress, errors and the signal flag, used by many threads at once. */
#include "base/log.h"
#include "base/progress.h"
#include "base/signals.h"
#include "base/status.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { THREADS = 4, ROUNDS = 300 };

typedef struct work {
    int number;
    bool own_errors;
} work;

static void *use_everything(void *argument)
{
    work *w = argument;
    char expected[32];
    w->own_errors = true;
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(expected, sizeof expected, "thread %d, round %d", w->number, i);
        eex_fail(EEX_EIO, "thread %d, round %d", w->number, i);
        eex_log_warn("%s", eex_error());
        eex_progress_update((uint64_t)i, "round %d", i);
        eex_log_set_level(eex_interrupted() ? EEX_LOG_DEBUG : EEX_LOG_INFO);
        w->own_errors = w->own_errors && strcmp(eex_error(), expected) == 0;
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    work works[THREADS];
    bool good = eex_signals_install() == EEX_OK;
    eex_progress_begin("threads", ROUNDS, "rounds");
    for (int i = 0; i < THREADS; i++) {
        works[i].number = i;
        if (pthread_create(&threads[i], NULL, use_everything, &works[i]) != 0)
            return 1;
    }
    raise(SIGTERM);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        good = good && works[i].own_errors;
    }
    eex_progress_end();
    return good && eex_interrupted() ? 0 : 1;
}
