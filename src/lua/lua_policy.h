/* Exit policies as scripts write them. */
#ifndef EEX_LUA_LUA_POLICY_H
#define EEX_LUA_LUA_POLICY_H

#include "core/policy/calibrate.h"
#include "lua/args.h"

/* Reads {kind, temperature, a, b, by, tune, target, reject} over the defaults in *p; raises. `kind`
 * is what the field with the policy's kind is called. Where the kind changes, a and temperature
 * become the usual ones of that kind unless they are given. */
void eex__read_policy(eex_calibration *p, const eex_args *a, const char *kind);

#endif
