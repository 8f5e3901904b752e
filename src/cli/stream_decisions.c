#include "cli/stream_decisions.h"

#include "cli/out_file.h"
#include "cli/print.h"

#include "base/fs.h"
#include "base/signals.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { POLL_MS = 100 };

/* ---- a line ---- */

static void put_frame(eex_json *j, const eex_frame *frame)
{
    static const char *const is[] = {[EEX_RELEVANT] = "relevant",
                                     [EEX_LOW_ENTROPY] = "low entropy",
                                     [EEX_FOREIGN] = "out of distribution"};
    if (frame->name)
        eex_json_string(j, "file", frame->name);
    if (frame->sample >= 0)
        eex_json_int(j, "sample", frame->sample);
    if (frame->relevance != EEX_RELEVANCE_UNKNOWN)
        eex_json_string(j, "is", is[frame->relevance]);
}

static void put_result(eex_json *j, const eex__decisions *d, const eex_stream_event *event)
{
    const eex_result *r = event->result;
    const int32_t label = event->frame->label;
    const bool accepted = r->decision == EEX_ACCEPT;
    eex_json_int(j, "class", r->top);
    eex_json_string(j, "name", d->model->input.classes.item[r->top]);
    eex_json_double(j, "confidence", (double)r->confidence);
    eex_json_double(j, "margin", (double)r->margin);
    eex_json_double(j, "entropy", (double)r->entropy);
    eex_json_int(j, "exit", r->exit + 1);
    eex_json_string(j, "node", eex__exit_node(d->model->graph, r->exit));
    eex_json_bool(j, "accepted", accepted);
    if (d->by)
        eex_json_string(j, "by", eex_answerer_name(d->by[event->place]));
    eex_json_double(j, "latency_ms", event->ms);
    if (!isnan(event->delay_ms))
        eex_json_double(j, "delay_ms", event->delay_ms);
    if (label >= 0) {
        eex_json_int(j, "label", label);
        eex_json_bool(j, "right", accepted && r->top == label);
    }
}

static int tell(void *context, const eex_stream_event *event)
{
    eex__decisions *d = context;
    eex_json json = EEX_JSON_INIT(&d->lines);
    json.compact = true;
    eex_json_object(&json, NULL);
    eex_json_uint(&json, "frame", event->number);
    eex_json_double(&json, "time_s", event->seconds);
    if (!isnan(d->irrelevant))
        eex_json_double(&json, "irrelevant", d->irrelevant);
    if (event->frame)
        put_frame(&json, event->frame);
    else
        eex_json_bool(&json, "dropped", true);
    if (event->result)
        put_result(&json, d, event);
    else if (event->frame)
        eex_json_string(&json, "error", event->frame->problem);
    eex_json_end(&json);
    eex_buffer_putc(&d->lines, '\n');
    d->count++;
    return eex_buffer_status(&d->lines);
}

/* ---- writing ---- */

/* What is half written in a file of our own is no line. */
static int fail_writing(eex__decisions *d, uint64_t lost)
{
    const int error = errno;
    d->gone = error == EPIPE;
    d->count -= lost;
    if (d->gone)
        return eex_fail(EEX_EIO, "nobody reads the decisions any more");
    if (d->own && ftruncate(d->file, d->kept) == 0)
        return eex_fail(EEX_EIO, "cannot write the decisions to %s: %s; %llu lines are in it",
                        d->path, strerror(error), (unsigned long long)d->count);
    return eex_fail(EEX_EIO, "cannot write the decisions to %s: %s", d->path, strerror(error));
}

/* A reader may take its time, which must not keep the program from ending when it is told to. */
static int wait_for_room(const eex__decisions *d)
{
    struct pollfd p = {.fd = d->file, .events = POLLOUT};
    while (!d->own) {
        if (eex_interrupted())
            return eex_fail(EEX_EINTERRUPTED, "interrupted while writing the decisions");
        const int there = poll(&p, 1, POLL_MS);
        if (there > 0)
            break;
        if (there < 0 && errno != EINTR)
            return eex_fail(EEX_EIO, "cannot wait for %s: %s", d->path, strerror(errno));
    }
    return EEX_OK;
}

static uint64_t lines_from(const eex_buffer *b, size_t at)
{
    uint64_t count = 0;
    for (; at < b->size; at++)
        count += b->data[at] == '\n';
    return count;
}

/* The bytes up to the last whole line before `at`. */
static int64_t whole(const eex_buffer *b, size_t at)
{
    while (at > 0 && b->data[at - 1] != '\n')
        at--;
    return (int64_t)at;
}

static int flush(void *context)
{
    eex__decisions *d = context;
    const eex_buffer *b = &d->lines;
    for (size_t at = 0; at < b->size;) {
        const size_t rest = b->size - at; /* a pipe that has room takes so much without a wait: */
        EEX_TRY(wait_for_room(d));
        const ssize_t got =
            write(d->file, b->data + at, d->own || rest < PIPE_BUF ? rest : (size_t)PIPE_BUF);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            d->kept += whole(b, at);
            return fail_writing(d, lines_from(b, at));
        }
        at += (size_t)got;
    }
    d->kept += (int64_t)b->size;
    eex_buffer_clear(&d->lines);
    return EEX_OK;
}

/* ---- opening ---- */

int eex__decisions_check(const char *path, bool force)
{
    if (force && !path)
        return eex_fail(EEX_EINVAL, "--force goes with --decisions");
    if (!path || strcmp(path, "-") != 0)
        return eex_check_out(path, force, NULL, NULL);
    return eex_fs_has_output()
               ? EEX_OK
               : eex_fail(EEX_EIO, "cannot write the decisions: the standard output is closed");
}

/* All who print know the standard output alone. */
static int take_output(eex__decisions *d)
{
    d->path = "the standard output";
    fflush(stdout);
    d->file = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (d->file < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return eex_fail(EEX_EIO, "cannot take the standard output: %s", strerror(errno));
    return EEX_OK;
}

static int make_file(eex__decisions *d)
{
    EEX_TRY(eex_fs_remove_file(d->path));
    d->own = true;
    d->file = open(d->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    return d->file < 0 ? eex_fail(EEX_EIO, "cannot write %s: %s", d->path, strerror(errno))
                       : EEX_OK;
}

int eex__decisions_open(eex__decisions *d, const char *path, const eex_model *model, int batch)
{
    const bool out = strcmp(path, "-") == 0;
    *d = (eex__decisions){.path = path, .model = model, .irrelevant = (double)NAN, .file = -1};
    d->listener = (eex_stream_listener){tell, flush, d};
    d->open = true;
    if (batch > 0 && !(d->by = calloc((size_t)batch, sizeof *d->by)))
        return eex_fail(EEX_ENOMEM, "out of memory for the decisions of %d frames", batch);
    signal(SIGPIPE, SIG_IGN); /* a reader that is gone is told of by write */
    return out                         ? take_output(d)
           : eex_fs_is_stream(d->path) ? eex_fs_open_stream(&d->file, d->path)
                                       : make_file(d);
}

int eex__decisions_close(eex__decisions *d)
{
    int code = EEX_OK;
    if (d->open && d->file >= 0 && close(d->file) != 0)
        code = eex_fail(EEX_EIO, "cannot write the decisions to %s: %s", d->path, strerror(errno));
    eex_buffer_free(&d->lines);
    free(d->by);
    *d = (eex__decisions){.file = -1};
    return code;
}
