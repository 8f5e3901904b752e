#include "cli/open_model.h"

#include "core/model/predictor.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int parse_kind(eex_policy_kind *out, const eex_model *model, const char *name)
{
    if (name)
        return eex_policy_kind_parse(out, name);
    if (!model->policy)
        return eex_fail(EEX_EINVAL, "--threshold: %s has no policy: say of which kind (--policy)",
                        model->path);
    *out = model->policy->kind;
    return EEX_OK;
}

int eex_apply_policy(eex_model *model, const eex_model_options *o)
{
    eex_policy_kind kind;
    const bool given = !isnan(o->threshold);
    const bool file = o->policy && eex_policy_is_file(o->policy);
    if (file && !eex_fs_exists(o->policy))
        return eex_policy_unknown(o->policy);
    if (file || (o->policy && strcmp(o->policy, "none") == 0)) {
        if (given)
            return eex_fail(EEX_EINVAL, "--threshold goes with a kind of policy, not with %s",
                            o->policy);
        return file ? eex_model_load_policy(model, o->policy) : eex_model_set_policy(model, NULL);
    }
    if (!o->policy && !given)
        return EEX_OK;
    EEX_TRY(parse_kind(&kind, model, o->policy));
    if (!given)
        return eex_fail(EEX_EINVAL, "--policy %s needs a --threshold (or a file of `eex tune`)",
                        o->policy);
    return eex_model_threshold(model, kind, o->threshold);
}

int eex_parse_precision(eex_precision *out, const eex_model_options *o)
{
    int code = o->precision ? eex_precision_parse(out, o->precision) : EEX_OK;
    return code < 0 ? eex_fail_in(code, "--precision") : EEX_OK;
}

int eex_parse_training_precision(eex_precision *out, const char *given)
{
    char hint[EEX_NAMES_SIZE];
    const int found = given ? eex_name_find(eex_precision_names(), given) : EEX_F32;
    if (found < 0)
        return eex_fail(EEX_EINVAL, "--training-precision: no \"%.40s\": %s", given,
                        eex_names_hint(hint, eex_precision_names(), given));
    *out = (eex_precision)found;
    return EEX_OK;
}

int eex_apply_precision(eex_model *model, const eex_model_options *o)
{
    eex_precision precision = model->precision;
    EEX_TRY(eex_parse_precision(&precision, o));
    if (!o->precision && eex_device_calculates(model->params->device, precision) < 0)
        return eex_fail(EEX_EUNSUPPORTED,
                        "%s decides in %s, in which %s does not calculate: --precision float32 "
                        "runs it there, decisions near a threshold may differ",
                        model->path, eex_precision_name(precision), model->params->device->name);
    EEX_TRY(eex_model_set_precision(model, precision));
    if (model->policy && precision != model->precision)
        eex_log_warn(
            "%s: its thresholds were made from scores in %s, it runs in %s: decisions near "
            "a threshold may differ",
            model->path, eex_precision_name(model->precision), eex_precision_name(precision));
    return EEX_OK;
}

static int open_device(eex_opened *out, const eex_model_options *o)
{
    eex_precision asked = EEX_F32;
    *out = (eex_opened){NULL, NULL};
    EEX_TRY(eex_parse_precision(&asked, o)); /* before anything takes long */
    return eex_open_device(&out->device, &o->device);
}

int eex_open_model(eex_opened *out, const char *path, eex_model_part part,
                   const eex_model_options *o)
{
    EEX_TRY(open_device(out, o));
    EEX_TRY(eex_model_open(&out->model, path, part, out->device));
    if (part != EEX_MODEL_BASE)
        EEX_TRY(eex_apply_policy(out->model, o));
    return eex_apply_precision(out->model, o);
}

int eex_open_used(eex_opened *out, const char *path, const eex_model_options *o)
{
    return eex_open_part(out, path, o, (eex_plan_part){EEX_PLAN_WHOLE, 0});
}

int eex_open_part(eex_opened *out, const char *path, const eex_model_options *o, eex_plan_part part)
{
    char *file = NULL;
    EEX_TRY(open_device(out, o));
    EEX_TRY(eex_model_open_part(&out->model, path, part, out->device));
    EEX_TRY(eex_apply_policy(out->model, o));
    EEX_TRY(eex_apply_precision(out->model, o));
    if (o->no_predictor || o->policy || !isnan(o->threshold) ||
        eex_graph_exits(out->model->graph) < 2)
        return EEX_OK;
    EEX_TRY(eex_exit_predictor_path(&file, out->model));
    int code = EEX_OK;
    if (eex_fs_exists(file)) {
        code = eex_model_use_predictor(out->model);
        if (code == EEX_OK)
            eex_log_info("%s says which gates are computed (--no-predictor: all)", file);
    }
    free(file);
    return code;
}

int eex_open_base(eex_model **out, const eex_opened *opened, const char *path, const char *base,
                  const eex_model_options *o)
{
    *out = NULL;
    if (!base && !eex_fs_is_folder(path))
        return EEX_OK;
    EEX_TRY(eex_model_open(out, base ? base : path, EEX_MODEL_BASE, opened->device));
    return eex_apply_precision(*out, o);
}

void eex_opened_close(eex_opened *opened)
{
    eex_model_close(opened->model);
    eex_device_close(opened->device);
    *opened = (eex_opened){NULL, NULL};
}
