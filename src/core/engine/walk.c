/* How a batch shrinks: at the end of each segment the head scores every sample that is still there
 * and decides by the policy's thresholds; those that leave get their result, the others move up to
 * the front (compaction), and the next segment runs on fewer rows. All of that happens on the
 * device; what comes to the host at an exit is the number of rows that stay, and what guests ask
 * for. Where guests say for whom an exit is computed, its gate runs on those rows alone. */
#include "core/engine/walk.h"

#include "base/clock.h"
#include "base/status.h"

int eex_walk_invite(eex_walk *w, eex_guest *guest)
{
    if (w->guests == EEX_WALK_GUESTS)
        return eex_fail(EEX_EINVAL, "walk: more than %d guests", EEX_WALK_GUESTS);
    w->guest[w->guests++] = guest;
    return EEX_OK;
}

/* Nobody looks at the clock who does not tell anybody. */
static bool is_timed(const eex_walk *w)
{
    bool timed = false;
    for (int i = 0; i < w->guests; i++)
        timed = timed || w->guest[i]->leg;
    return timed;
}

/* The leg that ends now, and the next one begins: now is when the device has done it, which may
 * only have been told what to do. */
static int tell(const eex_walk *w, double *begin, eex_leg leg)
{
    if (!is_timed(w))
        return EEX_OK;
    if (!w->device->host_memory)
        EEX_TRY(w->device->vtable->sync(w->device));
    leg.begin = *begin;
    *begin = leg.end = eex_clock_seconds();
    for (int i = 0; i < w->guests; i++)
        if (w->guest[i]->leg)
            w->guest[i]->leg(w->guest[i], &leg);
    return EEX_OK;
}

/* The rows a segment is run with when `count` are there. A CPU runs exactly those; a GPU replays
 * recordings, of which there should be few: up to 8 exact, then four sizes for each doubling, at
 * most a quarter too many. What runs op by op is not recorded. */
static int rows_to_run(const eex_walk *w, int count)
{
    int step = 1;
    if (w->device->host_memory || w->spans)
        return count;
    while (8 * step < count)
        step *= 2;
    int rows = (count + step - 1) / step * step;
    return rows < w->batch ? rows : w->batch;
}

static int run_segment(const eex_walk *w, int k, int rows)
{
    return w->spans ? eex_plan_spans(w->plan, w->spans, k, rows)
                    : eex_plan_segments(w->plan, k, k, rows);
}

/* Whether guests choose the rows for which exit k's gate is computed. */
static bool is_chosen(const eex_walk *w, int k)
{
    bool chosen = false;
    for (int i = 0; i < w->guests; i++)
        chosen = chosen || w->guest[i]->before;
    return chosen && w->leaves && !w->forced && k < w->last;
}

/* Exit k as far as its scores, its gate for the rows that guests leave; *asked of them. */
static int run_chosen(const eex_walk *w, double *at, int k, int rows, int there, int *asked)
{
    EEX_TRY(eex_plan_trunk(w->plan, k, rows, w->spans));
    EEX_TRY(eex_plan_inputs(w->plan, w->input, there));
    for (int i = 0; i < there; i++)
        w->ask[i] = true;
    for (int i = 0; i < w->guests; i++)
        if (w->guest[i]->before)
            EEX_TRY(w->guest[i]->before(w->guest[i], w->plan, k, w->input, w->ask, there));
    EEX_TRY(eex_plan_ask(w->plan, k, w->ask, there, asked));
    EEX_TRY(
        tell(w, at, (eex_leg){.kind = EEX_LEG_TRUNK, .exit = k, .rows = there, .stay = *asked}));
    return *asked > 0 ? eex_plan_gate(w->plan, k, rows_to_run(w, *asked), w->spans) : EEX_OK;
}

/* Exit k with `there` images, `asked` of which it has scored, in a segment of `rows`; *stay go on.
 */
static int pass_exit(const eex_walk *w, int k, int rows, int there, int asked, int *stay)
{
    *stay = there;
    if (asked == 0 || (!w->leaves && k < w->last))
        return EEX_OK;
    for (int i = 0; i < w->guests; i++)
        if (w->guest[i]->after)
            EEX_TRY(w->guest[i]->after(w->guest[i], w->plan, k, asked));
    return eex_plan_leave(w->plan, k, rows, stay);
}

static int run_exits(const eex_walk *w, double *at, int first, int count)
{
    for (int k = first, there = count; k <= w->last && there > 0; k++) {
        const int rows = rows_to_run(w, there);
        int stay, asked = there;
        EEX_TRY(is_chosen(w, k) ? run_chosen(w, at, k, rows, there, &asked)
                                : run_segment(w, k, rows));
        EEX_TRY(tell(w, at,
                     (eex_leg){.kind = EEX_LEG_SEGMENT, .exit = k, .rows = asked, .stay = asked}));
        EEX_TRY(pass_exit(w, k, rows, there, asked, &stay));
        EEX_TRY(
            tell(w, at, (eex_leg){.kind = EEX_LEG_EXIT, .exit = k, .rows = there, .stay = stay}));
        there = w->forced ? count : stay;
    }
    return EEX_OK;
}

/* One image on a device that does all of it by itself, when nobody has to see an exit. */
static int run_single(const eex_walk *w, int count, bool *done)
{
    *done = false;
    if (count > 1 || w->forced || w->spans || w->guests)
        return EEX_OK;
    return eex_plan_run_single(w->plan, w->leaves, done);
}

int eex_walk_run(const eex_walk *w, eex_result *results, const uint8_t *images, int count)
{
    double at = is_timed(w) ? eex_clock_seconds() : 0;
    bool done;
    for (int i = 0; i < w->guests; i++)
        if (w->guest[i]->begin)
            EEX_TRY(w->guest[i]->begin(w->guest[i], images, count));
    EEX_TRY(eex_plan_upload(w->plan, images, NULL, NULL, count));
    EEX_TRY(eex_plan_gather(w->plan, count));
    EEX_TRY(tell(w, &at, (eex_leg){.kind = EEX_LEG_INPUT, .rows = count, .stay = count}));
    EEX_TRY(run_single(w, count, &done));
    if (!done)
        EEX_TRY(run_exits(w, &at, 0, count));
    EEX_TRY(eex_plan_results(w->plan, results, count));
    EEX_TRY(tell(w, &at, (eex_leg){.kind = EEX_LEG_RESULTS, .rows = count, .stay = count}));
    return EEX_OK;
}

int eex_walk_on(const eex_walk *w, eex_result *results, int exit, int count)
{
    double at = is_timed(w) ? eex_clock_seconds() : 0;
    EEX_TRY(eex_plan_gather(w->plan, count));
    EEX_TRY(run_exits(w, &at, exit + 1, count));
    EEX_TRY(eex_plan_results(w->plan, results, count));
    EEX_TRY(tell(w, &at, (eex_leg){.kind = EEX_LEG_RESULTS, .rows = count, .stay = count}));
    return EEX_OK;
}
