/* Plans: a graph lowered for one device, batch and purpose.
 *
 * A plan is a flat list of ops (op.h) over an arena of values laid out by liveness. Inference folds
 * batch norm into convolutions and fuses conv + bias + residual + act; training fuses batch norm +
 * residual + act and takes the batch statistics from the convolution's epilogue. Running a plan
 * allocates nothing. */
#ifndef EEX_CORE_PLAN_PLAN_H
#define EEX_CORE_PLAN_PLAN_H

#include "core/plan/params.h"

typedef enum eex_optimizer_kind { EEX_SGD, EEX_ADAMW, EEX_OPTIMIZERS } eex_optimizer_kind;

/* "sgd", "adamw". */
const eex_names *eex_optimizer_names(void);
const char *eex_optimizer_name(eex_optimizer_kind kind);

typedef struct eex_optimizer {
    eex_optimizer_kind kind;
    float momentum, beta1, beta2, eps, weight_decay;
    bool nesterov;
    float clip;       /* largest gradient norm; 0: no clipping */
    float clip_value; /* largest element of a gradient, by amount, in front of that; 0: no limit */
    float ema;        /* decay of the moving average of the weights; 0: none */
} eex_optimizer;

/* Moments and averages, parallel to eex_params.w; shared by the plans that train the same
 * parameters. ema_state averages the running statistics too. */
typedef struct eex_optimizer_state {
    eex_params *params;                 /* borrowed */
    float *g, *m, *v, *ema, *ema_state; /* device memory; all but g NULL when unused */
} eex_optimizer_state;

/* Without an optimiser (NULL) the gradient alone, for plans that leave it. */
int eex_optimizer_state_new(eex_optimizer_state **out, eex_params *params, const eex_optimizer *o);
void eex_optimizer_state_free(eex_optimizer_state *state);

/* What a plan is for. */
typedef enum eex_plan_mode {
    EEX_PLAN_INFER,
    EEX_PLAN_TRAIN,                   /* what the losses need learns, trunk and gates alike */
    EEX_PLAN_TRAIN_GATES,             /* trunk in inference mode, no gradients: only gates learn */
    EEX_PLAN_TRAIN_GATES_ON_FEATURES, /* the trunk is left out too; the values that gates read are
                                       * inputs, see eex_plan_upload_value */
    EEX_PLAN_STATISTICS, /* forward alone, without dropout: a step makes each batch norm's running
                          * statistics those of its batch */
    EEX_PLAN_MODES
} eex_plan_mode;

enum { EEX_PLAN_MAX_BATCH = 1 << 20 };

/* A network that two machines run, cut behind an exit (engine/part.h): the front is all up to that
 * exit's decision, the rest what comes behind it, and begins with what passes the exit. A plan of a
 * part has the ops, values and weights of that alone. */
typedef enum eex_plan_side { EEX_PLAN_WHOLE, EEX_PLAN_FRONT, EEX_PLAN_REST } eex_plan_side;

typedef struct eex_plan_part {
    eex_plan_side side;
    int cut; /* exit, from 0; not the last. Of no meaning for the whole */
} eex_plan_part;

/* reads[i]: whether who runs that part needs parameter i: an inference plan on that device, or the
 * ranges of values that pass quantised. EEX_EINVAL: the network cannot be cut there. */
int eex_plan_part_reads(bool *reads, const eex_graph *graph, eex_device *device,
                        eex_plan_part part);

typedef struct eex_plan_options {
    eex_plan_mode mode;
    int batch;           /* largest batch, up to EEX_PLAN_MAX_BATCH */
    eex_augment augment; /* inference: only mean, std and the images' size; else as given */

    eex_precision precision; /* inference: one that eex_precision_infers */

    eex_plan_part part; /* inference: of the network; {0}: the whole */

    bool gates_apart; /* inference: gates may be run on some of the rows alone, eex_plan_ask. Not
                       * for networks in which a point has several gates */

    /* Training only. */
    float weight[EEX_MAX_EXITS]; /* loss weight of each exit; 0: its gate is left out, and what
                                  * only it needed; nodes nobody needs are left out too */
    float smoothing, l1;
    float distill, distill_t; /* the last exit teaches the gates, when distill > 0 */
    const float *teacher; /* logits of another network, (batch, classes) in this plan's precision,
                           * device memory: they teach every exit by `distill`, and labels are only
                           * counted by; NULL: none. Borrowed */
    bool binary;          /* labels are sets of bits, a question for each class: see eex_op_loss */
    bool no_dropout;      /* dropout hands its input on, as for inference */
    bool keep_logits;     /* those of the last exit last until the next step, for such students */
    bool gradient_only;   /* the gradient is left in state->g, and nothing is stepped: update.h */
    eex_optimizer optimizer;
    eex_optimizer_state *state; /* borrowed */
} eex_plan_options;

