/* Frames: images that come one after the other, ready for a network: from files, a data set's
 * samples, raw RGB, YUV4MPEG2 or a simulated video.
 *
 * Whatever a source holds, reading it needs bounded memory. A frame that cannot be used (a broken
 * file, a frame that is cut off) is told as such and the source goes on with the next one where its
 * format lets it. A source is used from one thread at a time. What a function needs and is not
 * given it refuses with EEX_EINVAL, and so it does frames of no possible size. */
#ifndef EEX_CORE_FRAMES_FRAMES_H
#define EEX_CORE_FRAMES_FRAMES_H

#include "core/data/dataset.h"
#include "core/data/image.h"

enum {
    EEX_FRAME_LINE = 1024, /* bytes of a header's line, at most */
    EEX_FRAME_PROBLEM = 512
};

/* What the network reads: every frame is resized to it. 1 to EEX_IMAGE_MAX_SIDE pixels a side, at
 * most EEX_IMAGE_MAX_PIXELS, 1 or 3 channels. */
typedef struct eex_frame_shape {
    int height, width, channels;
    eex_fit fit;
} eex_frame_shape;

typedef enum eex_frame_state {
    EEX_FRAME_GOOD,
    EEX_FRAME_BAD, /* it is left out; `problem` says why */
    EEX_FRAME_END  /* there are no more */
} eex_frame_state;

typedef enum eex_relevance {
    EEX_RELEVANCE_UNKNOWN,
    EEX_RELEVANT,
    EEX_LOW_ENTROPY, /* irrelevant: hardly anything is to be seen */
    EEX_FOREIGN      /* irrelevant: out of distribution */
} eex_relevance;

typedef struct eex_frame {
    eex_frame_state state;
    eex_relevance relevance;
    uint64_t number;  /* its place in the source, from 0; bad ones count */
    int64_t sample;   /* its number in the data set; -1: it is of none */
    int32_t label;    /* -1: unknown */
    const char *name; /* of its file, or NULL; borrowed until the source is closed, if that says
                       * nothing else */
    double arrived;   /* eex_clock_seconds; 0: it was fetched when it was wanted */
    char problem[EEX_FRAME_PROBLEM];
} eex_frame;

typedef struct eex_frames eex_frames;

/* The next frame: its pixels, (height, width, channels), go to `pixels`. Fails only when there is
 * no going on: out of memory, a reading error, EEX_EINTERRUPTED after SIGINT or SIGTERM. */
int eex_frames_next(eex_frames *frames, eex_frame *frame, uint8_t *pixels);
void eex_frames_close(eex_frames *frames); /* accepts NULL */

uint64_t eex_frames_total(const eex_frames *frames); /* 0: not known beforehand */
uint64_t eex_frames_dropped(eex_frames *frames);     /* by a queue, so far */
bool eex_frames_ready(eex_frames *frames);           /* whether the next one comes without a wait */
bool eex_frames_drops(const eex_frames *frames);     /* whether that may yet go for a newer one */

/* ---- sources ---- */

/* Image files and folders, in the order given; what is in a folder, and in those inside it, in the
 * order of its names, however deep (hidden files and those not named like an image are left out;
 * a link to a folder is followed where it is called like a class and is in none, others are warned
 * of). A folder that cannot be listed is a bad frame. A file in a
 * folder that is called like a class has that label. `classes` (count of them, may be NULL) is not
 * kept. EEX_ENOTFOUND when a folder has no image. A path that does not exist is a bad frame. */
int eex_frames_open_files(eex_frames **out, const eex_frame_shape *shape, const char *const *paths,
                          size_t count, const char *const *classes, size_t class_count);

/* The longest name among the files, in columns of a terminal. */
size_t eex_frames_widest_name(const eex_frames *frames);

/* Whether the file of that name is one of those: whatever wrote it would change what is read. Also
 * where it is called otherwise there; where the name is a link, that itself. False of sources that
 * were given no list of files. */
bool eex_frames_reads(const eex_frames *frames, const char *path);

