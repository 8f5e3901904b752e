/* Gathers rows to the front, in place or from elsewhere. Each thread moves its own columns of every
 * row in order, so no row is overwritten before it has been read. */
#include "cpu/cpu.h"
#include "cpu/range.h"

#include "base/status.h"

#include <string.h>

typedef struct compact_job {
    const eex_op_compact *op;
    int count;
} compact_job;

static void compact_share(void *ctx, const eex_part *part)
{
    const compact_job *job = ctx;
    size_t bytes = job->op->row_bytes, begin, end;
    eex__cpu_range(&begin, &end, bytes, 64, part->index, part->count);
    if (begin == end)
        return;
    char *to = (char *)job->op->data + begin;
    const char *from = job->op->from ? (const char *)job->op->from + begin : to;
    for (int i = 0; i < job->count; i++)
        if (from != to || job->op->index[i] != i)
            memcpy(to + (size_t)i * bytes, from + (size_t)job->op->index[i] * bytes, end - begin);
}

static int compact_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    const eex_op_compact *compact = &op->u.compact;
    compact_job job = {compact, *compact->count};
    double work = 0.1 * job.count * (double)compact->row_bytes;
    eex__cpu_parallel(cpu, work, compact_share, &job);
    return EEX_OK;
}

const eex_cpu_op_class eex__cpu_compact = {.run = compact_run};
