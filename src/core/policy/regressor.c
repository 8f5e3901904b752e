#include "core/policy/regressor.h"

#include <math.h>

void eex_regressor_add(eex_regressor *r, double value)
{
    double before = value - r->mean;
    r->count++;
    r->mean += before / (double)r->count;
    r->m2 += before * (value - r->mean);
}

double eex_regressor_dev(const eex_regressor *r)
{
    return r->count < 2 ? 0 : sqrt(r->m2 / (double)r->count);
}
