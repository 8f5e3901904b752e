/* The CPU device: what the op files of this room share.
 *
 * One op is one file, which defines one eex_cpu_op_class; device.c finds the class by op kind. Ops
 * run one after the other, each spread over the pool; so one scratch buffer serves them all. */
#ifndef EEX_CPU_CPU_H
#define EEX_CPU_CPU_H

#include "cpu/kernels/bf16/bf16.h"
#include "cpu/kernels/kernels.h"
#include "cpu/pool.h"
#include "cpu/slab.h"
#include "device/device.h"

typedef struct eex_cpu {
    eex_device base; /* first member; base.threads == eex_pool_threads(pool) */
    eex_pool *pool;
    const eex_kernels *kernels;   /* of the best instruction set here, or of EEX_CPU_ISA */
    const eex_bf16_kernels *bf16; /* NULL: this processor has none, or EEX_CPU_BF16 says so */
    void *scratch;                /* scratch_bytes, 64-byte aligned; see eex__cpu_reserve */
    size_t scratch_bytes;
    bool chooses;      /* nobody said how many threads: single inputs get what is fastest */
    eex_slab *weights; /* where packed weights go; see slab.h */
} eex_cpu;

/* As in eex_device_vtable. *state starts as NULL and may stay so; finish accepts NULL state. Any
 * of prepare and finish may be NULL when there is nothing to do. */
typedef struct eex_cpu_op_class {
    int (*prepare)(eex_cpu *cpu, void **state, const eex_op *op, int max_batch);
    int (*run)(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step);
    void (*finish)(eex_cpu *cpu, const eex_op *op, void *state);
} eex_cpu_op_class;

/* Makes cpu->scratch at least `bytes` long. For prepare only: the buffer may move, so `run` reads
 * cpu->scratch anew. Its contents are undefined at the start of every run. Freed with
 * eex__cpu_release_scratch when the device closes. */
int eex__cpu_reserve(eex_cpu *cpu, size_t bytes);
void eex__cpu_release_scratch(eex_cpu *cpu);

/* For work that is estimated to take one core `work` nanoseconds in all: how many threads share it
 * now, 1 where waking them is not worth it. Varies from run to run: results must not depend on it.
 */
int eex__cpu_width(eex_cpu *cpu, double work);

/* In how many parts sums over `units` (samples, pixels) are taken, to be added up in order: as many
 * as have `least` of them. That is a matter of the amount alone, never of threads, so that neither
 * are the sums' bits. */
enum { EEX_CPU_SUMS = 16 };
int eex__cpu_sums(double units, double least);

/* Into how many parts the share of each of `width` threads is worth cutting, so that others can
 * take some of them over. */
int eex__cpu_each(double work, int width);

/* Runs fn for each of `parts` parts: on the pool, or with a width of 1 on the calling thread, one
 * after the other. */
void eex__cpu_parts(eex_cpu *cpu, int width, int parts, eex_pool_fn fn, void *ctx);

/* Likewise for what gives the same result bit for bit however many parts there are. */
void eex__cpu_parallel(eex_cpu *cpu, double work, eex_pool_fn fn, void *ctx);

/* 64-byte aligned memory; freed with free(). Fails with EEX_ENOMEM, naming `what`. */
int eex__cpu_alloc(void **out, size_t bytes, const char *what);

/* Gives the pages of what is not read again back to the system; it stays allocated and may be
 * written. A little is not worth it. */
void eex__cpu_forget(const void *memory, size_t bytes);

extern const eex_cpu_op_class eex__cpu_augment, eex__cpu_resize;
extern const eex_cpu_op_class eex__cpu_conv, eex__cpu_conv_bwd_data, eex__cpu_conv_bwd_weights;
extern const eex_cpu_op_class eex__cpu_bn_train, eex__cpu_bn_eval, eex__cpu_bn_bwd;
extern const eex_cpu_op_class eex__cpu_act, eex__cpu_act_bwd, eex__cpu_add, eex__cpu_accumulate;
extern const eex_cpu_op_class eex__cpu_scale, eex__cpu_scale_bwd, eex__cpu_columns;
extern const eex_cpu_op_class eex__cpu_depth_to_space, eex__cpu_quantise;
extern const eex_cpu_op_class eex__cpu_max_pool, eex__cpu_max_pool_bwd;
extern const eex_cpu_op_class eex__cpu_global_pool, eex__cpu_global_pool_bwd;
extern const eex_cpu_op_class eex__cpu_dropout, eex__cpu_loss, eex__cpu_head;
extern const eex_cpu_op_class eex__cpu_grad_norm, eex__cpu_sgd, eex__cpu_adamw, eex__cpu_ema;
extern const eex_cpu_op_class eex__cpu_leave, eex__cpu_class_stats, eex__cpu_compact;
extern const eex_cpu_op_class eex__cpu_zero, eex__cpu_cast, eex__cpu_clamp;

#endif
