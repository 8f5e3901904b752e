/* Threshold levels: a trace prepared for choosing thresholds.
 *
 * Exit k may use one of `count` values of its a, ascending: -INFINITY (accept everything), values
 * half-way between neighbouring samples at evenly spaced ranks, INFINITY (never accept). A sample's
 * level is how many of them let it pass, so that "accepted with threshold t" is level > t, one byte
 * compared. Levels come from the very thresholds that eex_policy_decide compares, so rounding is
 * the same everywhere. */
#ifndef EEX_CORE_POLICY_LEVELS_H
#define EEX_CORE_POLICY_LEVELS_H

#include "core/policy/policy.h"

enum {
    EEX__LEVELS_MIN = 3,
    EEX__LEVELS_MAX = 126,
    EEX__LEVELS_DEFAULT = 64,
    EEX__LEVELS_BLOCK = 64
};

typedef struct eex__levels {
    int samples, exits, count;
    int stride;    /* samples rounded up to whole blocks; cells of the rest are 0 */
    bool rejects;  /* there are rejected samples */
    double *a;     /* (exits, count) */
    uint8_t *cell; /* (exits, stride): 2 * level + right. A rejected sample has level `count`, which
                    * no accepted one has, and is never right */
} eex__levels;

/* From a trace that was scored at the policy's temperatures; b applies as the policy has it. `like`
 * lends its values of a (of the same exits); NULL: they come from this trace. */
int eex__levels_new(eex__levels **out, const eex_trace *trace, const eex_policy *policy, int count,
                    const eex__levels *like);
void eex__levels_free(eex__levels *levels);

/* Index of the largest value that is not above a. */
int eex__levels_find(const eex__levels *levels, int exit, double a);

/* The thresholds that a tuner chooses among; borrowed from it. */
struct eex_tuner;
const eex__levels *eex__tuner_levels(const struct eex_tuner *tuner);

#endif
