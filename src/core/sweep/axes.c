#include "core/sweep/axes.h"

#include "base/buffer.h"
#include "base/rng.h"
#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void eex_texts_free(char **texts, size_t count)
{
    for (size_t i = 0; texts && i < count; i++)
        free(texts[i]);
    free(texts);
}

static int count_grid(size_t *points, const eex_axis *axes, size_t count)
{
    *points = 1;
    for (size_t a = 0; a < count; a++) {
        if (!axes[a].value)
            return eex_fail(EEX_EINVAL,
                            "%s: a range has no grid: list its values, or use random or "
                            "Sobol points",
                            axes[a].path);
        *points = axes[a].values && *points > EEX_SWEEP_POINTS / axes[a].values
                      ? (size_t)EEX_SWEEP_POINTS + 1
                      : *points * axes[a].values;
    }
    return EEX_OK;
}

/* Number a of grid point i: the first axis changes slowest. */
static size_t grid_choice(const eex_axis *axes, size_t count, size_t a, size_t i)
{
    for (size_t later = count; later-- > a + 1;)
        i /= axes[later].values;
    return i % axes[a].values;
}

/* What u in [0, 1) stands for on an axis. */
static int at_place(char **out, const eex_axis *axis, double u)
{
    eex_buffer b = EEX_BUFFER_INIT;
    double x = axis->log ? exp(log(axis->from) + u * (log(axis->to) - log(axis->from)))
                         : axis->from + u * (axis->to - axis->from);
    if (axis->value)
        eex_buffer_puts(&b, axis->value[(size_t)(u * (double)axis->values)]);
    else if (axis->integer)
        eex_buffer_printf(&b, "%.0f",
                          fmin(axis->to, floor(axis->from + u * (axis->to - axis->from + 1))));
    else
        eex_buffer_printf(&b, "%.6g", x);
    return eex_buffer_take(out, &b);
}

static int make_value(char **out, const eex_axis *axes, size_t count, size_t a, size_t i,
                      eex_sweep_kind kind, uint64_t seed)
{
    if (kind == EEX_SWEEP_SOBOL) /* point 0 is the corner */
        return at_place(out, &axes[a], eex_sobol((uint32_t)i + 1, (int)a));
    if (kind == EEX_SWEEP_RANDOM)
        return at_place(out, &axes[a], eex_rng_hash_uniform(seed, i, a));
    *out = strdup(axes[a].value[grid_choice(axes, count, a, i)]);
    return *out ? EEX_OK : EEX_ENOMEM;
}

int eex_axes_points(char ***out, size_t *points, const eex_axis *axes, size_t count,
                    eex_sweep_kind kind, uint64_t seed)
{
    *out = NULL;
    if (count > EEX_SWEEP_AXES && kind == EEX_SWEEP_SOBOL)
        return eex_fail(EEX_EINVAL, "Sobol points over %zu fields: at most %d", count,
                        EEX_SWEEP_AXES);
    if (kind == EEX_SWEEP_GRID)
        EEX_TRY(count_grid(points, axes, count));
    if (*points < 1 || *points > EEX_SWEEP_POINTS)
        return eex_fail(EEX_EINVAL, "a sweep of %s%d points: 1 to %d", *points ? "more than " : "",
                        *points ? EEX_SWEEP_POINTS : 0, EEX_SWEEP_POINTS);
    char **value = calloc(*points * count + 1, sizeof *value);
    int code = value ? EEX_OK : EEX_ENOMEM;
    for (size_t i = 0; i < *points * count && code == EEX_OK; i++)
        code = make_value(&value[i], axes, count, i % count, i / count, kind, seed);
    if (code != EEX_OK) {
        eex_texts_free(value, *points * count);
        return eex_fail(EEX_ENOMEM, "out of memory for %zu points of a sweep", *points);
    }
    *out = value;
    return EEX_OK;
}
