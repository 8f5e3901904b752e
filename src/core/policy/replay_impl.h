/* What replay asks of a trace and a policy, with or without a predictor. */
#ifndef EEX_CORE_POLICY_REPLAY_IMPL_H
#define EEX_CORE_POLICY_REPLAY_IMPL_H

#include "core/policy/replay.h"

/* That every exit was scored at the temperature that the policy decides at. EEX_EINVAL: one was
 * not. */
int eex__replay_check_temperatures(const eex_trace *trace, const eex_policy *policy);

#endif
