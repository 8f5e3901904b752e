/* Prints profiles. */
#ifndef EEX_CLI_PRINT_PROFILE_H
#define EEX_CLI_PRINT_PROFILE_H

#include "core/use/profile.h"

#include "base/buffer.h"

/* On stdout; the slowest layers, or all of them. */
int eex_print_profile(const eex_profile *profile, const eex_model *model, bool all_layers);
int eex_print_profile_json(const eex_profile *profile, const eex_model *model);

/* The latencies by exit as a script for eex_plot. */
void eex_profile_script(eex_buffer *out, const eex_profile *profile, const eex_model *model);

#endif
