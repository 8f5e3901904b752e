/* Files of a search: trials while it goes on, search.h5 at its end. */
#include "core/run/candidates.h"
#include "core/run/run_search.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>

enum { NAME = 48 };

static const char *trials_name(char name[NAME], size_t first)
{
    snprintf(name, NAME, "trials-%07zu.h5", first);
    return name;
}

/* ---- trials in files ---- */

static int fill_trials(eex_store_file *file, const void *context)
{
    const eex__search *s = context;
    EEX_TRY(eex_models_save(&s->models, s->models_stored, file, "models"));
    return eex_trials_save(&s->trials, s->stored, s->trials.count - s->stored, file, "trials");
}

int eex__search_store(eex__search *s)
{
    char name[NAME];
    EEX_TRY(eex__run_write(s->run, trials_name(name, s->stored), fill_trials, s));
    s->stored = s->trials.count;
    s->models_stored = s->models.count;
    return EEX_OK;
}

static int use_trials(eex_store_file *file, void *context)
{
    eex__search *s = context;
    EEX_TRY(eex_models_load(&s->models, file, "models"));
    EEX_TRY(eex_trials_load(&s->trials, file, "trials"));
    if (s->stored == s->trials.count)
        return eex_store_refuse(file, "it has no trials");
    for (size_t i = s->stored; i < s->trials.count; i++) {
        const int code = eex__search_tell(s, i);
        if (code == EEX_EINVAL)
            return eex_store_refuse(file, "trial %zu: %s", i, eex_error());
        EEX_TRY(code);
        EEX_TRY(eex__search_consider(s, i));
    }
    return EEX_OK;
}

int eex__search_load(eex__search *s)
{
    char name[NAME];
    while (eex__run_has(s->run, trials_name(name, s->stored))) {
        EEX_TRY(eex__run_read(s->run, name, use_trials, s));
        s->stored = s->trials.count;
        s->models_stored = s->models.count;
    }
    return EEX_OK;
}

/* ---- search.h5 ---- */

static int save_front(const eex__search *s, eex_store_file *file)
{
    size_t *front = NULL, count = 0;
    EEX_TRY(
        eex_trials_front(&front, &count, &s->trials, s->run->e->search.cost == EEX_COST_LATENCY));
    const eex_store_shape shape = {1, {count}};
    uint64_t *rows = malloc((count + 1) * sizeof *rows);
    for (size_t i = 0; rows && i < count; i++)
        rows[i] = front[i];
    int code = rows ? eex_store_write(file, "front", EEX_STORE_U64, &shape, rows)
                    : eex_fail(EEX_ENOMEM, "out of memory for a Pareto front");
    free(rows);
    free(front);
    return code == EEX_OK ? eex_store_set_string(file, "front", "meaning",
                                                 "Pareto-optimal trials, cheapest first")
                          : code;
}

/* And the hypervolume that the search has come to. */
static int save_models(const eex__search *s, eex_store_file *file)
{
    double hypervolume;
    if (s->models.count == 0)
        return EEX_OK;
    EEX_TRY(eex_models_hypervolume(&hypervolume, &s->models, &s->trials,
                                   s->run->e->search.cost == EEX_COST_LATENCY));
    EEX_TRY(eex_models_save(&s->models, 0, file, "models"));
    return eex_store_set_double(file, "models", "hypervolume", hypervolume);
}

/* How many structures there are, where that can be counted. */
static int save_structures(const eex__search *s, eex_store_file *file)
{
    uint64_t count = 0;
    return eex_space_candidates(&count, &s->run->structures->space)
               ? eex_store_set_int(file, "", "structures", (int64_t)count)
               : EEX_OK;
}

static int fill_search(eex_store_file *file, const void *context)
{
    const eex__search *s = context;
    EEX_TRY(eex_trials_save(&s->trials, 0, s->trials.count, file, "trials"));
    EEX_TRY(eex_structures_describe(file, s->run->structures));
    EEX_TRY(save_front(s, file));
    EEX_TRY(save_models(s, file));
    EEX_TRY(save_structures(s, file));
    EEX_TRY(eex_unmet_save(&s->unmet, file));
    EEX_TRY(eex_store_set_int(file, "", "chosen", (int64_t)s->chosen));
    return eex_store_set_double(file, "", "seconds", s->seconds);
}

int eex__search_save(const eex__search *s)
{
    return eex__run_write(s->run, "search.h5", fill_search, s);
}

int eex__search_clean(const eex__search *s)
{
    char name[NAME];
    for (size_t first = 0; first < (size_t)s->run->e->search.trials; first += s->how->file_trials)
        EEX_TRY(eex__run_remove(s->run, trials_name(name, first)));
    EEX_TRY(eex__candidates_clear(s->run));
    /* The comparison that comes next trains with the same checkpoint, and removes it. */
    const bool passed_on =
        s->how->shared && s->run->e->search.tau > 0 && !eex__run_has(s->run, "tau.h5");
    return passed_on ? EEX_OK : eex__run_remove(s->run, "candidate-checkpoint.h5");
}
