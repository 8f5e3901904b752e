/* What a PNG says beside its pixels: how many frames there are, and which way up they are to be
 * seen. That stands in a chunk eXIf, of which libpng leaves out what is not begun as it asks, and
 * in the text "Raw profile type exif" of those who wrote before there was such a chunk. */
#include "core/data/image_impl.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    MAX_TEXT = 1 << 20, /* bytes of inflated text: a profile with a preview has a fifth of that */
    MAX_TEXTS = 8       /* of them looked at */
};

typedef struct chunk {
    const uint8_t *data;
    size_t size;
} chunk;

static const char keyword[] = "Raw profile type exif"; /* and its '\0' */

static uint32_t big_endian(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* ---- frames ---- */

/* An animation says so in a chunk before its pixels, with the number of frames. */
int eex__png_count(const uint8_t *data, size_t size)
{
    for (size_t at = 8; size > 12 && at < size - 12;) {
        const size_t length = big_endian(data + at);
        if (memcmp(data + at + 4, "acTL", 4) == 0)
            return length >= 4 ? eex__image_counted(big_endian(data + at + 8)) : 1;
        if (memcmp(data + at + 4, "IDAT", 4) == 0 || length > size - 12 - at)
            break;
        at += 12 + length;
    }
    return 1;
}

/* ---- the way up ---- */

/* The next whole one of the type, from *at on. Damaged ones do not count. */
static bool find_chunk(chunk *out, size_t *at, const uint8_t *data, size_t size, const char *type)
{
    while (size > 12 && *at <= size - 12) {
        const size_t length = big_endian(data + *at);
        const uint8_t *head = data + *at + 4;
        if (length > size - 12 - *at)
            return false;
        *at += 12 + length;
        *out = (chunk){head + 4, length};
        if (memcmp(head, type, 4) == 0 &&
            crc32(0, head, (uInt)(length + 4)) == big_endian(head + 4 + length))
            return true;
    }
    return false;
}

static int digit(uint8_t c)
{
    const char *digits = "0123456789abcdef0123456789ABCDEF";
    const char *found = c ? strchr(digits, c) : NULL;
    return found ? (int)(found - digits) % 16 : -1;
}

/* "\nexif\n    1234\n4578...": the bytes, as hexadecimal digits with ends of lines among them,
 * behind their number. In place. */
static int read_profile(uint8_t *text, size_t size)
{
    size_t at = 0, count = 0, digits = 0;
    for (int lines = 0; at < size && lines < 3; at++)
        lines += text[at] == '\n';
    for (; at < size; at++) {
        const int value = digit(text[at]);
        if (value < 0 && text[at] != '\n' && text[at] != '\r' && text[at] != ' ')
            break;
        if (value < 0)
            continue;
        if (digits++ % 2 == 0)
            text[count] = (uint8_t)(value << 4);
        else
            text[count++] |= (uint8_t)value;
    }
    return eex__exif_orientation(text, count);
}

/* Of a text that is longer the beginning is read: the number stands there. */
static size_t inflate_text(uint8_t *out, const uint8_t *from, size_t size)
{
    uLongf bytes = MAX_TEXT;
    const int code = uncompress(out, &bytes, from, (uLong)size);
    return code == Z_OK || code == Z_BUF_ERROR || code == Z_DATA_ERROR ? (size_t)bytes : 0;
}

static int read_text(const chunk *c, bool compressed, uint8_t *room)
{
    const size_t head = sizeof keyword + compressed; /* with the method, which is deflate */
    if (c->size <= head || memcmp(c->data, keyword, sizeof keyword) != 0)
        return 1;
    size_t size = c->size - head;
    if (compressed)
        return read_profile(room, inflate_text(room, c->data + head, size));
    size = size < MAX_TEXT ? size : MAX_TEXT;
    memcpy(room, c->data + head, size);
    return read_profile(room, size);
}

static int read_texts(const uint8_t *data, size_t size, uint8_t *room)
{
    static const char *const types[] = {"zTXt", "tEXt"};
    int orientation = 1;
    for (int t = 0; t < 2; t++) {
        chunk c;
        size_t at = 8;
        for (int i = 0; i < MAX_TEXTS && orientation == 1;)
            if (!find_chunk(&c, &at, data, size, types[t]))
                break;
            else if (c.size > sizeof keyword && memcmp(c.data, keyword, sizeof keyword) == 0 && ++i)
                orientation = read_text(&c, t == 0, room);
    }
    return orientation;
}

int eex__png_orientation(int *out, const uint8_t *data, size_t size, const char *path)
{
    chunk c;
    size_t at = 8;
    *out = 1;
    if (find_chunk(&c, &at, data, size, "eXIf")) {
        *out = eex__exif_orientation(c.data, c.size);
        return EEX_OK;
    }
    uint8_t *room = malloc(MAX_TEXT);
    if (!room)
        return eex_fail(EEX_ENOMEM, "%s: out of memory", path);
    *out = read_texts(data, size, room);
    free(room);
    return EEX_OK;
}
