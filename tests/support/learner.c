#include "support/learner.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

eex_recipe learner_recipe(const eex_dataset *data, eex_regime regime, int epochs)
{
    eex_recipe r = eex_recipe_default();
    const eex_dataset_info *facts = eex_dataset_facts(data);
    r.regime = regime;
    r.epochs = epochs;
    r.batch = 32;
    r.lr = 0.05;
    r.augment.enabled = true;
    r.augment.crop_pad = 1;
    memcpy(r.augment.mean, facts->mean, sizeof r.augment.mean);
    memcpy(r.augment.std, facts->std, sizeof r.augment.std);
    return r;
}

learner learner_open(const eex_graph *graph, eex_device *device, uint64_t seed,
                     const eex_recipe *recipe, eex_dataset *data, const uint32_t *samples,
                     size_t count)
{
    learner l = {0};
    OK(eex_params_new(&l.params, device, graph, seed));
    OK(eex_trainer_new(&l.trainer, l.params, recipe, data, samples, count, 5));
    return l;
}

void learner_train(learner *l, int epochs)
{
    for (int i = 0; i < epochs; i++)
        OK(eex_trainer_epoch(l->trainer, &l->report));
}

void learner_close(learner *l)
{
    eex_trainer_free(l->trainer);
    eex_params_free(l->params);
}
