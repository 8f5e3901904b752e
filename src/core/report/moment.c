#include "core/report/moment.h"

#include "core/run/run_description.h"

#include "base/fs.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, MOST_TEXT = 16 << 20 };

/* What trains, and which entry of the description says for how many epochs; the first that it has.
 */
static const struct {
    eex_phase phase;
    const char *epochs[2];
} trainings[] = {
    {EEX_PHASE_BASE, {"training.base_epochs", "training.epochs"}},
    {EEX_PHASE_SHARED, {"training.epochs", NULL}},
    {EEX_PHASE_FINAL, {"final.epochs", NULL}},
};

enum { TRAININGS = sizeof trainings / sizeof *trainings };

/* ---- files ---- */

static bool is_there(const char *folder, const char *name)
{
    char *path = NULL;
    const bool there = eex_path_join(&path, folder, name) == EEX_OK && eex_fs_exists(path);
    free(path);
    return there;
}

static const char *checkpoint_of(eex_phase phase)
{
    const eex_phase_file *files = eex_phase_at(phase)->temporary;
    for (int i = 0; i < EEX_PHASE_FILES && files[i].name; i++)
        if (strcmp(files[i].kind, "checkpoint") == 0)
            return files[i].name;
    return NULL;
}

/* ---- the description ---- */

static int read_description(eex_store_file *file, void *context)
{
    return eex_store_read_string(context, file, "description", MOST_TEXT);
}

/* What it has under a path, up to the line's end; "" where it has nothing. */
static const char *entry(const char *text, const char *path)
{
    for (eex__entry e; eex__entry_next(&e, &text);)
        if (eex__entry_is(e.at, path))
            return e.at + eex__entry_path(e.at) + strlen(" = ");
    return "";
}

static bool is_set(const char *text, const char *path)
{
    return strtod(entry(text, path), NULL) > 0;
}

static bool is_word(const char *text, const char *path, const char *word)
{
    const char *value = entry(text, path);
    return strcspn(value, "\n") == strlen(word) && strncmp(value, word, strlen(word)) == 0;
}

static bool is_probed(const char *text)
{
    const char *points = entry(text, "saliency"), *probe = strstr(points, " by probe");
    return probe && probe < points + strcspn(points, "\n");
}

/* ---- phases ---- */

/* Whether the run has that phase: what phase.c asks of the experiment, which is not at hand. */
static bool is_wanted(eex_phase phase, const char *text)
{
    const bool trains = is_word(text, "search.evaluator", "train");
    switch (phase) {
    case EEX_PHASE_PROBE:
        return is_probed(text);
    case EEX_PHASE_SHARED:
        return !trains || is_word(text, "candidate.from", "shared");
    case EEX_PHASE_LATENCY:
        return !trains || is_word(text, "search.score", "equation1") ||
               is_word(text, "search.cost", "latency") || is_set(text, "search.limits.latency");
    case EEX_PHASE_TAU:
        return !trains && is_set(text, "search.tau");
    case EEX_PHASE_PREDICTOR:
        return is_set(text, "predictor.epochs");
    case EEX_PHASE_PARTITION:
        return is_set(text, "partition.latency");
    case EEX_PHASE_FRONT:
        return is_set(text, "search.front");
    case EEX_PHASE_RIVALS:
        return is_set(text, "rivals.base") || is_set(text, "rivals.cuts") ||
               *entry(text, "rivals.narrower");
    default:
        return true;
    }
}

/* The one that has left something half done, else the first behind all that are done. */
static eex_phase find_phase(const eex_moment *m, const eex_report *r, const char *description)
{
    int next = 0;
    if (r->finished)
        return EEX_PHASES;
    for (int p = 0; p < EEX_PHASES; p++) {
        const char *checkpoint = checkpoint_of((eex_phase)p);
        if (m->done[p])
            next = p + 1;
        else if (checkpoint && is_there(r->folder, checkpoint))
            return (eex_phase)p;
    }
    if (next <= EEX_PHASE_SEARCH && r->trials.count > 0)
        return EEX_PHASE_SEARCH;
    while (next < EEX_PHASE_RESULT && !is_wanted((eex_phase)next, description))
        next++;
    return (eex_phase)next;
}

/* ---- counts ---- */

static void count(eex_moment *m, const eex_report *r, const char *description)
{
    if (m->at == EEX_PHASE_SEARCH) {
        m->of = "trials";
        m->count = (int64_t)r->trials.count;
        m->total = strtoll(entry(description, "search.trials"), NULL, 10);
    }
    for (int i = 0; i < TRAININGS; i++) {
        if (trainings[i].phase != m->at)
            continue;
        m->count = m->curves.epochs > 0 && m->training == m->at ? m->curves.epochs : 0;
        for (int k = 0; k < 2 && m->total == 0 && trainings[i].epochs[k]; k++)
            m->total = strtoll(entry(description, trainings[i].epochs[k]), NULL, 10);
        m->of = m->count || m->total ? "epochs" : NULL; /* none: it takes what is trained already */
    }
}

/* ---- curves ---- */

static int read_curves(eex_moment *m, const char *folder)
{
    for (int i = TRAININGS - 1; i >= 0 && m->curves.epochs == 0; i--) {
        const eex_phase phase = trainings[i].phase;
        eex_curves_free(&m->curves);
        m->training = phase;
        EEX_TRY(
            m->done[phase]
                ? eex_curves_load(&m->curves, folder, eex_phase_at(phase)->files[0].name, "weights")
                : eex_curves_load(&m->curves, folder, checkpoint_of(phase), "checkpoint"));
    }
    return EEX_OK;
}

static int look(eex_moment *m, const eex_report *r)
{
    char *path = NULL, *description = NULL;
    for (int p = 0; p < EEX_PHASES; p++)
        m->done[p] = is_there(r->folder, eex_phase_at((eex_phase)p)->files[0].name);
    if (eex_lock_holder(&m->process, r->folder) < 0)
        m->process = -1;
    EEX_TRY(read_curves(m, r->folder));
    EEX_TRY(eex_path_join(&path, r->folder, "run.h5"));
    const int code = eex_store_read_file(path, "run", VERSION, read_description, &description);
    if (code == EEX_OK) {
        m->at = find_phase(m, r, description);
        count(m, r, description);
    }
    free(description);
    free(path);
    return code;
}

int eex_moment_look(eex_moment *out, const eex_report *report)
{
    *out = (eex_moment){.at = EEX_PHASES};
    const int code = look(out, report);
    if (code != EEX_OK)
        eex_moment_free(out);
    return code;
}

void eex_moment_free(eex_moment *m)
{
    eex_curves_free(&m->curves);
    *m = (eex_moment){.at = EEX_PHASES};
}
