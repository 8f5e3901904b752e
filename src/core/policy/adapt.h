/* Thresholds that follow the bandwidth between a device and a server (Section IV of the paper on
 * early exit prediction).
 *
 * At a few bandwidths replay finds the settings of all exits that are most accurate among those
 * whose mean latency (link.h) keeps a requirement. Regressors of two layers, one an interval of
 * bandwidths, are fitted to these; they give the settings for any bandwidth at once.
 *
 * A setting is, for each exit but the last, the policy's a (policy.h) and, where a predictor runs
 * in front, gamma: the gate is computed for the samples whose score is at least that. */
#ifndef EEX_CORE_POLICY_ADAPT_H
#define EEX_CORE_POLICY_ADAPT_H

#include "core/policy/link.h"
#include "core/policy/policy.h"

typedef struct eex_settings {
    int exits;
    double a[EEX_MAX_EXITS];     /* (exits - 1) for eex_policy.a; finite */
    double gamma[EEX_MAX_EXITS]; /* (exits - 1) from 0 (every gate is computed) to 1 */
} eex_settings;

/* What settings come to on a trace. */
typedef struct eex_settled {
    double accuracy, ms; /* right and not rejected; the mean latency of an input */
    double within;       /* the fraction of inputs whose own latency keeps the requirement */
    double sent;         /* the fraction that goes to the server */
    double bytes;        /* that are sent of an input, on average */
    bool kept;           /* the requirement on latency */
} eex_settled;

/* ---- judging by replay ---- */

typedef struct eex_adapter eex_adapter;

/* From a trace that was scored at the policy's temperatures. scores: (exits - 1, samples) of the
 * predictor, within 0..1; NULL: there is none. The trace and the scores are borrowed; the policy
 * and the parts are copied. */
int eex_adapter_new(eex_adapter **out, const eex_trace *trace, const eex_policy *policy,
                    const eex_parts *parts, const float *scores);
void eex_adapter_free(eex_adapter *adapter); /* accepts NULL */

/* The policy's own a and no gate skipped; where its a are infinite, the nearest that are not. */
void eex_adapter_static(eex_settings *out, const eex_adapter *adapter);

/* Replays settings. latency: the requirement in milliseconds. */
int eex_adapter_judge(eex_settled *out, eex_adapter *adapter, const eex_settings *settings,
                      const eex_line *line, double latency);

/* The same when an oracle computes the gate alone at which a sample will leave (the paper's upper
 * bound: no predictor, no gate in vain). */
int eex_adapter_oracle(eex_settled *out, eex_adapter *adapter, const eex_settings *settings,
                       const eex_line *line, double latency);

/* The most accurate settings that keep the requirement, of those with few levels an exit; where
 * none does, the fastest. By coordinate ascent over exits from several starts, thresholds and gamma
 * of an exit together: the same for the same input. *found (may be NULL): what they come to.
 * oracle: as the oracle sees them. */
int eex_adapter_best(eex_settings *out, eex_settled *found, eex_adapter *adapter,
                     const eex_line *line, double latency, bool oracle);

/* ---- regressors ---- */

enum { EEX_ADAPT_INTERVALS = 8, EEX_ADAPT_POINTS = 32, EEX_ADAPT_HIDDEN = 8 };

/* One regressor's bandwidths: bits a second, ascending; 2 to EEX_ADAPT_POINTS. */
typedef struct eex_interval {
    int count;
    double bits[EEX_ADAPT_POINTS];
} eex_interval;

/* The paper's: 0.1, 0.3, 0.5, 0.7, 1; 1, 3, 5, 7, 10; 10, 30, 50, 70, 100 Mbit/s. */
enum { EEX_ADAPT_PUBLISHED = 3 };
extern const eex_interval eex_adapt_published[EEX_ADAPT_PUBLISHED];

typedef struct eex_adapt eex_adapt;

/* Finds the best settings at each interval's bandwidths and fits a regressor to each; `line` lends
 * all but the bandwidth. A regressor may miss what it was fitted to, so settings are taken for a
 * part of the bandwidth that is there: the largest of a few with which the requirement is kept, on
 * this trace, at bandwidths between all of those, wherever the best settings keep it. */
int eex_adapt_fit(eex_adapt **out, eex_adapter *adapter, const eex_interval *intervals, int count,
                  const eex_line *line, double latency);
void eex_adapt_free(eex_adapt *adapt); /* accepts NULL */

/* The settings for a bandwidth, bits a second; beyond the intervals those of the nearest end.
 * EEX_EINVAL: it is not above 0. Any thread may call it. */
int eex_adapt_thresholds(eex_settings *out, const eex_adapt *adapt, double bits);

double eex_adapt_latency(const eex_adapt *adapt); /* the requirement, milliseconds */
double eex_adapt_counted(const eex_adapt *adapt); /* the part of the bandwidth, 0..1 */

int eex_adapt_save(const eex_adapt *adapt, eex_store_file *file, const char *group);
/* EEX_EFORMAT for what does not fit together or is no number. */
int eex_adapt_load(eex_adapt **out, eex_store_file *file, const char *group);

#endif
