/* The pool under the thread sanitizer: what a run writes is seen by the next one, on any thread. */
#include "cpu/pool.h"

#include <stdlib.h>

enum { THREADS = 4, ITEMS = 1000, ROUNDS = 500 };

typedef struct work {
    int from[ITEMS], to[ITEMS];
} work;

/* Each part reads what another one wrote in the run before. */
static void rotate(void *ctx, const eex_part *part)
{
    work *w = ctx;
    int begin, end;
    eex_pool_share(&begin, &end, ITEMS, 1, part->index, part->count);
    for (int i = begin; i < end; i++)
        w->to[i] = w->from[(i + ITEMS / THREADS) % ITEMS] + 1;
}

static void copy_back(void *ctx, const eex_part *part)
{
    work *w = ctx;
    int begin, end;
    eex_pool_share(&begin, &end, ITEMS, 16, part->index, part->count);
    for (int i = begin; i < end; i++)
        w->from[i] = w->to[i];
}

int main(void)
{
    static work w;
    eex_pool *pool = NULL;
    if (eex_pool_new(&pool, THREADS) < 0)
        return 1;
    for (int i = 0; i < ITEMS; i++)
        w.from[i] = i;
    for (int round = 0; round < ROUNDS; round++) {
        eex_pool_limit(pool, round % 7 ? 0 : 1 + round % 3);
        eex_pool_run(pool, 1 + round % 29, rotate, &w);
        eex_pool_run(pool, 1 + round % 31, copy_back, &w);
    }
    int wrong = 0;
    for (int i = 0; i < ITEMS; i++)
        wrong += w.from[i] != (i + ROUNDS * (ITEMS / THREADS)) % ITEMS + ROUNDS;
    eex_pool_free(pool);
    return wrong > 0;
}
