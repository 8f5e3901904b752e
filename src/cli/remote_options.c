#include "cli/remote_options.h"

#include "core/plan/quantise.h"

#include "base/status.h"

enum { TIMEOUT = 1000, FLOAT_BITS = 32 };

int eex__bits_check(int64_t bits)
{
    if (bits <= EEX_QUANTISE_MAX_BITS || bits == FLOAT_BITS)
        return EEX_OK;
    return eex_fail(EEX_EINVAL, "--bits %d: expected 1 to %d, or %d for what it is", (int)bits,
                    EEX_QUANTISE_MAX_BITS, FLOAT_BITS);
}

int eex__bits_of(int64_t bits)
{
    return bits == FLOAT_BITS ? 0 : (int)bits;
}

int eex__remote_bits(int *out, const eex__remote_options *o, const eex_engine *engine)
{
    *out = eex__bits_of(o->bits);
    return o->bits ? EEX_OK : eex_engine_payload_bits(out, engine, (int)o->cut - 1);
}

int eex__remote_check(const eex__remote_options *o)
{
    const char *given = o->key       ? "--key"
                        : o->cut     ? "--cut"
                        : o->bits    ? "--bits"
                        : o->timeout ? "--timeout"
                                     : NULL;
    if (!o->address && given)
        return eex_fail(EEX_EINVAL, "%s goes with --remote HOST:PORT", given);
    return eex__bits_check(o->bits);
}

int eex__remote_open(eex_offload **out, const eex__remote_options *o, const eex_model *model,
                     eex_engine *engine, int batch)
{
    const eex_remote_options remote = {.address = o->address,
                                       .key = o->key,
                                       .timeout =
                                           1e-3 * (double)(o->timeout ? o->timeout : TIMEOUT)};
    int bits;
    int code = eex__remote_bits(&bits, o, engine);
    if (code == EEX_OK)
        code = eex_offload_open(out, model, engine, batch, (int)o->cut - 1, bits, &remote);
    return code < 0 ? eex_fail_in(code, "--remote") : EEX_OK;
}
