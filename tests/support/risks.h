/* What a policy loses in truth, by the definitions of the losses, and promises to be held against
 * it; of traces like those of population.h. */
#ifndef EEX_TESTS_SUPPORT_RISKS_H
#define EEX_TESTS_SUPPORT_RISKS_H

#include "core/policy/risk_impl.h"
#include "support/population.h"

/* What a policy loses on the trace: over all, and by those who leave at each exit. */
typedef struct test_truth {
    double mean, exit[TEST_POPULATION_EXITS];
    int left[TEST_POPULATION_EXITS];
} test_truth;

/* Scores the trace at the policy's temperature. */
test_truth test_truth_of(eex_trace *trace, const eex_policy *policy, eex_loss loss);

/* ---- promises ---- */

typedef struct test_promise {
    eex_loss loss;
    eex_risk_method method;
    bool each_exit;
    double epsilon;
} test_promise;

/* Three of each: over all by learn then test, on average, at each exit. */
enum { TEST_PROMISES = 9 };
extern const test_promise test_promises[TEST_PROMISES];

eex_risk_options test_promise_options(const test_promise *promise);

#endif
