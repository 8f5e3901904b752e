/* What the header of a YUV4MPEG2 stream says, and the planes of its frames. Private to frames_*.c.
 */
#ifndef EEX_CORE_FRAMES_FRAMES_Y4M_H
#define EEX_CORE_FRAMES_FRAMES_Y4M_H

#include "core/frames/frames.h"
#include "core/frames/frames_bytes.h"

typedef struct eex__y4m_video {
    int width, height;
    int across, down; /* pixels that share a chroma sample; 0: there is no chroma */
    bool full;        /* range: 0..255 instead of 16..235 */
} eex__y4m_video;

/* The parameters behind the magic word. `name` is for messages. */
int eex__y4m_header(eex__y4m_video *out, char *parameters, const char *name);

size_t eex__y4m_bytes(const eex__y4m_video *video); /* of a frame's planes */

/* Planes to pixels. shrunken has room for (3, height, width). */
int eex__y4m_convert(uint8_t *pixels, const eex_frame_shape *shape, const eex__y4m_video *video,
                     uint8_t *planes, uint8_t *shrunken);

/* Takes the bytes over, also on failure. */
int eex__frames_open_y4m_bytes(eex_frames **out, const eex_frame_shape *shape, eex__bytes *bytes);

#endif
