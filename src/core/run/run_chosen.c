/* The candidate that a run is about, as search.h5 says. */
#include "core/run/run.h"

#include "base/status.h"

#include <stdlib.h>

typedef struct choice {
    const eex_run *run;
    int *genome;
    uint64_t trial;
} choice;

static int use_choice(eex_store_file *file, void *context)
{
    choice *c = context;
    const eex_space *space = &c->run->structures->space;
    const int genes = space->genes;
    int64_t chosen = 0;
    int32_t *row = NULL;
    eex_store_shape shape = {2, {EEX_STORE_ANY, (uint64_t)genes}};
    EEX_TRY(eex_store_get_int(&chosen, file, "", "chosen"));
    int code = eex_store_read_new((void **)&row, file, "trials/genome", EEX_STORE_I32, &shape,
                                  (size_t)1 << 30);
    if (code == EEX_OK && (chosen < 0 || (uint64_t)chosen >= shape.extent[0]))
        code = eex_store_refuse(file, "chosen is %lld, of %llu trials", (long long)chosen,
                                (unsigned long long)shape.extent[0]);
    for (int p = 0; code == EEX_OK && p < genes; p++) {
        c->genome[p] = row[(size_t)chosen * (size_t)genes + (size_t)p];
        if (c->genome[p] < 0 || c->genome[p] >= space->options[p])
            code = eex_store_refuse(file, "gene %d of trial %lld is %d", p, (long long)chosen,
                                    c->genome[p]);
    }
    c->trial = (uint64_t)chosen;
    free(row);
    return code;
}

int eex__run_chosen(int *genome, const eex_run *run, uint64_t *trial)
{
    choice c = {run, genome, 0};
    int code = eex__run_read(run, "search.h5", use_choice, &c);
    *trial = c.trial;
    return code;
}
