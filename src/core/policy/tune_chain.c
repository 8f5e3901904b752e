#include "core/policy/tune_chain.h"

#include "core/policy/levels.h"

#include "base/signals.h"

#include <string.h>

enum { STATES = 2 * EEX_MAX_EXITS };

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

/* ---- outcomes ---- */

/* Everyone reaches the last exit. */
static void chain_end(const eex__chain *c, uint8_t *outcome)
{
    const uint8_t *cell = c->cell[c->count - 1];
    for (int i = 0; i < c->stride; i++)
        outcome[i] = (uint8_t)(2 * (c->count - 1) | (cell[i] & 1));
}

/* Whoever passes threshold t of exit k leaves there instead of later. In blocks of a known length,
 * which the compiler turns into vectors. */
static void chain_leave(const eex__chain *c, uint8_t *restrict outcome, int k, int t)
{
    const uint8_t *restrict cell = c->cell[k];
    const uint8_t pass = (uint8_t)(2 * (t + 1)), here = (uint8_t)(2 * k);
    for (int block = 0; block < c->stride; block += EEX__LEVELS_BLOCK)
        for (int i = block; i < block + EEX__LEVELS_BLOCK; i++) {
            uint8_t leaving = (uint8_t)(here | (cell[i] & 1));
            outcome[i] = cell[i] >= pass ? leaving : outcome[i];
        }
}

/* Rejected samples leave at an exit, but it does not accept them. */
static void chain_uncount_rejected(const eex__chain *c, int accepted[EEX_MAX_EXITS])
{
    const uint8_t reject = (uint8_t)(2 * c->levels);
    for (int i = 0; i < c->samples; i++) {
        int k = c->now[i] / 2;
        accepted[k] -= c->cell[k][i] == reject;
    }
}

/* Right and cost from `now`, and how many samples each exit accepts. */
static void chain_count(const eex__chain *c, eex__thresholds *at, int accepted[EEX_MAX_EXITS])
{
    uint32_t counts[4][STATES]; /* in turn, because the next sample often has the same outcome */
    for (int j = 0; j < 4; j++)
        memset(counts[j], 0, 2 * (size_t)c->count * sizeof counts[j][0]);
    for (int i = 0; i < c->samples; i++)
        counts[i & 3][c->now[i]]++;
    at->right = 0;
    at->cost = 0;
    for (int k = 0; k < c->count; k++) {
        uint32_t wrong = 0, right = 0;
        for (int j = 0; j < 4; j++) {
            wrong += counts[j][2 * k];
            right += counts[j][2 * k + 1];
        }
        at->right += (int)right;
        at->cost += (wrong + right) * c->cost[k];
        accepted[k] = (int)(wrong + right);
    }
    if (c->rejects)
        chain_uncount_rejected(c, accepted);
}

static void chain_outcomes(eex__chain *c, const eex__thresholds *at)
{
    chain_end(c, c->now);
    for (int k = c->count - 2; k >= 0; k--)
        chain_leave(c, c->now, k, at->t[k]);
}

/* Closes exits that accept too few, one after the other, because each sends more to the next. */
static void chain_settle(eex__chain *c, eex__thresholds *at)
{
    int accepted[EEX_MAX_EXITS];
    const uint8_t closed = (uint8_t)(c->levels - 1);
    chain_count(c, at, accepted);
    for (int k = 0; k < c->count - 1; k++)
        if (at->t[k] != closed && accepted[k] < c->least) {
            at->t[k] = closed;
            chain_outcomes(c, at);
            chain_count(c, at, accepted);
        }
}

void eex__chain_measure(eex__chain *c, eex__thresholds *at)
{
    int accepted[EEX_MAX_EXITS];
    chain_outcomes(c, at);
    chain_count(c, at, accepted);
}

static bool is_stopped(const eex__chain *c)
{
    return c->stops && eex_interrupted();
}

void eex__chain_judge(eex__chain *c, eex__thresholds *at)
{
    at->right = 0;
    at->cost = 0;
    if (is_stopped(c))
        return;
    chain_outcomes(c, at);
    chain_settle(c, at);
}

/* ---- moves ---- */

/* What letting the samples of one level go at an exit changes, against leaving them to later ones.
 */
typedef struct gain {
    int samples, right;
    double cost;
} gain;

/* How many of the samples that reach exit k have each pair of cell and later outcome. The others
 * are counted in a last row that nobody reads. */
static void chain_pairs(eex__chain *c, int k)
{
    const uint8_t *cell = c->cell[k], *now = c->now, *next = c->next;
    const size_t states = 2 * (size_t)c->count, spare = 2 * (size_t)c->levels + 2;
    const uint8_t reached = (uint8_t)(2 * k);
    for (int i = 0; i < c->samples; i++) {
        size_t row = now[i] >= reached ? cell[i] : spare;
        c->counts[row * states + next[i]]++;
    }
}

static void chain_gains(eex__chain *c, int k, gain *gains)
{
    const int states = 2 * c->count;
    uint32_t *counts = c->counts;
    chain_pairs(c, k);
    for (int level = 0; level <= c->levels; level++) {
        gain g = {0, 0, 0};
        for (int right = 0; right < 2; right++, counts += states)
            for (int s = 2 * k + 2; s < states; s++) {
                int n = (int)counts[s];
                g.samples += n;
                g.right += n * (right - (s & 1));
                g.cost += n * (c->cost[k] - c->cost[s / 2]);
            }
        gains[level] = g;
    }
    memset(c->counts, 0, (2 * (size_t)c->levels + 3) * (size_t)states * sizeof *c->counts);
}

/* Best level of exit k. `at` has right and cost with the present one. */
static void chain_choose(const eex__chain *c, int k, const gain *gains, eex__thresholds *at,
                         const eex__aim *aim)
{
    int closed = c->levels - 1, accepted = 0;
    eex__thresholds now = {.right = at->right, .cost = at->cost}, best;
    for (int t = at->t[k] + 1; t <= closed; t++) { /* take the present choice back */
        now.right -= gains[t].right;
        now.cost -= gains[t].cost;
    }
    best = now;
    at->t[k] = (uint8_t)closed;
    for (int t = closed - 1; t >= 0; t--) {
        now.right += gains[t + 1].right;
        now.cost += gains[t + 1].cost;
        accepted += gains[t + 1].samples;
        if (accepted < c->least || !eex__aim_better(aim, &now, &best))
            continue;
        best = now;
        at->t[k] = (uint8_t)t;
    }
    at->right = best.right;
    at->cost = best.cost;
}

bool eex__chain_sweep(eex__chain *c, eex__thresholds *at, const eex__aim *aim)
{
    gain gains[EEX__LEVELS_MAX + 1];
    bool moved = false;
    if (is_stopped(c))
        return false;
    chain_end(c, c->next);
    for (int k = c->count - 2; k >= 0; k--) {
        uint8_t before = at->t[k];
        chain_gains(c, k, gains);
        chain_choose(c, k, gains, at, aim);
        chain_leave(c, c->next, k, at->t[k]);
        moved |= at->t[k] != before;
    }
    uint8_t *old = c->now;
    c->now = c->next;
    c->next = old;
    chain_settle(c, at);
    return moved;
}
