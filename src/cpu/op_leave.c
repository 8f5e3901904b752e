/* What follows a decision: results of the rows that leave, and the list of those that stay. One
 * pass in order, in place: a row moves up to a place that has been read before. */
#include "cpu/cpu.h"

#include "base/status.h"

static int leave_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    const eex_op_leave *leave = &op->u.leave;
    int count = *leave->count < step->batch ? *leave->count : step->batch, stay = 0;
    for (int i = 0; i < count; i++) {
        const int at = leave->at ? leave->at[i] : i;
        if (at < 0 || leave->decision[at] == EEX_GO_ON) {
            leave->index[stay] = i;
            leave->row[stay++] = leave->row[i];
            continue;
        }
        leave->results[leave->row[i]] = (eex_result){.top = leave->top[at],
                                                     .exit = leave->exit,
                                                     .decision = (eex_decision)leave->decision[at],
                                                     .confidence = leave->confidence[at],
                                                     .margin = leave->margin[at],
                                                     .entropy = leave->entropy[at]};
    }
    *leave->count = stay;
    return EEX_OK;
}

const eex_cpu_op_class eex__cpu_leave = {.run = leave_run};
