#include "core/engine/distance.h"

#include "core/policy/policy.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct distances {
    eex_guest guest;
    const eex_graph *graph;
    const eex_familiar *familiar;
    double far[EEX_MAX_EXITS];
    float *value, *distance; /* (rows, largest value), (rows) */
    uint8_t *decision;       /* (rows) */
} distances;

static int reject(eex_guest *guest, eex_plan *plan, int k, int rows)
{
    distances *d = (distances *)guest;
    if (!(d->far[k] < (double)INFINITY))
        return EEX_OK;
    EEX_TRY(eex_familiar_measure(d->distance, d->familiar, plan, d->graph, k, d->value, rows));
    EEX_TRY(eex_plan_decisions(plan, d->decision, rows));
    for (int i = 0; i < rows; i++)
        if (eex_too_far(d->far[k], d->distance[i]))
            d->decision[i] = EEX_REJECT;
    return eex_plan_set_decisions(plan, d->decision, rows);
}

int eex_distance_guest_new(eex_guest **out, const eex_graph *graph, const eex_familiar *familiar,
                           const double *far, int rows)
{
    const size_t n = (size_t)rows;
    distances *d = calloc(1, sizeof *d);
    *out = NULL;
    if (!d)
        return eex_fail(EEX_ENOMEM, "out of memory for distances");
    d->guest.after = reject;
    d->graph = graph;
    d->familiar = familiar;
    memcpy(d->far, far, (size_t)familiar->exits * sizeof *far);
    d->value = malloc((eex_familiar_floats(familiar, graph) * n + 1) * sizeof *d->value);
    d->distance = malloc(n * sizeof *d->distance);
    d->decision = malloc(n);
    if (!d->value || !d->distance || !d->decision) {
        eex_distance_guest_free(&d->guest);
        return eex_fail(EEX_ENOMEM, "out of memory for the distances of %d images", rows);
    }
    *out = &d->guest;
    return EEX_OK;
}

void eex_distance_guest_free(eex_guest *guest)
{
    distances *d = (distances *)guest;
    if (!d)
        return;
    free(d->value);
    free(d->distance);
    free(d->decision);
    free(d);
}
