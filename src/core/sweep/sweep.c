#include "core/sweep/sweep.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void eex_sweep_free(eex_sweep *s)
{
    if (!s)
        return;
    free(s->experiment);
    free(s->experiment_text);
    free(s->device);
    eex_texts_free(s->fixed, s->fixeds);
    eex_texts_free(s->field, s->fields);
    eex_texts_free(s->value, s->points * s->fields);
    free(s->seed);
    free(s);
}

static int assignment(char **out, const char *path, const char *value)
{
    eex_buffer b = EEX_BUFFER_INIT;
    eex_buffer_printf(&b, "%s=%s", path, value);
    return eex_buffer_take(out, &b);
}

int eex_sweep_check_tasks(const eex_sweep *s)
{
    if (s->points == 0 || s->seeds <= EEX_SWEEP_TASKS / s->points)
        return EEX_OK;
    return eex_fail(EEX_EINVAL, "%zu points with %zu seeds each: a sweep has at most %d runs",
                    s->points, s->seeds, EEX_SWEEP_TASKS);
}

int eex_sweep_sets(char ***out, size_t *count, const eex_sweep *s, size_t task)
{
    const size_t point = task / s->seeds;
    char **set = calloc(s->fixeds + s->fields + 1, sizeof *set);
    *count = s->fixeds + s->fields;
    int code = set ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for task %zu", task);
    for (size_t i = 0; i < s->fixeds && code == EEX_OK; i++)
        if (!(set[i] = strdup(s->fixed[i])))
            code = eex_fail(EEX_ENOMEM, "out of memory for task %zu", task);
    for (size_t f = 0; f < s->fields && code == EEX_OK; f++)
        code = assignment(&set[s->fixeds + f], s->field[f], s->value[point * s->fields + f]);
    if (code != EEX_OK) {
        eex_texts_free(set, *count);
        return code;
    }
    *out = set;
    return EEX_OK;
}

int eex_sweep_label(char **out, const eex_sweep *s, size_t task)
{
    eex_buffer b = EEX_BUFFER_INIT;
    for (size_t f = 0; f < s->fields; f++)
        eex_buffer_printf(&b, "%s=%s, ", s->field[f], s->value[task / s->seeds * s->fields + f]);
    eex_buffer_printf(&b, "seed %" PRIu64, s->seed[task % s->seeds]);
    return eex_buffer_take(out, &b);
}

int eex_sweep_path(char **out, const char *folder, const char *kind, size_t task, const char *tail)
{
    eex_buffer b = EEX_BUFFER_INIT;
    eex_buffer_printf(&b, "%s/%s/%04zu%s", folder, kind, task, tail);
    return eex_buffer_take(out, &b);
}
