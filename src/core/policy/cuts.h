/* Cuts: the static networks that a network with exits has in it. Cut after exit k, with that exit's
 * gate and no other, everybody leaves there: one accuracy, one cost. An early exit is worth what it
 * does beyond these.
 *
 * Between two cuts lies whoever sends each input to one of them by the toss of a coin, without a
 * look at it. So a network is compared with the concave hull of its cuts: what leaves where it
 * likes gains nothing, and what is above has told easy inputs from hard ones. The hull is at least
 * as good as the best single cut, so no figure here is better than the one against that. */
#ifndef EEX_CORE_POLICY_CUTS_H
#define EEX_CORE_POLICY_CUTS_H

#include "core/policy/trace.h"
#include "device/decide.h"

typedef struct eex_cuts {
    int count;                                           /* of the hull; 0: there is no cut */
    double accuracy[EEX_MAX_EXITS], cost[EEX_MAX_EXITS]; /* (count) both strictly ascending */
} eex_cuts;

/* The hull of `count` cuts (at most EEX_MAX_EXITS), in any order. One of which either is NaN is
 * none. */
void eex_cuts_of(eex_cuts *out, const double *accuracy, const double *cost, int count);

/* Of all exits of a trace that was scored: cost (exits) is what each costs as a network of its own.
 */
void eex_cuts_of_trace(eex_cuts *out, const eex_trace *trace, const double *cost);

/* What fraction of its cost a network with this accuracy and cost spares against the cuts at the
 * same accuracy; negative: it costs more. Where every cut is less accurate, against the most
 * accurate one; where every cut is more accurate, against the cheapest. NaN: there is no cut, or
 * an argument is NaN. */
double eex_cuts_saved(const eex_cuts *cuts, double accuracy, double cost);

/* How much more accurate it is than the cuts at the same cost; likewise. */
double eex_cuts_gained(const eex_cuts *cuts, double accuracy, double cost);

#endif
