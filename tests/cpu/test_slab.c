#include "cpu/slab.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 40 };

typedef struct block {
    unsigned char *at;
    size_t bytes;
    unsigned char mark;
} block;

static void take(eex_slab **current, block *b, size_t bytes, int mark)
{
    void *at;
    cr_assert_eq(eex__slab_take(current, &at, bytes), EEX_OK, "%s", eex_error());
    cr_assert_eq((uintptr_t)at % 64, 0);
    *b = (block){at, bytes, (unsigned char)mark};
    memset(at, mark, bytes);
}

static void check(const block *b)
{
    for (size_t i = 0; i < b->bytes; i++)
        cr_assert_eq(b->at[i], b->mark, "a block of %zu bytes was written over", b->bytes);
}

/* Blocks of all sizes, given back and taken again in random order, never touch each other; what a
 * sanitizer finds leaked or freed twice fails the test there. */
Test(slab, blocks_keep_to_themselves)
{
    static const size_t sizes[] = {0, 1, 64, 1000, 70000, 3 << 20, 9 << 20, 8 << 20};
    block blocks[BLOCKS] = {{0}};
    eex_slab *current = NULL;
    eex_rng rng;
    eex_rng_seed(&rng, 1, 2);
    for (int turn = 0; turn < 300; turn++) {
        block *b = &blocks[eex_rng_below(&rng, BLOCKS)];
        if (b->at) {
            check(b);
            eex__slab_give(b->at);
        }
        take(&current, b, sizes[eex_rng_below(&rng, turn % 10 ? 5 : 8)], turn % 251);
    }
    eex__slab_close(&current);
    cr_assert_null(current);
    for (int i = 0; i < BLOCKS; i++) {
        if (blocks[i].at)
            check(&blocks[i]);
        eex__slab_give(blocks[i].at);
    }
}

Test(slab, an_empty_slab_is_used_again)
{
    eex_slab *current = NULL;
    block first, second;
    take(&current, &first, 5000, 1);
    eex__slab_give(first.at);
    take(&current, &second, 5000, 2);
    cr_expect_eq(first.at, second.at);
    eex__slab_give(second.at);
    eex__slab_close(&current);
}

Test(slab, what_cannot_be_is_refused)
{
    eex_slab *current = NULL;
    void *at = &current;
    cr_expect_eq(eex__slab_take(&current, &at, SIZE_MAX - 100), EEX_ENOMEM);
    cr_expect_null(at);
    eex__slab_give(NULL);
    eex__slab_close(&current);
}
