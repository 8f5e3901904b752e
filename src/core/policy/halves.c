#include "core/policy/halves.h"

#include "base/rng.h"
#include "base/status.h"

#include <stdlib.h>

void eex__halves_free(eex__halves *h)
{
    eex_trace_free(h->fit);
    eex_trace_free(h->test);
    *h = (eex__halves){0};
}

int eex__halves_new(eex__halves *out, const eex_trace *trace, uint64_t seed, uint64_t stream)
{
    const int n = trace->samples, fit = n / 2;
    eex_rng rng;
    *out = (eex__halves){0};
    uint32_t *rows = calloc((size_t)n, sizeof *rows);
    if (!rows)
        return eex_fail(EEX_ENOMEM, "halves: out of memory for %d samples", n);
    for (int i = 0; i < n; i++)
        rows[i] = (uint32_t)i;
    eex_rng_seed(&rng, seed, stream);
    eex_rng_shuffle(&rng, rows, (size_t)n);
    int code = eex_trace_take(&out->fit, trace, rows, fit);
    if (code == EEX_OK)
        code = eex_trace_take(&out->test, trace, rows + fit, n - fit);
    free(rows);
    if (code < 0)
        eex__halves_free(out);
    return code;
}
