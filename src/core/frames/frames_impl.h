/* What the frame sources share; private to frames*.c. */
#ifndef EEX_CORE_FRAMES_FRAMES_IMPL_H
#define EEX_CORE_FRAMES_FRAMES_IMPL_H

#include "core/frames/frames.h"

#include <stdatomic.h>

/* A source embeds eex_frames as its first member. */
typedef struct eex__frames_vtable {
    /* Fills frame (which is {GOOD, unknown, ...}) and pixels. A failure other than out of memory,
     * interruption and EEX_EIO makes a bad frame. */
    int (*next)(eex_frames *frames, eex_frame *frame, uint8_t *pixels);
    void (*close)(eex_frames *frames); /* frees what the source holds, and itself */
    /* These may be NULL: always ready, nothing dropped, nobody to tell. */
    bool (*ready)(eex_frames *frames);
    uint64_t (*dropped)(eex_frames *frames);
    void (*stop)(eex_frames *frames);
    bool (*reads)(const eex_frames *frames, const char *path); /* NULL: no files */
} eex__frames_vtable;

struct eex_frames {
    const eex__frames_vtable *vtable;
    eex_frame_shape shape;
    uint64_t total, at;
    uint64_t several; /* files with more than the first image */
    size_t widest;
    bool drops; /* the oldest of those that wait */
    bool ended;
    atomic_bool stopped; /* by another thread: reading that waits for data gives up */
};

/* What every source is opened with: sets *out to NULL; EEX_EINVAL for a frame of no possible size.
 */
int eex__frames_check(eex_frames **out, const eex_frame_shape *shape);

/* Zeroed memory for a source of that size; NULL with the message set. */
void *eex__frames_new(size_t size, const eex__frames_vtable *vtable, const eex_frame_shape *shape);

/* Makes the next call (from the thread that reads) return soon. */
void eex__frames_stop(eex_frames *frames);

/* The class that a folder is called like, or -1. */
int32_t eex__frames_label(const char *const *classes, size_t class_count, const char *folder);

/* An image, as a file holds it, to the size of the frames: `enough` for eex_image_decode, and
 * whatever that gives to pixels, which frees it. */
int eex__frames_enough(const eex_frame_shape *shape);
int eex__frames_resize(uint8_t *pixels, const eex_frame_shape *shape, eex_image *image);

/* Warns where the bytes, which were decoded, hold more than the first image: of the first few such
 * files, and when the source is closed of how many more there were. */
void eex__frames_tell_more(eex_frames *frames, const void *data, size_t size, const char *name);

/* A file's image to pixels. Whatever is wrong with the file is no end of the source. */
int eex__frames_read_file(eex_frames *frames, uint8_t *pixels, const char *path);

static inline size_t eex__frame_bytes(const eex_frame_shape *s)
{
    return (size_t)s->height * (size_t)s->width * (size_t)s->channels;
}

#endif
