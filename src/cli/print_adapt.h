/* What settings by bandwidth have come to, for `eex adapt` and for a run that is partitioned. */
#ifndef EEX_CLI_PRINT_ADAPT_H
#define EEX_CLI_PRINT_ADAPT_H

#include "core/policy/adapted.h"

#include "base/buffer.h"

/* file: that keeps the regressors, NULL: none. */
int eex_print_adapt(const eex_adapted *adapted, const char *model, const char *file, bool json);

/* The conditions and the means over all bandwidths alone. */
int eex_put_adapted(eex_buffer *out, const eex_adapted *adapted);

const char *eex_way_title(eex_way way); /* for people */

#endif
