/* What a bottleneck has come to, in sentences. */
#ifndef EEX_CLI_PRINT_BOTTLENECK_H
#define EEX_CLI_PRINT_BOTTLENECK_H

#include "core/model/bottleneck.h"

#include "base/buffer.h"

void eex_put_bottled(eex_buffer *out, const eex_bottled *bottled);

#endif
