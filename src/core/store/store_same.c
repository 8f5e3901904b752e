/* Whether two files hold the same, and a sum of what one holds, by their seals: no array is read.
 */
#include "core/store/store_hdf5.h"
#include "core/store/store_reader.h"

#include <inttypes.h>
#include <stdio.h>
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

/* ---- a sum ---- */

static bool is_below(const char *name, const char *group)
{
    const size_t length = strlen(group);
    return length == 0 || (strncmp(name, group, length) == 0 && name[length] == '/');
}

void eex__seal_held(char out[EEX_STORE_SUM], const eex__seal *seal, const char *group)
{
    eex_xxh64 sum;
    const eex__seal_entry *entry;
    eex_xxh64_begin(&sum);
    for (size_t at = 0; (entry = next_content(seal, &at));) {
        if (!is_below(entry->name, group))
            continue;
        eex_xxh64_update(&sum, &entry->head, sizeof entry->head);
        eex_xxh64_update(&sum, &entry->content, sizeof entry->content);
        eex_xxh64_update(&sum, entry->name, strlen(entry->name) + 1);
    }
    snprintf(out, EEX_STORE_SUM, "%016" PRIx64, eex_xxh64_end(&sum));
}

bool eex_store_sum(char out[EEX_STORE_SUM], const eex_store_file *file, const char *group)
{
    if (!out || !file || !group || !file->reader || !file->reader->is_sealed)
        return false;
    eex__seal_held(out, &file->reader->seal, group);
    return true;
}
