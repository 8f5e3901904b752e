/* Welford's statistics of a score, class by class, in one pass in the samples' order. */
#include "cpu/cpu.h"

#include "base/status.h"

#include <string.h>

static int class_stats_prepare(eex_cpu *cpu, void **state, const eex_op *op, int max_batch)
{
    if (op->u.class_stats.classes < 1)
        return eex_fail(EEX_EINVAL, "class statistics \"%s\": %d classes, expected at least 1",
                        op->name ? op->name : "?", op->u.class_stats.classes);
    return EEX_OK;
}

static int class_stats_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    const eex_op_class_stats *stats = &op->u.class_stats;
    size_t classes = (size_t)stats->classes;
    memset(stats->count, 0, classes * sizeof *stats->count);
    memset(stats->mean, 0, classes * sizeof *stats->mean);
    memset(stats->m2, 0, classes * sizeof *stats->m2);
    for (int i = 0; i < step->batch; i++) {
        int32_t c = stats->key[i];
        if (c < 0 || c >= stats->classes)
            continue;
        double delta = (double)stats->score[i] - stats->mean[c];
        stats->mean[c] += delta / (double)++stats->count[c];
        stats->m2[c] += delta * ((double)stats->score[i] - stats->mean[c]);
    }
    return EEX_OK;
}

const eex_cpu_op_class eex__cpu_class_stats = {.prepare = class_stats_prepare,
                                               .run = class_stats_run};
