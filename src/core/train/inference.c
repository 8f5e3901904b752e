#include "core/train/inference.h"

#include "core/data/dataset.h"

void eex_augment_fit(eex_augment *out, const eex_dataset *data)
{
    const eex_dataset_info *facts = eex_dataset_facts(data);
    if (!out || !facts)
        return;
    out->height = facts->height;
    out->width = facts->width;
}

eex_plan_options eex_inference_plan(const eex_inference *how)
{
    if (!how)
        return (eex_plan_options){.batch = 0};
    return (eex_plan_options){.batch = how->batch,
                              .augment = how->normalise,
                              .precision = how->precision,
                              .part = how->part};
}
