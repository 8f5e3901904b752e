#include "core/frames/video.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/shell.h"
#include "base/status.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char read_here[] = "YUV4MPEG2";

typedef struct beginning {
    const char *kind; /* NULL: an image, whatever it is called */
    size_t at, length;
    const char *bytes;
} beginning;

/* Images in boxes are told from films in boxes by their brand, so they stand first. */
static const beginning beginnings[] = {
    {read_here, 0, 10, "YUV4MPEG2 "},
    {NULL, 0, 3, "\xff\xd8\xff"},
    {NULL, 0, 4, "\x89PNG"},
    {NULL, 0, 4, "II*\0"},
    {NULL, 0, 4, "MM\0*"},
    {NULL, 0, 4, "GIF8"},
    {NULL, 8, 4, "WEBP"},
    {NULL, 4, 8, "ftypheic"},
    {NULL, 4, 8, "ftypheix"},
    {NULL, 4, 8, "ftypmif1"},
    {NULL, 4, 8, "ftypavif"},
    {"QuickTime", 4, 8, "ftypqt  "},
    {"3GP", 4, 7, "ftyp3gp"},
    {"MP4", 4, 4, "ftyp"},
    {"QuickTime", 4, 4, "moov"},
    {"QuickTime", 4, 4, "mdat"},
    {"QuickTime", 4, 4, "wide"},
    {"WebM or Matroska", 0, 4, "\x1a\x45\xdf\xa3"},
    {"AVI", 8, 4, "AVI "},
    {"MPEG", 0, 4, "\0\0\1\xba"},
    {"MPEG", 0, 4, "\0\0\1\xb3"},
    {"Flash video", 0, 4, "FLV\1"},
    {"Windows Media", 0, 8, "\x30\x26\xb2\x75\x8e\x66\xcf\x11"},
    {"Ogg", 0, 4, "OggS"},
};

static const struct {
    const char *ending, *kind;
} endings[] = {
    {"y4m", read_here},     {"mp4", "MP4"},   {"m4v", "MP4"},           {"mkv", "Matroska"},
    {"webm", "WebM"},       {"avi", "AVI"},   {"mov", "QuickTime"},     {"qt", "QuickTime"},
    {"mpg", "MPEG"},        {"mpeg", "MPEG"}, {"vob", "MPEG"},          {"ts", "MPEG"},
    {"mts", "MPEG"},        {"m2ts", "MPEG"}, {"wmv", "Windows Media"}, {"asf", "Windows Media"},
    {"flv", "Flash video"}, {"ogv", "Ogg"},   {"3gp", "3GP"},           {"3g2", "3GP"},
    {"h264", "H.264"},      {"264", "H.264"}, {"h265", "H.265"},        {"hevc", "H.265"},
    {"ivf", "IVF"},         {"mxf", "MXF"},
};

/* Packets of 188 bytes, each with the same first one. */
static bool is_transport_stream(const char *begin, size_t size)
{
    return size > 188 && begin[0] == 'G' && begin[188] == 'G';
}

static const char *by_name(const char *name)
{
    const char *dot = name ? strrchr(eex_path_base(name), '.') : NULL;
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot + 1, endings[i].ending) == 0)
            return endings[i].kind;
    return NULL;
}

const char *eex_video_kind(const void *begin, size_t size, const char *name)
{
    const char *bytes = begin;
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        const beginning *b = &beginnings[i];
        if (size >= b->at + b->length && memcmp(bytes + b->at, b->bytes, b->length) == 0)
            return b->kind;
    }
    return is_transport_stream(bytes, size) ? "MPEG" : by_name(name);
}

const char *eex_video_file(const char *path)
{
    char begin[EEX_VIDEO_BEGIN];
    int file;
    if (!eex_fs_is_file(path) || eex_fs_open(&file, path) < 0)
        return NULL;
    const ssize_t size = read(file, begin, sizeof begin);
    close(file);
    return size > 0 ? eex_video_kind(begin, (size_t)size, path) : NULL;
}

bool eex_video_is_read(const char *kind)
{
    return strcmp(kind, read_here) == 0;
}

/* A file, as a word of a shell that no program takes for an option. */
static void add_word(eex_buffer *out, const char *text)
{
    if (*text == '-' && strcmp(text, "-") != 0)
        eex_buffer_puts(out, "./");
    eex_shell_word(out, text);
}

int eex_video_refuse(const char *path, const char *kind, const char *model)
{
    const bool in = strcmp(path, "-") == 0, read = eex_video_is_read(kind);
    eex_buffer line = EEX_BUFFER_INIT;
    if (!read) {
        eex_buffer_puts(&line, "ffmpeg -i ");
        add_word(&line, path);
        eex_buffer_puts(&line, " -f yuv4mpegpipe -pix_fmt yuv420p - | ");
    }
    eex_buffer_puts(&line, "eex stream ");
    add_word(&line, model);
    eex_buffer_putc(&line, ' ');
    add_word(&line, read ? path : "-");
    int code = eex_buffer_status(&line);
    if (code == EEX_OK)
        code = eex_fail(EEX_EUNSUPPORTED, "%s is a video (%s), which is streamed like this: %s",
                        in ? "the standard input" : path, kind, eex_buffer_text(&line));
    eex_buffer_free(&line);
    return code;
}
