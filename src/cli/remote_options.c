#include "cli/remote_options.h"

#include "core/plan/quantise.h"
#include "core/report/report_partition.h"

#include "base/log.h"
#include "base/status.h"

#include <stdlib.h>

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

/* ---- the cut ---- */

/* What is asked for, or -1. */
typedef struct cut {
    int exit, bits;
} cut;

/* The cut is that of the settings, unless another one is asked for. */
static int check_adapted(const eex__remote_options *o, const cut *settings)
{
    const int bits = settings->bits ? settings->bits : FLOAT_BITS;
    if (o->cut && o->cut != settings->exit + 1)
        return eex_fail(EEX_EINVAL, "--cut %d: the settings of %s are for --cut %d", (int)o->cut,
                        o->adapt, settings->exit + 1);
    if (o->bits && o->bits != bits)
        return eex_fail(EEX_EINVAL, "--bits %d: the settings of %s are for --bits %d", (int)o->bits,
                        o->adapt, bits);
    return EEX_OK;
}

static int find_cut(cut *out, const eex__remote_options *o, const char *path)
{
    char *beside = NULL;
    if (o->adapt) {
        const int code = eex_adaptation_cut(&out->exit, &out->bits, o->adapt);
        EEX_TRY(code < 0 ? eex_fail_in(code, "--adapt") : EEX_OK);
        return check_adapted(o, out);
    }
    *out = (cut){(int)o->cut - 1, o->bits ? eex__bits_of(o->bits) : -1};
    if (o->cut || o->bits)
        return EEX_OK;
    int code = eex_report_partition_settings(&beside, path);
    if (code == EEX_OK && beside)
        code = eex_adaptation_cut(&out->exit, &out->bits, beside);
    if (code == EEX_OK && beside)
        eex_log_info("cut behind exit %d, %d bits a value, as %s has it (--cut, --bits: otherwise)",
                     out->exit + 1, out->bits ? out->bits : FLOAT_BITS, beside);
    free(beside);
    return code;
}

int eex__cut_open_model(eex_opened *out, int *bits, const char *path, const eex_model_options *how,
                        const eex__remote_options *o, eex_plan_side side)
{
    cut c;
    *out = (eex_opened){NULL, NULL};
    EEX_TRY(find_cut(&c, o, path));
    *bits = c.bits;
    return eex_open_part(out, path, how, (eex_plan_part){side, c.exit});
}

int eex__remote_open_model(eex_opened *out, int *bits, const char *path,
                           const eex_model_options *how, const eex__remote_options *o)
{
    *bits = -1;
    return o->address ? eex__cut_open_model(out, bits, path, how, o, EEX_PLAN_FRONT)
                      : eex_open_used(out, path, how);
}

int eex__cut_bits(int *bits, const eex_engine *engine)
{
    return *bits >= 0 ? EEX_OK : eex_engine_payload_bits(bits, engine, -1);
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

/* ---- the device ---- */

static int open_offload(eex_offload **out, const eex__remote_options *o, const eex_model *model,
                        eex_engine *engine, int batch, int bits)
{
    const eex_remote_options remote = {.address = o->address,
                                       .key = o->key,
                                       .timeout =
                                           1e-3 * (double)(o->timeout ? o->timeout : TIMEOUT)};
    const int code = eex_offload_open(out, model, engine, batch, -1, bits, &remote);
    return code < 0 ? eex_fail_in(code, "--remote") : EEX_OK;
}

static int open_adapted(eex_offload **out, const eex__remote_options *o, const eex_model *model,
                        eex_engine *engine, int batch, int bits)
{
    eex_adaptation *settings;
    eex_bandwidths trace = {.count = 0};
    int code = eex_adaptation_open(&settings, o->adapt, model);
    EEX_TRY(code < 0 ? eex_fail_in(code, "--adapt") : EEX_OK);
    if (o->trace)
        code = eex_bandwidths_read(&trace, o->trace);
    if (code == EEX_OK)
        code = open_offload(out, o, model, engine, batch, bits);
    if (code < 0) {
        eex_adaptation_close(settings);
        eex_bandwidths_free(&trace);
        return code;
    }
    code = eex_offload_follow(*out, settings, trace);
    return code < 0 ? eex_fail_in(code, "--adapt %s", o->adapt) : EEX_OK;
}

int eex__remote_open(eex_offload **out, const eex__remote_options *o, const eex_model *model,
                     eex_engine *engine, int batch, int bits)
{
    const int code = eex__cut_bits(&bits, engine);
    EEX_TRY(code < 0 ? eex_fail_in(code, "--remote") : EEX_OK);
    return o->adapt ? open_adapted(out, o, model, engine, batch, bits)
                    : open_offload(out, o, model, engine, batch, bits);
}