/* Image files whose names come one a line on the standard input, each read when its name has come;
 * or, where that begins as an image file does, the one image that it is. Whatever cannot be read is
 * a bad frame, and so is a name that is none: empty, or longer than a path may be. Labels as above;
 * the classes are borrowed. Names of frames are valid until EEX_FRAME_NAMES others were taken. */
enum { EEX_FRAME_NAMES = 8192 };
int eex_frames_open_input(eex_frames **out, const eex_frame_shape *shape,
                          const char *const *classes, size_t class_count);

/* Samples of a data set, in the order given (copied). The data set is borrowed. */
int eex_frames_open_samples(eex_frames **out, const eex_frame_shape *shape, eex_dataset *data,
                            const uint32_t *samples, size_t count);

/* Raw video: frames of width x height pixels, three bytes each, one after the other. path "-" is
 * the standard input. An incomplete last frame is a bad one. */
int eex_frames_open_rgb(eex_frames **out, const eex_frame_shape *shape, const char *path, int width,
                        int height);

/* YUV4MPEG2 at 8 bits: C420, C420jpeg, C420mpeg2, C420paldv, C422, C444, Cmono; other colour spaces
 * are refused by name (EEX_EUNSUPPORTED). Colours are ITU-R BT.601, of limited range unless the
 * header says XCOLORRANGE=FULL; where exactly chroma samples lie between the pixels is not
 * regarded. Frames that are too short or too long are bad ones, and reading goes on at the next
 * "FRAME". */
int eex_frames_open_y4m(eex_frames **out, const eex_frame_shape *shape, const char *path);

/* The same from memory, which is copied. */
int eex_frames_parse_rgb(eex_frames **out, const eex_frame_shape *shape, const void *data,
                         size_t size, int width, int height);
int eex_frames_parse_y4m(eex_frames **out, const eex_frame_shape *shape, const void *data,
                         size_t size);

/* Any of those by what a path is: "-" and files that begin as YUV4MPEG2 does, else a folder of
 * image files or one of them. */
int eex_frames_open_path(eex_frames **out, const eex_frame_shape *shape, const char *path,
                         const char *const *classes, size_t class_count);

/* ---- simulated video (NASEREX, IV-B) ---- */

typedef struct eex_simulated {
    eex_dataset *data;       /* borrowed: where relevant frames come from */
    const uint32_t *samples; /* (count) copied: its test samples */
    size_t count;
    eex_dataset *foreign;            /* borrowed, or NULL: drawn ones */
    const uint32_t *foreign_samples; /* (foreign_count) copied */
    size_t foreign_count;
    double irrelevant; /* share of the frames, 0..1 */
    uint64_t frames;   /* 0: as many as samples; at most 2^53 */
    uint64_t seed;
} eex_simulated;

/* Relevant frames are the samples in a random order, each once before any comes again. At random
 * places stand round(irrelevant * frames) others, which by halves (to one frame) are of low entropy
 * (one colour, a gradient, black, a sample blurred or out of focus; with slight noise) and out of
 * distribution (textures, noise, samples whose patches were shuffled, shapes; or samples of
 * `foreign`). A frame depends on (seed, its place) alone. */
int eex_frames_open_simulated(eex_frames **out, const eex_frame_shape *shape,
                              const eex_simulated *how);

/* ---- a queue in front of any source ---- */

typedef enum eex_drop {
    EEX_DROP_NONE,   /* the source waits */
    EEX_DROP_NEWEST, /* the frame that finds the queue full is gone */
    EEX_DROP_OLDEST  /* the one that has waited longest */
} eex_drop;

enum { EEX_FRAMES_MAX_QUEUE = 1 << 20 };

typedef struct eex_ahead {
    int queue; /* frames that may wait, 1 to EEX_FRAMES_MAX_QUEUE */
    eex_drop drop;
    double fps; /* frames arrive so many a second; 0: as fast as the source gives them */
} eex_ahead;

/* A thread reads `source` ahead into a queue of fixed size. Takes the source over, also on failure.
 * A process that was forked since gets EEX_EIO, for the thread is not in it. Bad frames take no
 * place in it and are never dropped. */
int eex_frames_open_ahead(eex_frames **out, eex_frames *source, const eex_ahead *how);

#endif
