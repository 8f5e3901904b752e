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
                        : o->adapt   ? "--adapt"
                                     : NULL;
    if (!o->address && given)
        return eex_fail(EEX_EINVAL, "%s goes with --remote HOST:PORT", given);
    if (o->trace && !o->adapt)
        return eex_fail(EEX_EINVAL, "--bandwidth-trace goes with --adapt FILE");
    return eex__bits_check(o->bits);
}

/* The cut is that of the settings, unless another one is asked for. */
static int check_adapted(const eex__remote_options *o, const eex_adaptation *a)
{
    const int bits = a->bits ? a->bits : FLOAT_BITS;
    if (o->cut && o->cut != a->cut + 1)
        return eex_fail(EEX_EINVAL, "--cut %d: the settings of %s are for --cut %d", (int)o->cut,
                        o->adapt, a->cut + 1);
    if (o->bits && o->bits != bits)
        return eex_fail(EEX_EINVAL, "--bits %d: the settings of %s are for --bits %d", (int)o->bits,
                        o->adapt, bits);
    return EEX_OK;
}

static int open_offload(eex_offload **out, const eex__remote_options *o, const eex_model *model,
                        eex_engine *engine, int batch, int cut, int bits)
{
    const eex_remote_options remote = {.address = o->address,
                                       .key = o->key,
                                       .timeout =
                                           1e-3 * (double)(o->timeout ? o->timeout : TIMEOUT)};
    const int code = eex_offload_open(out, model, engine, batch, cut, bits, &remote);
    return code < 0 ? eex_fail_in(code, "--remote") : EEX_OK;
}

static int open_adapted(eex_offload **out, const eex__remote_options *o, const eex_model *model,
                        eex_engine *engine, int batch)
{
    eex_adaptation *settings;
    eex_bandwidths trace = {.count = 0};
    int code = eex_adaptation_open(&settings, o->adapt, model);
    EEX_TRY(code < 0 ? eex_fail_in(code, "--adapt") : EEX_OK);
    code = check_adapted(o, settings);
    if (code == EEX_OK && o->trace)
        code = eex_bandwidths_read(&trace, o->trace);
    if (code == EEX_OK)
        code = open_offload(out, o, model, engine, batch, settings->cut, settings->bits);
    if (code < 0) {
        eex_adaptation_close(settings);
        eex_bandwidths_free(&trace);
        return code;
    }
    code = eex_offload_follow(*out, settings, trace);
    return code < 0 ? eex_fail_in(code, "--adapt %s", o->adapt) : EEX_OK;
}

int eex__remote_open(eex_offload **out, const eex__remote_options *o, const eex_model *model,
                     eex_engine *engine, int batch)
{
    int bits;
    if (o->adapt)
        return open_adapted(out, o, model, engine, batch);
    const int code = eex__remote_bits(&bits, o, engine);
    EEX_TRY(code < 0 ? eex_fail_in(code, "--remote") : EEX_OK);
    return open_offload(out, o, model, engine, batch, (int)o->cut - 1, bits);
}
