/* Whether two files hold the same, by their seals: no array is read. */
#include "core/store/store_hdf5.h"
#include "core/store/store_reader.h"

#include <string.h>

/* The next entry that has content: not a group, whose attributes may say when and how long. */
static const eex__seal_entry *next_content(const eex__seal *seal, size_t *at)
{
    const uint64_t none = eex_xxh64_of("", 0);
    while (*at < seal->count && seal->entry[*at].content == none)
        ++*at;
    return *at < seal->count ? &seal->entry[(*at)++] : NULL;
}

static bool same_entry(const eex__seal_entry *a, const eex__seal_entry *b)
{
    return a->head == b->head && a->content == b->content && strcmp(a->name, b->name) == 0;
}

bool eex_store_same(const eex_store_file *a, const eex_store_file *b)
{
    size_t i = 0, j = 0;
    if (!a || !b || !a->reader || !b->reader || !a->reader->is_sealed || !b->reader->is_sealed)
        return false;
    for (;;) {
        const eex__seal_entry *x = next_content(&a->reader->seal, &i);
        const eex__seal_entry *y = next_content(&b->reader->seal, &j);
        if (!x || !y)
            return !x && !y;
        if (!same_entry(x, y))
            return false;
    }
}
