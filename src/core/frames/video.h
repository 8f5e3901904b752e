/* Video files. eex reads YUV4MPEG2 and bare pixels; whatever else a film comes in, ffmpeg turns
 * into the former, and messages say how. */
#ifndef EEX_CORE_FRAMES_VIDEO_H
#define EEX_CORE_FRAMES_VIDEO_H

#include <stdbool.h>
#include <stddef.h>

enum { EEX_VIDEO_BEGIN = 512 }; /* bytes that tell what a file is */

/* What a video that begins so is called ("MP4", "Matroska"; "YUV4MPEG2" as well), by these bytes,
 * or by the ending of its name (NULL: it has none) where they tell nothing. NULL: it is no video.
 */
const char *eex_video_kind(const void *begin, size_t size, const char *name);

/* The same of a file; NULL for what is no regular file, or cannot be read. */
const char *eex_video_file(const char *path);

/* Whether that kind is one that eex_frames_open_y4m reads. */
bool eex_video_is_read(const char *kind);

/* "PATH is a video (MP4): ffmpeg -i PATH ... | eex stream MODEL -", quoted for the shell. PATH "-"
 * is the standard input. Returns EEX_EUNSUPPORTED. */
int eex_video_refuse(const char *path, const char *kind, const char *model);

#endif
