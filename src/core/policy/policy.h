/* Exit policies: when a sample leaves.
 *
 * A policy belongs to one exit list and is saved with the weights. All four kinds share one form:
 * exit k accepts when its score is at least high[k][c], rejects (out of distribution) when it is
 * below low[k][c], else the sample goes on; c is the predicted class. Scores: per-class and
 * confidence use the top-1 probability at the policy's temperature, margin the margin, entropy
 * minus the entropy. The last exit always decides: it accepts unless it rejects. Where the network
 * knows what is familiar, an exit also rejects what is too far from that. */
#ifndef EEX_CORE_POLICY_POLICY_H
#define EEX_CORE_POLICY_POLICY_H

#include "core/policy/trace.h"
#include "core/store/store.h"
#include "device/decide.h"

#include <math.h>

typedef enum eex_policy_kind {
    EEX_POLICY_PER_CLASS,  /* T_high,c = mu_c + a sigma_c, T_low,c = mu_c - b sigma_c (NASEREX,
                            * eq. 5 and II-D-3) */
    EEX_POLICY_MARGIN,     /* EDANAS */
    EEX_POLICY_CONFIDENCE, /* Dong et al. */
    EEX_POLICY_ENTROPY,    /* BranchyNet */
    EEX_POLICY_KINDS
} eex_policy_kind;

/* Whose scores a class's mean and deviation are of: the samples that are predicted as it, or those
 * that belong to it. */
typedef enum eex_policy_by {
    EEX_POLICY_BY_PREDICTION,
    EEX_POLICY_BY_LABEL,
    EEX_POLICY_BYS
} eex_policy_by;

typedef struct eex_policy {
    eex_policy_kind kind;
    int exits, classes;
    bool by_label;      /* an eex_policy_by: how mean and dev were fitted, and are fitted anew; of
                         * other kinds, how they would be */
    float *temperature; /* (exits) */
    float *high, *low;  /* (exits, classes); low = -INFINITY: never rejects */
    double *mean, *dev; /* (exits, classes) Gaussian regressors, per-class kind only, else 0 */
    double *a, *b;      /* (exits) in deviations for per-class; the threshold itself otherwise.
                         * a = INFINITY: never accepts early, -INFINITY: always; b = INFINITY: never
                         * rejects */
    int64_t *count;     /* (exits, classes) calibration samples behind mean and dev */
    double *far;        /* (exits) rejects what is farther from the familiar (familiar.h), whatever
                         * its score; INFINITY: nothing */
} eex_policy;

const eex_names *eex_policy_kind_names(void);
const char *eex_policy_kind_name(eex_policy_kind kind);
int eex_policy_kind_parse(eex_policy_kind *out, const char *name);

/* "prediction", "label". */
const eex_names *eex_policy_by_names(void);
const char *eex_policy_by_name(eex_policy_by by);

/* How a policy of this kind was fitted; NULL: it has no means of classes. */
const char *eex_policy_fitted_by(eex_policy_kind kind, bool by_label);

/* What it is, for people: "per_class by label", "margin". Returns `out`. */
enum { EEX_POLICY_WORDS = 32 };
const char *eex_policy_words(char out[EEX_POLICY_WORDS], eex_policy_kind kind, bool by_label);

/* How users name a policy: "none", a kind, or else a file. */
bool eex_policy_is_file(const char *name);
/* There is no such file either: fails with a message that says so. */
int eex_policy_unknown(const char *name);

/* Everything zero but temperatures 1, a = b = INFINITY, thresholds that send every sample to the
 * end, and by_label. */
int eex_policy_new(eex_policy **out, eex_policy_kind kind, int exits, int classes);
void eex_policy_free(eex_policy *policy);
size_t eex_policy_bytes(const eex_policy *policy); /* of memory that it takes; NULL: 0 */
/* The policy of the given exits, in the given order (copies). */
int eex_policy_select(eex_policy **out, const eex_policy *policy, const int *exits, int count);

/* T_high of exit k and class c if a[k] were `a`; T_low if b[k] were `b`. With dev = 0 both are the
 * mean, whatever finite a and b are. */
float eex_policy_high(const eex_policy *policy, int k, int c, double a);
float eex_policy_low(const eex_policy *policy, int k, int c, double b);

/* Recomputes high and low from mean, dev, a and b: call it after changing any of these. */
void eex_policy_apply(eex_policy *policy);

/* The score that a policy of this kind compares. */
static inline eex_measure eex_policy_compares(eex_policy_kind kind)
{
    if (kind == EEX_POLICY_MARGIN)
        return EEX_MEASURE_MARGIN;
    return kind == EEX_POLICY_ENTROPY ? EEX_MEASURE_ENTROPY : EEX_MEASURE_CONFIDENCE;
}

static inline float eex_policy_score(eex_policy_kind kind, float confidence, float margin,
                                     float entropy)
{
    return eex_measure_of(eex_policy_compares(kind), confidence, margin, entropy);
}

/* What exit k decides about a sample: replay's way to eex_decide. */
static inline eex_decision eex_policy_decide(const eex_policy *p, int k, int top, float score)
{
    size_t at = (size_t)k * (size_t)p->classes + (size_t)top;
    return eex_decide(score, p->high[at], p->low[at], k == p->exits - 1);
}

/* Whether any exit rejects by distance. */
bool eex_policy_rejects_by_distance(const eex_policy *policy);

/* Whether a distance is too far: replay's and the engine's way to ask. NaN is. */
static inline bool eex_too_far(double far, float distance)
{
    return far < (double)INFINITY && !((double)distance <= far);
}

static inline bool eex_policy_too_far(const eex_policy *p, int k, float distance)
{
    return eex_too_far(p->far[k], distance);
}

/* What exit k decides about a trace's sample i. The trace has distances if the policy rejects by
 * distance. */
static inline eex_decision eex_policy_judge(const eex_policy *p, const eex_trace *t, int k, int i)
{
    const size_t at = (size_t)k * (size_t)t->samples + (size_t)i;
    if (t->distance && eex_policy_too_far(p, k, t->distance[at]))
        return EEX_REJECT;
    return eex_policy_decide(
        p, k, t->top[at],
        eex_policy_score(p->kind, t->confidence[at], t->margin[at], t->entropy[at]));
}

/* EEX_EINVAL: the policy rejects by distances that the trace lacks. */
int eex_policy_check_trace(const eex_policy *policy, const eex_trace *trace);

int eex_policy_save(const eex_policy *policy, eex_store_file *file, const char *group);
int eex_policy_load(eex_policy **out, eex_store_file *file, const char *group);

#endif
