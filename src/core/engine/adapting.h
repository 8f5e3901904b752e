/* Settings by bandwidth for a model, and what they are worth: what `eex adapt` and the phase
 * PARTITION of a run do. Nothing is run unless the device's speed is to be measured: the traces
 * that a model keeps answer. */
#ifndef EEX_CORE_ENGINE_ADAPTING_H
#define EEX_CORE_ENGINE_ADAPTING_H

#include "core/engine/part_costs.h"
#include "core/policy/adapted.h"

typedef struct eex_adapting {
    double latency;            /* milliseconds on average, at most */
    eex_line line;             /* all but the bandwidth; device: unused where it is measured */
    int cut, bits;             /* as eex_part_costs has them */
    eex_convention convention; /* that speeds count by */
    double jpeg;               /* bytes of one; 0: it is not compared with */
    int quality;               /* that those were measured at; 0: they were given */
    bool measured;             /* the device's parts take what they take on the model's device */
    const char *table; /* a latency table (latency_table.h) that measured times come from as far as
                        * it has them; NULL: all are measured now */
    const char
        *filtered;     /* a model of eex prune --filters of this one, to compare with; NULL: none */
    bool no_predictor; /* do without the one that is there */
    bool fastest;      /* where nothing keeps the requirement take the fastest settings at all
                        * bandwidths, instead of EEX_EINVAL */
} eex_adapting;

typedef struct eex_adaptation_made eex_adaptation_made;

/* The model was opened with a device and is borrowed, as are the bandwidths. EEX_EINVAL: there is
 * no policy to adapt, or nothing keeps the requirement at any of the bandwidths; EEX_ENOTFOUND: no
 * traces; EEX_EINTERRUPTED. */
int eex_adapting_run(eex_adaptation_made **out, const eex_model *model, const eex_moments *moments,
                     const eex_adapting *wish);
void eex_adapting_free(eex_adaptation_made *made); /* accepts NULL */

const eex_adapted *eex_adapting_figures(const eex_adaptation_made *made);

/* Where nothing keeps the requirement at any of the bandwidths: what the fastest settings take on
 * average at the largest, ms. NaN: something does. */
double eex_adapting_nearest(const eex_adaptation_made *made);

/* A file of kind "adaptation". As eex_store_fill; context: an eex_adaptation_made. */
enum { EEX_ADAPTATION_VERSION = 1 };
int eex_adapting_fill(eex_store_file *file, const void *context);

#endif
