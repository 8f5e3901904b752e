/* What is passed over where folders are looked through: how many files, why, and the first. */
#ifndef EEX_CORE_DATA_PASSED_H
#define EEX_CORE_DATA_PASSED_H

#include "base/arena.h"
#include "base/buffer.h"

#include <stddef.h>

enum { EEX_PASSED_REASONS = 24 }; /* the last one counts what comes after it, too */

/* Zero it before use. */
typedef struct eex_passed {
    eex_arena arena; /* of the texts */
    struct {
        const char *why, *first;
        size_t count;
    } reasons[EEX_PASSED_REASONS];
    int count;
} eex_passed;

void eex_passed_free(eex_passed *passed); /* leaves {0} */

/* All copy their texts. EEX_ENOMEM; eex_passed_tree also EEX_EINTERRUPTED. */
int eex_passed_add(eex_passed *passed, const char *why, const char *path);

/* A file whose name is that of no image: "named .gif", "without an ending". */
int eex_passed_add_ending(eex_passed *passed, const char *path);

/* Whatever PATH is: of a folder each file in it counts, however deep, and one without any counts
 * itself. Links are not followed. */
int eex_passed_add_tree(eex_passed *passed, const char *why, const char *path);

/* "2 named .gif (a/x.gif)" for each reason, with `between` between them. Returns how many files. */
size_t eex_passed_say(eex_buffer *out, const eex_passed *passed, const char *between);

#endif
