/* Traces: what every exit says about every sample of a split, recorded once.
 *
 * Policies, thresholds, subsets of exits and block counts are judged by replaying a trace instead
 * of running the network again. Columns are exit-major: value [k * samples + i] is exit k's about
 * sample i. */
#ifndef EEX_CORE_POLICY_TRACE_H
#define EEX_CORE_POLICY_TRACE_H

#include "core/store/store.h"
#include "device/device.h"

typedef struct eex_trace {
    int samples, exits, classes;
    int32_t *labels;    /* (samples) */
    uint32_t *sample;   /* (samples) numbers in the data set */
    float *logits;      /* (exits, samples, classes) */
    float *temperature; /* (exits) at which the scores below were computed */
    int32_t *top;       /* (exits, samples) predicted class */
    float *confidence;  /* (exits, samples) softmax(logits / temperature)[top] */
    float *margin;      /* (exits, samples) top-1 minus top-2 probability */
    float *entropy;     /* (exits, samples) nats */
    float *distance;    /* (exits, samples) from what is familiar (familiar.h), or NULL */
} eex_trace;

/* Room for everything; contents zero, temperatures 1. At least 1 of each, at most EEX_MAX_EXITS
 * exits. */
int eex_trace_new(eex_trace **out, int samples, int exits, int classes);
void eex_trace_free(eex_trace *trace);
/* Room for distances, zero. */
int eex_trace_add_distance(eex_trace *trace);

/* EEX_EINVAL for a label outside 0..classes-1, EEX_EDIVERGED for logits that are NaN or infinite;
 * the message names sample and exit. */
int eex_trace_check(const eex_trace *trace);

/* Computes the scores from the logits at the given temperatures (one an exit), by the device's own
 * EEX_OP_HEAD: replay and engine then see the same bits. Checks the trace first. */
int eex_trace_score(eex_trace *trace, eex_device *device, const float *temperature);

/* Fraction of samples that exit k alone gets right. */
double eex_trace_accuracy(const eex_trace *trace, int exit);

/* A trace with only the given exits, in the given order (copies). */
int eex_trace_select(eex_trace **out, const eex_trace *trace, const int *exits, int count);

/* A trace with only the given samples (rows), in the given order (copies); at least one. */
int eex_trace_take(eex_trace **out, const eex_trace *trace, const uint32_t *rows, int count);

/* Datasets under `group`, one a member, with the conventions as attributes. The scores are stored
 * too and come back bit for bit. Loading refuses (EEX_EFORMAT) shapes that do not fit together,
 * classes that do not exist, and scores that no logits have. */
int eex_trace_save(const eex_trace *trace, eex_store_file *file, const char *group);
int eex_trace_load(eex_trace **out, eex_store_file *file, const char *group);
/* How much memory that one takes when it is loaded: what a file of few bytes holds can be large. */
int eex_trace_size(size_t *bytes, eex_store_file *file, const char *group);

#endif