typedef struct eex_plan eex_plan;

/* Whether plans of this network read images of `height` x `width` (0: its own): those of its own
 * size and, resized, any of the same shape. What is in a picture is never stretched. EEX_EINVAL
 * says what would do. */
int eex_plan_reads(const eex_graph *graph, int height, int width);

/* graph, params (of that graph) and device are borrowed and must outlive the plan. */
int eex_plan_new(eex_plan **out, const eex_plan_options *options, const eex_graph *graph,
                 eex_params *params);

/* plans[i] with options[i], all of them or none: plans that never run at once, on one device. They
 * share the memory of their values (arena.h), so what one has calculated (logits, values of nodes)
 * is there only until another runs; what is uploaded, totals and scores are each plan's own. */
int eex_plans_new(eex_plan **plans, const eex_plan_options *options, int count,
                  const eex_graph *graph, eex_params *params);

/* A plan for another graph in the memory of one that stands, with which it never runs at once: for
 * networks that come and go. One that needs more memory gets its own. */
int eex_plan_new_beside(eex_plan **out, const eex_plan_options *options, const eex_graph *graph,
                        eex_params *params, const eex_plan *beside);
void eex_plan_free(eex_plan *plan);

/* ---- input and output: device memory of the plan ---- */
/* Bytes of one image as it is uploaded, (height, width, channels) of the options' size. */
size_t eex_plan_image_bytes(const eex_plan *plan);
int eex_plan_upload(eex_plan *plan, const uint8_t *images, const int32_t *labels,
                    const uint32_t *sample, int batch); /* labels, sample may be NULL: inference */
/* Values of a trunk node, (batch, H, W, C): into a plan that trains gates on features (not
 * bfloat16), or out of an inference plan right after the segment of the first exit whose gate reads
 * it; where gates are apart these are the rows that the gate was asked about. */
int eex_plan_upload_value(eex_plan *plan, int node, const float *rows, int batch);
int eex_plan_download_value(const eex_plan *plan, int node, float *rows, int batch);
/* Logits of an exit to the host, right after its segment. Behind a training step they are whatever
 * the backward half left in their memory. */
int eex_plan_logits(const eex_plan *plan, int exit, float *logits, int batch);

/* Where the last exit's logits are, (batch, classes), device memory of the plan: of one that keeps
 * them, as good as the plan is. */
const float *eex_plan_kept_logits(const eex_plan *plan);

/* ---- training ---- */
/* One step: augment, forward, losses, backward, optimiser. */
int eex_plan_step(eex_plan *plan, const eex_step *step);

typedef struct eex_totals {
    double loss;    /* sum over samples */
    double correct; /* count */
} eex_totals;
/* Totals of exit k since the last reset; waits for the device. */
int eex_plan_totals(eex_plan *plan, int exit, eex_totals *out);
int eex_plan_totals_reset(eex_plan *plan);
/* As if they had been counted since the last reset: for an epoch that is gone on with. */
int eex_plan_totals_set(eex_plan *plan, int exit, const eex_totals *totals);
/* Gradient norm of the last step before clipping; 0 when clipping is off. */
int eex_plan_grad_norm(eex_plan *plan, double *out);

/* ---- inference ---- */
/* Folds the current parameters into the plan's own copies; called by eex_plan_new, and to be called
 * again whenever the parameters changed. */
int eex_plan_refresh(eex_plan *plan);
/* Runs everything up to and including exit `to`, starting behind exit `from - 1` (0: from the
 * images). Segment k is what lies between exits k - 1 and k. Each exit is asked about all rows. */
