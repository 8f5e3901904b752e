/* Casts to bfloat16, which the CPU does not calculate with: refused. */
#include "cpu/cpu.h"

#include "base/status.h"

static int cast_prepare(eex_cpu *cpu, void **state, const eex_op *op, int max_batch)
{
    return eex_fail(EEX_EUNSUPPORTED,
                    "cast \"%s\": %s calculates in float32 only, there is no bfloat16",
                    op->name ? op->name : "?", cpu->base.name);
}

static int cast_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    return cast_prepare(cpu, NULL, op, 1);
}

const eex_cpu_op_class eex__cpu_cast = {.prepare = cast_prepare, .run = cast_run};
