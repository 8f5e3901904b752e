/* What an exit decides about one sample: the one piece of arithmetic that replay, the engine on
 * every device and the kernels share, so that none of them can disagree.
 *
 * A device whose compiler needs functions marked defines EEX_INLINE before it includes this. */
#ifndef EEX_DEVICE_DECIDE_H
#define EEX_DEVICE_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#ifndef EEX_INLINE
#define EEX_INLINE static inline
#endif

enum { EEX_MAX_EXITS = 128 };

typedef enum eex_decision { EEX_GO_ON, EEX_ACCEPT, EEX_REJECT } eex_decision;

/* What is compared with the thresholds; larger is surer. */
typedef enum eex_measure {
    EEX_MEASURE_CONFIDENCE,
    EEX_MEASURE_MARGIN,
    EEX_MEASURE_ENTROPY /* minus the entropy */
} eex_measure;

EEX_INLINE float eex_measure_of(eex_measure kind, float confidence, float margin, float entropy)
{
    if (kind == EEX_MEASURE_MARGIN)
        return margin;
    return kind == EEX_MEASURE_ENTROPY ? -entropy : confidence;
}

/* high, low: thresholds of the predicted class. NaN goes on, and is accepted at the end. */
EEX_INLINE eex_decision eex_decide(float score, float high, float low, bool last)
{
    if (score < low)
        return EEX_REJECT;
    return score >= high || last ? EEX_ACCEPT : EEX_GO_ON;
}

/* How one input left. */
typedef struct eex_result {
    int32_t top;           /* class */
    int32_t exit;          /* where it left */
    eex_decision decision; /* EEX_ACCEPT or EEX_REJECT */
    float confidence, margin, entropy;
} eex_result;

#endif
