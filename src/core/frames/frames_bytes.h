/* Bytes of a file, a pipe or a piece of memory, as parsers of streams want them: as many as they
 * ask for in one piece, or all that are left. Private to frames_*.c.
 *
 * Memory grows with what has arrived, never with what a header has promised. */
#ifndef EEX_CORE_FRAMES_FRAMES_BYTES_H
#define EEX_CORE_FRAMES_FRAMES_BYTES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct eex__bytes {
    char name[256]; /* for messages */
    int descriptor; /* -1: memory alone */
    bool owned, ended;
    uint8_t *data; /* what was read and not yet taken: [from, to) */
    size_t capacity, from, to;
    const atomic_bool *stopped; /* of the source */
} eex__bytes;

/* path "-": the standard input; EEX_EINVAL when that is a terminal, but for those who read text. */
int eex__bytes_open(eex__bytes *b, const char *path, const atomic_bool *stopped);
int eex__bytes_parse(eex__bytes *b, const void *data, size_t size, const atomic_bool *stopped);
int eex__bytes_open_text(eex__bytes *b, const char *path, const atomic_bool *stopped);
void eex__bytes_close(eex__bytes *b); /* accepts {0} whose descriptor is -1 */

/* Waits until `count` bytes are there or the end is reached. EEX_EIO, EEX_ENOMEM, or
 * EEX_EINTERRUPTED after a signal or when the source was stopped. */
int eex__bytes_want(eex__bytes *b, size_t count);

/* Whether so many bytes are there, or the end is reached, without waiting for any. */
int eex__bytes_ready(eex__bytes *b, size_t count, bool *ready);

/* Waits for a line: *length bytes of it are there, its '\n' not counted; EEX_EFORMAT when there is
 * none within `limit` bytes. */
int eex__bytes_line(eex__bytes *b, size_t *length, size_t limit);

static inline size_t eex__bytes_there(const eex__bytes *b)
{
    return b->to - b->from;
}

/* Borrowed until the next call. */
static inline uint8_t *eex__bytes_at(eex__bytes *b)
{
    return b->data + b->from;
}

void eex__bytes_take(eex__bytes *b, size_t count);

#endif
