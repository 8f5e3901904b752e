#include "core/tune_chain.h"

#include <string.h>

#include "core/levels.h"

bool eex__aim_met(const eex__aim *aim, const eex__thresholds *at)
{
    return aim->kind == EEX__AIM_PRICE ||
           (aim->kind == EEX__AIM_RIGHT ? at->right >= aim->right : at->cost <= aim->cost);
}

static bool more_right(const eex__thresholds *a, const eex__thresholds *b)
{
    return a->right != b->right ? a->right > b->right : a->cost < b->cost;
}

static bool cheaper(const eex__thresholds *a, const eex__thresholds *b)
{
    return a->cost != b->cost ? a->cost < b->cost : a->right > b->right;
}

bool eex__aim_better(const eex__aim *aim, const eex__thresholds *a, const eex__thresholds *b)
{
    if (aim->kind == EEX__AIM_PRICE)
        return a->right - aim->price * a->cost > b->right - aim->price * b->cost;
    bool met = eex__aim_met(aim, a);
    if (met != eex__aim_met(aim, b))
        return met;
    return (aim->kind == EEX__AIM_RIGHT) == met ? cheaper(a, b) : more_right(a, b);
}

/* Where each sample leaves: the last exit whose test overwrites is the earliest that lets it go. */
static void chain_first(eex__chain *c, const eex__thresholds *at)
{
    uint8_t *restrict first = c->first;
    memset(first, c->count - 1, (size_t)c->samples);
    for (int k = c->count - 2; k >= 0; k--) {
        const uint8_t *restrict cell = c->cell[k];
        uint8_t pass = (uint8_t)(2 * (at->t[k] + 1)), here = (uint8_t)k;
        for (int i = 0; i < c->samples; i++)
            first[i] = cell[i] >= pass ? here : first[i];
    }
}

/* Fills right and cost, and how many samples each exit accepts. */
static void chain_count(eex__chain *c, eex__thresholds *at, int accepted[EEX_MAX_EXITS])
{
    int rejected[EEX_MAX_EXITS] = {0}, left[EEX_MAX_EXITS] = {0};
    const uint8_t reject = (uint8_t)(2 * c->levels);
    chain_first(c, at);
    at->right = 0;
    for (int i = 0; i < c->samples; i++) {
        int k = c->first[i];
        uint8_t cell = c->cell[k][i];
        at->right += cell & 1;
        left[k]++;
        rejected[k] += cell == reject;
    }
    at->cost = 0;
    for (int k = 0; k < c->count; k++) {
        at->cost += left[k] * c->cost[k];
        accepted[k] = left[k] - rejected[k];
    }
}

void eex__chain_measure(eex__chain *c, eex__thresholds *at)
{
    int accepted[EEX_MAX_EXITS];
    chain_count(c, at, accepted);
}

void eex__chain_judge(eex__chain *c, eex__thresholds *at)
{
    int accepted[EEX_MAX_EXITS], k = 0;
    const uint8_t closed = (uint8_t)(c->levels - 1);
    while (k < c->count - 1) {
        chain_count(c, at, accepted);
        for (k = 0; k < c->count - 1; k++)
            if (at->t[k] != closed && accepted[k] < c->least) {
                at->t[k] = closed; /* later exits now see more: count again */
                break;
            }
    }
    if (c->count == 1)
        chain_count(c, at, accepted);
}

/* What letting the samples of one level go at an exit changes, against leaving them to later ones.
 */
typedef struct gain {
    int samples, right;
    double cost;
} gain;

static void chain_gains(eex__chain *c, int k, gain *gains)
{
    double later[2 * EEX_MAX_EXITS]; /* by `next` */
    for (int s = 0; s < 2 * c->count; s++)
        later[s] = c->cost[k] - c->cost[s / 2];
    memset(gains, 0, (size_t)(c->levels + 1) * sizeof *gains);
    for (int i = 0; i < c->samples; i++) {
        if (c->first[i] < k)
            continue;
        uint8_t cell = c->cell[k][i], next = c->next[i];
        gain *g = &gains[cell >> 1];
        g->samples++;
        g->right += (cell & 1) - (next & 1);
        g->cost += later[next];
    }
}

/* Best level of exit k. `at` has right and cost with the present one. */
static void chain_choose(const eex__chain *c, int k, const gain *gains, eex__thresholds *at,
                         const eex__aim *aim)
{
    int closed = c->levels - 1, accepted = 0;
    eex__thresholds now = *at, best;
    for (int t = at->t[k] + 1; t <= closed; t++) { /* take the present choice back */
        now.right -= gains[t].right;
        now.cost -= gains[t].cost;
    }
    best = now;
    best.t[k] = (uint8_t)closed;
    for (int t = closed - 1; t >= 0; t--) {
        now.right += gains[t + 1].right;
        now.cost += gains[t + 1].cost;
        accepted += gains[t + 1].samples;
        if (accepted < c->least)
            continue;
        if (eex__aim_better(aim, &now, &best)) {
            best.right = now.right;
            best.cost = now.cost;
            best.t[k] = (uint8_t)t;
        }
    }
    *at = best;
}

static void chain_next(eex__chain *c, int k, int t)
{
    const uint8_t *restrict cell = c->cell[k];
    uint8_t *restrict next = c->next;
    uint8_t pass = (uint8_t)(2 * (t + 1)), here = (uint8_t)(2 * k);
    for (int i = 0; i < c->samples; i++)
        next[i] = cell[i] >= pass ? (uint8_t)(here | (cell[i] & 1)) : next[i];
}

bool eex__chain_sweep(eex__chain *c, eex__thresholds *at, const eex__aim *aim)
{
    gain gains[EEX__LEVELS_MAX + 1];
    int last = c->count - 1;
    bool moved = false;
    eex__chain_measure(c, at);
    for (int i = 0; i < c->samples; i++)
        c->next[i] = (uint8_t)(2 * last | (c->cell[last][i] & 1));
    for (int k = last - 1; k >= 0; k--) {
        uint8_t before = at->t[k];
        chain_gains(c, k, gains);
        chain_choose(c, k, gains, at, aim);
        chain_next(c, k, at->t[k]);
        moved |= at->t[k] != before;
    }
    return moved;
}
