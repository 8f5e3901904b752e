#include "core/train/inference.h"

eex_plan_options eex_inference_plan(const eex_inference *how)
{
    if (!how)
        return (eex_plan_options){.batch = 0};
    return (eex_plan_options){
        .batch = how->batch, .augment = how->normalise, .precision = how->precision};
}
