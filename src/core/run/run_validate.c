/* A look at the validation split after an epoch of training. */
#include "core/run/run.h"
#include "core/train/survey.h"

#include "base/status.h"

#include <stdlib.h>

/* A step costs about three times what an answer does, and one of gates alone little more than that:
 * the shares keep a look within 5 % of an epoch. Of fewer images than LEAST nothing can be said. */
enum { MOST = 1000, LEAST = 50, OF_STEPS = 10, OF_FROZEN = 20, BATCH = 100 };

static bool frozen(const eex__training *t)
{
    return t->recipe->regime == EEX_REGIME_FROZEN;
}

size_t eex__run_validation_images(const eex__training *t)
{
    size_t images = t->count / (frozen(t) ? OF_FROZEN : OF_STEPS);
    if (!t->validation)
        return 0;
    images = images < LEAST ? LEAST : images > MOST ? MOST : images;
    return images < t->validation->count ? images : t->validation->count;
}

bool eex__run_validates(const eex__training *t, int epoch)
{
    if (eex__run_validation_images(t) == 0)
        return false;
    return epoch == t->recipe->epochs || !(frozen(t) && t->recipe->cache_features);
}

typedef struct look {
    const eex_graph *graph;
    float *logits; /* (BATCH, classes) */
    double *right; /* (exits) */
} look;

static int count_exit(void *context, const eex_survey_place *at, int k)
{
    const look *l = context;
    const int classes = eex_graph_classes(l->graph);
    EEX_TRY(eex_plan_logits(at->plan, k, l->logits, at->batch->count));
    for (int i = 0; i < at->batch->count; i++) {
        const float *row = l->logits + (size_t)i * (size_t)classes;
        int top = 0;
        for (int c = 1; c < classes; c++)
            top = row[c] > row[top] ? c : top;
        l->right[k] += top == at->batch->labels[i];
    }
    return EEX_OK;
}

static int survey(double *accuracy, const eex_run *run, eex_params *params, const uint32_t *samples,
                  size_t count, int recipe_batch)
{
    static const eex_visitor visitor = {.segment = count_exit};
    const eex_graph *graph = params->graph;
    /* No more than what trains beside it needs memory for. */
    const int batch = recipe_batch < BATCH ? recipe_batch : BATCH;
    const eex_inference how = eex__run_inference(run, batch);
    look l = {.graph = graph, .right = accuracy};
    const eex_survey s = {.graph = graph,
                          .params = params,
                          .data = run->data,
                          .samples = samples,
                          .count = count,
                          .how = &how,
                          .exits = eex_graph_exits(graph),
                          .visitor = &visitor,
                          .context = &l};
    l.logits = malloc(BATCH * (size_t)eex_graph_classes(graph) * sizeof *l.logits);
    int code = l.logits ? eex_survey_run(&s)
                        : eex_fail(EEX_ENOMEM, "out of memory for the answers of %d images", BATCH);
    free(l.logits);
    for (int k = 0; k < s.exits; k++)
        accuracy[k] /= (double)count;
    return code;
}

int eex__run_validate(double *accuracy, const eex_run *run, eex_params *params,
                      const eex__training *t)
{
    const size_t count = eex__run_validation_images(t);
    uint32_t *some = malloc((count + 1) * sizeof *some);
    if (!some)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu sample numbers", count);
    for (size_t i = 0; i < count; i++)
        some[i] = t->validation->at[i * t->validation->count / count];
    for (int k = 0; k < eex_graph_exits(params->graph); k++)
        accuracy[k] = 0;
    int code = survey(accuracy, run, params, some, count, t->recipe->batch);
    free(some);
    return code;
}
