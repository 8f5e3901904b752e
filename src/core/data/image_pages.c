/* How many pages a TIFF has, and where it ends: its directories one after the other. TIFF 6.0,
 * section 2, and BigTIFF. */
#include "core/data/image_ifd.h"
#include "core/data/image_impl.h"

enum {
    NEW_SUBFILE = 254, /* bits */
    REDUCED = 1,       /* a smaller version of another page */
    MASK = 4,          /* which pixels of another one are transparent */
    OLD_SUBFILE = 255, /* a number */
    OLD_REDUCED = 2,
    STRIPS = 273, /* where the pixels are, and how many bytes each */
    STRIP_BYTES = 279,
    TILES = 324,
    TILE_BYTES = 325,
    REMEMBERED = 1000 /* directories */
};

typedef struct walk {
    eex__ifd_reader r;
    int count_bytes, entry_bytes, offset_bytes; /* BigTIFF's are wider */
    size_t at,
        rest; /* rest: bytes of directories still to be read; no file has more than its own */
    size_t directories;
    size_t seen[REMEMBERED]; /* where the first ones are */
    size_t mark, moves;      /* a later one, and how many there are when the mark moves on */
} walk;

static size_t offset_at(const walk *w, size_t at)
{
    const uint64_t value = eex__ifd_number(&w->r, at, w->offset_bytes);
    return value < w->r.size ? (size_t)value : 0;
}

static bool begin(walk *w)
{
    const bool wide = w->r.size >= 16 && eex__ifd_number(&w->r, 2, 2) == 43;
    w->count_bytes = wide ? 8 : 2;
    w->entry_bytes = wide ? 20 : 12;
    w->offset_bytes = wide ? 8 : 4;
    if (w->r.size < 8)
        return false;
    w->at = offset_at(w, wide ? 8 : 4);
    w->rest = w->r.size;
    return true;
}

/* Whether the entry says that the directory is of something beside a page. */
static bool is_beside(const walk *w, size_t at)
{
    const uint64_t tag = eex__ifd_number(&w->r, at, 2);
    if (tag != NEW_SUBFILE && tag != OLD_SUBFILE)
        return false;
    const int bytes = eex__ifd_number(&w->r, at + 2, 2) == EEX__IFD_SHORT ? 2 : 4;
    const uint64_t value =
        eex__ifd_number(&w->r, at + (size_t)(w->entry_bytes - w->offset_bytes), bytes);
    return tag == NEW_SUBFILE ? (value & (REDUCED | MASK)) != 0 : value == OLD_REDUCED;
}

/* A chain may lead round in a circle. Among the first directories that is seen at once; behind them
 * the chain comes to a mark, which moves on ever more rarely (Brent): what is in such a circle may
 * count several times. */
static bool is_new(walk *w)
{
    const bool first = w->directories < REMEMBERED;
    for (size_t i = 0; first && i < w->directories; i++)
        if (w->seen[i] == w->at)
            return false;
    if (!first && w->at == w->mark)
        return false;
    if (first)
        w->seen[w->directories] = w->at;
    if (w->directories == w->moves) {
        w->mark = w->at;
        w->moves *= 2;
    }
    w->directories++;
    return true;
}

/* The directory at w->at: *page says what it is of; the next one follows. False: there is none. */
static bool step(walk *w, bool *page)
{
    const size_t room = w->r.size - w->at, ends = (size_t)(w->count_bytes + w->offset_bytes);
    if (w->at == 0 || room < ends || !is_new(w))
        return false;
    const uint64_t entries = eex__ifd_number(&w->r, w->at, w->count_bytes);
    const size_t most = room < w->rest ? room : w->rest, entry = (size_t)w->entry_bytes;
    if (most < ends || entries == 0 || entries > (most - ends) / entry)
        return false;
    const size_t first = w->at + (size_t)w->count_bytes, bytes = (size_t)entries * entry;
    *page = true;
    for (size_t at = first; at < first + bytes && *page; at += entry)
        *page = !is_beside(w, at);
    w->rest -= ends + bytes;
    w->at = offset_at(w, first + bytes);
    return true;
}

/* The first one is what is shown, whatever it says that it is. */
int eex__tiff_count(const uint8_t *data, size_t size)
{
    walk w = {.r = {data, size, size > 0 && data[0] == 'M'}, .moves = REMEMBERED};
    bool page;
    if (!begin(&w) || !step(&w, &page))
        return 1;
    int count = 1;
    while (count < EEX_IMAGE_MAX_COUNTED && step(&w, &page))
        count += page;
    return count;
}

/* ---- the end ---- */

/* The numbers of an entry, wherever they are. */
typedef struct values {
    size_t at, count;
    int bytes; /* of each */
} values;

static values values_of(const walk *w, size_t entry)
{
    static const int sizes[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8};
    const uint64_t type = eex__ifd_number(&w->r, entry + 2, 2);
    const uint64_t count = eex__ifd_number(&w->r, entry + 4, w->offset_bytes);
    const size_t own = entry + (size_t)(w->entry_bytes - w->offset_bytes);
    values v = {.bytes = type < sizeof sizes / sizeof *sizes ? sizes[type] : 0};
    if (v.bytes == 0 || count > w->r.size / (size_t)v.bytes)
        return v;
    v.count = (size_t)count;
    v.at = v.count * (size_t)v.bytes <= (size_t)w->offset_bytes ? own : offset_at(w, own);
    if (v.at == 0 || v.count * (size_t)v.bytes > w->r.size - v.at)
        v.count = 0;
    return v;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Of pixels, of whose places no more are read in all than the file has bytes. */
static size_t end_of_pixels(walk *w, const values *places, const values *lengths)
{
    size_t end = 0;
    const size_t count = places->count < lengths->count ? places->count : lengths->count;
    for (size_t i = 0; i < count && w->rest > 0; i++, w->rest--) {
        const uint64_t at =
            eex__ifd_number(&w->r, places->at + i * (size_t)places->bytes, places->bytes);
        const uint64_t bytes =
            eex__ifd_number(&w->r, lengths->at + i * (size_t)lengths->bytes, lengths->bytes);
        if (at < w->r.size && bytes <= w->r.size - at)
            end = larger(end, (size_t)(at + bytes));
    }
    return end;
}

/* Of the directory and of what it speaks of. */
static size_t end_of_directory(walk *w, size_t directory)
{
    const size_t entries = (size_t)eex__ifd_number(&w->r, directory, w->count_bytes);
    const size_t first = directory + (size_t)w->count_bytes, entry = (size_t)w->entry_bytes;
    values places = {0}, lengths = {0};
    size_t end = first + entries * entry + (size_t)w->offset_bytes;
    for (size_t at = first; at < first + entries * entry; at += entry) {
        const uint64_t tag = eex__ifd_number(&w->r, at, 2);
        const values v = values_of(w, at);
        end = larger(end, v.count ? v.at + v.count * (size_t)v.bytes : 0);
        if (tag == STRIPS || tag == TILES)
            places = v;
        if (tag == STRIP_BYTES || tag == TILE_BYTES)
            lengths = v;
    }
    return larger(end, end_of_pixels(w, &places, &lengths));
}

size_t eex__tiff_end(const uint8_t *data, size_t size)
{
    walk w = {.r = {data, size, size > 0 && data[0] == 'M'}, .moves = REMEMBERED};
    size_t end = 0;
    bool page;
    if (!begin(&w))
        return 0;
    for (size_t at = w.at; w.directories < REMEMBERED && step(&w, &page); at = w.at)
        end = larger(end, end_of_directory(&w, at));
    return end;
}
