/* Inside of a plan that stands: what running it needs. What lowering needs besides is the builder's
 * (builder_impl.h). */
#ifndef EEX_CORE_PLAN_PLAN_INTERNAL_H
#define EEX_CORE_PLAN_PLAN_INTERNAL_H

#include "core/plan/arena.h"
#include "core/plan/binding.h"
#include "core/plan/passing.h"

/* A stretch of device memory that ops read and write. */
typedef struct eex_slot {
    size_t bytes;     /* whole, rounded up to 64 */
    size_t row_bytes; /* of one sample; 0: not per sample (never compacted) */
    int first, last;  /* ops between which the content matters */
    bool pinned;      /* lives for the whole plan: not in the arena */
    size_t offset;    /* in the arena, or in what the plan keeps for itself */
} eex_slot;

/* A convolution whose batch norm is folded into it: what refresh has to compute again. */
typedef struct eex_fold {
    int conv, bn; /* node ids */
    int w, bias;  /* buffers */
} eex_fold;

/* What happens at an exit: LEAVE, and the compaction of every value that is read later. */
typedef struct eex_leaving {
    eex_passing *passing; /* (passing_count) those values, and: */
    int *buffer;          /* (passing_count) where they are */
    int passing_count;
    eex_op *ops; /* (count) LEAVE, then a COMPACT each */
    void **states;
    int count;
    void *recording;
} eex_leaving;

struct eex_plan {
    eex_plan_options options;
    const eex_graph *graph;
    eex_params *params;
    eex_device *device;

    eex_op *ops;
    void **states; /* the device's, one an op */
    int *segment;  /* of each op (inference); never falls from one op to the next */
    void *recording[EEX_MAX_EXITS]; /* the device's, of the ops of each segment */
    int op_count;

    eex_slot *buffers;
    int buffer_count;
    int *value; /* of each node of the graph: buffer of its value, -1: not materialised */
    eex_fold *folds;
    int fold_count;
    const eex_binding *binding; /* what folding reads parameters through */

    eex_arena *shared;    /* the values' memory, held */
    unsigned char *arena; /* its first byte */
    size_t arena_bytes;   /* what this plan needs of it */
    unsigned char *kept;  /* device memory of the pinned buffers */
    size_t kept_bytes;

    int images, labels, sample, totals, norm; /* buffers */
    int index;                                /* buffer: number of survivors, then which they are */
    int rows;                    /* buffer: rows that are there, then which input each is */
    int32_t *everybody;          /* host: a count, then 0, 1, 2... (batch) */
    int at;                      /* gates apart: buffer, where each row is among those that
                                  * were asked about, -1: it was not */
    int32_t *asked;              /* gates apart: host, (1 + 2 * batch): a count and which rows,
                                  * then what `at` gets */
    int gathered[EEX_MAX_EXITS]; /* gates apart: buffer, the rows that the gate reads; or -1 */
    int gate[EEX_MAX_EXITS];     /* and the first op of the gate, which gathers them */
    void *gate_recording[EEX_MAX_EXITS]; /* the device's, of the gate's ops */
    int decision, results, threshold;    /* buffers; threshold: (exits, 2, classes), high and low */
    eex_leaving leaving[EEX_MAX_EXITS];
    void *single[2];            /* the device's recordings of all segments for one sample: where it
                                 * leaves at the end alone, at every exit */
    int loss_op[EEX_MAX_EXITS]; /* -1: exit without a loss */
    int head_op[EEX_MAX_EXITS]; /* -1: exit not lowered */
};

/* EEX_EINVAL, in the name of who was called, unless there is a plan of that purpose and the batch
 * fits it, the exit is one of its graph's. */
typedef enum eex__purpose { EEX__ANY_PLAN, EEX__INFERENCE, EEX__TRAINING } eex__purpose;
int eex__plan_check(const eex_plan *p, const char *who, eex__purpose purpose);
int eex__plan_check_batch(const eex_plan *p, const char *who, int batch);
int eex__plan_check_exit(const eex_plan *p, const char *who, int exit);

/* The address of a buffer; only once the plan has its memory. */
void *eex__plan_address(const eex_plan *p, int buffer);

/* Creates the device's state of op i. */
int eex__plan_prepare(eex_plan *p, int i);

int eex__plan_fold(eex_plan *p);          /* plan_fold.c: folded weights into their buffers */
int eex__plan_find_passing(eex_plan *p);  /* plan_passing.c: what passes each exit */
int eex__plan_lower_leaving(eex_plan *p); /* plan_leave.c: after that, and with memory */
void eex__plan_leaving_free(eex_plan *p);

/* The ops of segment k: from *first to before *end. */
void eex__plan_segment(const eex_plan *p, int k, int *first, int *end);

/* The ops of segment k in front of its gate (from *first), and of the gate (before *end): where
 * gates are not apart all are in front. */
void eex__plan_parts(const eex_plan *p, int k, int *first, int *gate, int *end);

/* Every exit is asked about all of the `batch` rows, until others ask. */
int eex__plan_ask_all(eex_plan *p, int batch);

/* One part of a segment, as a unit or, with spans, op by op. */
int eex__plan_run_part(eex_plan *p, void **recording, int first, int end, int batch,
                       eex_span *spans);

/* Before anything that a device may have recorded changes. */
void eex__plan_forget(eex_plan *p);

/* Runs ops that come again and again: recorded where the device can. */
int eex__plan_run_ops(const eex_plan *p, void **recording, const eex_op *ops, void *const *states,
                      int count, const eex_step *step);

#endif
