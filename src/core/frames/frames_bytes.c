#include "core/frames/frames_bytes.h"

#include "base/fs.h"
#include "base/signals.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 64 << 10, POLL_MS = 100 };

int eex__bytes_open(eex__bytes *b, const char *path, const atomic_bool *stopped)
{
    *b = (eex__bytes){.descriptor = -1};
    if (strcmp(path, "-") == 0 && isatty(STDIN_FILENO))
        return eex_fail(EEX_EINVAL, "the standard input is a terminal: pipe frames into it, as "
                                    "`ffmpeg -i FILE -f yuv4mpegpipe -` writes them");
    return eex__bytes_open_text(b, path, stopped);
}

int eex__bytes_open_text(eex__bytes *b, const char *path, const atomic_bool *stopped)
{
    const bool in = strcmp(path, "-") == 0;
    if (in && !eex_fs_has_input())
        return eex_fail(EEX_EIO, "cannot read the standard input: it is closed");
    *b = (eex__bytes){.descriptor = -1, .owned = !in, .stopped = stopped};
    snprintf(b->name, sizeof b->name, "%s", in ? "standard input" : path);
    /* A pipe by a name is opened without waiting for somebody to write to it, which no signal would
     * end: reading waits for that, and until then its end is not there. */
    b->descriptor = in ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (b->descriptor < 0)
        return eex_fail(errno == ENOENT ? EEX_ENOTFOUND : EEX_EIO, "cannot read %s: %s", path,
                        strerror(errno));
    return EEX_OK;
}

int eex__bytes_parse(eex__bytes *b, const void *data, size_t size, const atomic_bool *stopped)
{
    *b = (eex__bytes){.descriptor = -1, .ended = true, .stopped = stopped};
    snprintf(b->name, sizeof b->name, "memory");
    b->data = malloc(size ? size : 1);
    if (!b->data)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu bytes of frames", size);
    if (size)
        memcpy(b->data, data, size);
    b->to = b->capacity = size;
    return EEX_OK;
}

void eex__bytes_close(eex__bytes *b)
{
    if (b->owned && b->descriptor >= 0)
        close(b->descriptor);
    free(b->data);
    *b = (eex__bytes){.descriptor = -1};
}

/* Room behind what is there: moved to the front, and doubled when that is not enough. */
static int make_room(eex__bytes *b)
{
    if (b->from > 0 && b->from >= b->capacity / 2) {
        memmove(b->data, b->data + b->from, b->to - b->from);
        b->to -= b->from;
        b->from = 0;
    }
    if (b->to < b->capacity)
        return EEX_OK;
    const size_t capacity = b->capacity ? 2 * b->capacity : PIECE;
    uint8_t *larger = realloc(b->data, capacity);
    if (!larger)
        return eex_fail(EEX_ENOMEM, "%s: out of memory for %zu bytes", b->name, capacity);
    b->data = larger;
    b->capacity = capacity;
    return EEX_OK;
}

/* Waits until there is something to read, looking up every now and then: a read that blocks would
 * not end when the program is told to. */
static int wait_for_data(const eex__bytes *b)
{
    struct pollfd p = {.fd = b->descriptor, .events = POLLIN};
    for (;;) {
        if (eex_interrupted() || (b->stopped && *b->stopped))
            return eex_fail(EEX_EINTERRUPTED, "interrupted while reading %s", b->name);
        const int there = poll(&p, 1, POLL_MS);
        if (there > 0)
            return EEX_OK;
        if (there < 0 && errno != EINTR)
            return eex_fail(EEX_EIO, "cannot wait for %s: %s", b->name, strerror(errno));
    }
}

static int read_some(eex__bytes *b)
{
    EEX_TRY(make_room(b));
    for (;;) {
        EEX_TRY(wait_for_data(b));
        const ssize_t got = read(b->descriptor, b->data + b->to, b->capacity - b->to);
        if (got >= 0) {
            b->to += (size_t)got;
            b->ended = got == 0;
            return EEX_OK;
        }
        if (errno != EINTR && errno != EAGAIN)
            return eex_fail(EEX_EIO, "cannot read %s: %s", b->name, strerror(errno));
    }
}

int eex__bytes_want(eex__bytes *b, size_t count)
{
    while (eex__bytes_there(b) < count && !b->ended)
        EEX_TRY(read_some(b));
    return EEX_OK;
}

int eex__bytes_ready(eex__bytes *b, size_t count, bool *ready)
{
    while (eex__bytes_there(b) < count && !b->ended) {
        struct pollfd p = {.fd = b->descriptor, .events = POLLIN};
        *ready = false;
        if (poll(&p, 1, 0) <= 0)
            return EEX_OK;
        EEX_TRY(read_some(b));
    }
    *ready = true;
    return EEX_OK;
}

int eex__bytes_line(eex__bytes *b, size_t *length, size_t limit)
{
    for (;;) {
        const size_t there = eex__bytes_there(b), look = there < limit ? there : limit;
        const uint8_t *end = look ? memchr(eex__bytes_at(b), '\n', look) : NULL;
        if (end) {
            *length = (size_t)(end - eex__bytes_at(b));
            return EEX_OK;
        }
        if (look == limit || b->ended)
            return eex_fail(EEX_EFORMAT, "%s: a header without an end in its first %zu bytes",
                            b->name, look);
        EEX_TRY(eex__bytes_want(b, there + 1));
    }
}

void eex__bytes_take(eex__bytes *b, size_t count)
{
    b->from += count;
    if (b->from == b->to)
        b->from = b->to = 0;
}