int eex_plan_segments(eex_plan *plan, int from, int to, int batch);

/* When an op that was run by itself began and ended: seconds of eex_clock_seconds. */
typedef struct eex_span {
    double begin, end;
} eex_span;

/* ---- gates apart ---- where options.gates_apart; of all exits but the last */
/* With spans (as eex_plan_spans) op by op, else NULL. What segment k does in front of the gate: its
 * part of the trunk, on `batch` rows. */
int eex_plan_trunk(eex_plan *plan, int exit, int batch, eex_span *spans);
/* Of the `rows` rows that are there the exit is asked about those with ask[i]: of these its gate
 * gets a copy, in their order, and eex_plan_leave lets nobody else leave. *count of them. */
int eex_plan_ask(eex_plan *plan, int exit, const bool *ask, int rows, int *count);
/* The gate, scores and decisions of the first `batch` of the rows that were asked about; as many as
 * there are, or more, whose results are ignored. */
int eex_plan_gate(eex_plan *plan, int exit, int batch, eex_span *spans);

/* The scores of exit k after its segment: device memory, borrowed. */
typedef struct eex_scores {
    const int32_t *top;
    const float *confidence, *margin, *entropy;
} eex_scores;
int eex_plan_scores(const eex_plan *plan, int exit, eex_scores *out);
/* Temperature of exit k's scores from now on (1 at first). */
int eex_plan_temperature(eex_plan *plan, int exit, float temperature);
/* Keeps the samples index[0..count) (strictly increasing, host memory) of what later segments
 * still read after exit k. */
int eex_plan_compact(eex_plan *plan, int exit, const int32_t *index, int count);

/* ---- inference that leaves early (engine/walk.h) ---- */
/* From now on exit k decides by high[k][class] and low[k][class] (host memory, exits x classes). */
int eex_plan_decide(eex_plan *plan, eex_measure measure, const float *high, const float *low);
/* `batch` inputs are there, none has left. */
int eex_plan_gather(eex_plan *plan, int batch);
/* After exit k's segment ran on `batch` rows: who was accepted or rejected leaves, the others move
 * up. batch may be more than the rows that are still there: what the rest of them says is ignored.
 * *stay is the number of rows left. Waits for the device. */
int eex_plan_leave(eex_plan *plan, int exit, int batch, int *stay);
/* What exit k decided about its rows, (batch) eex_decision, between its segment and leaving: to the
 * host, and from there in its place. */
int eex_plan_decisions(const eex_plan *plan, uint8_t *decision, int batch);
int eex_plan_set_decisions(eex_plan *plan, const uint8_t *decision, int batch);
/* Which inputs the first `rows` rows are, numbered as they were uploaded, (rows): after
 * eex_plan_gather, and before those leave who leave. Waits for the device. */
int eex_plan_inputs(const eex_plan *plan, int32_t *input, int rows);
/* All of that at once for a single input, after eex_plan_gather, as far as an exit that lets it
 * leave, or to the end where it `leaves` nowhere else; *done = false: the device has no way to, go
 * on exit by exit. */
int eex_plan_run_single(eex_plan *plan, bool leaves, bool *done);
/* How the first `batch` inputs left. */
int eex_plan_results(eex_plan *plan, eex_result *results, int batch);

/* What each op of an inference plan takes, (ops) milliseconds: the lower quartiles (base/laps.h)
 * of `rounds` runs of all of them in order, for the inputs that were uploaded last. */
int eex_plan_time(eex_plan *plan, double *ms, int rounds, int batch);

/* Runs the ops of segment k one by one; when each began and ended, in seconds of eex_clock_seconds,
 * goes to spans[i], i its number among all ops. */
int eex_plan_spans(eex_plan *plan, eex_span *spans, int segment, int batch);

/* ---- looking ---- */
int eex_plan_ops(const eex_plan *plan);
const eex_op *eex_plan_op(const eex_plan *plan, int i);
int eex_plan_op_segment(const eex_plan *plan, int i); /* inference: the segment it belongs to */
size_t eex_plan_bytes(const eex_plan *plan);          /* of device memory, shared or not */

#endif
