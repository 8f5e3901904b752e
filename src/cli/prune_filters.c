#include "cli/prune_filters.h"

#include "cli/print.h"
#include "core/model/model_data.h"
#include "core/model/pruned.h"
#include "core/train/kept.h"

#include "base/fs.h"
#include "base/json.h"
#include "base/status.h"
#include "base/text.h"

#include <stdlib.h>

bool eex__filters_wanted(const eex__filter_options *o)
{
    return !isnan(o->share);
}

int eex__filters_check(const eex__filter_options *o)
{
    const char *given = !isnan(o->lr)    ? "--lr"
                        : o->epochs >= 0 ? "--epochs"
                        : o->batch >= 0  ? "--batch"
                        : o->seed >= 0   ? "--seed"
                        : o->cut >= 0    ? "--cut"
                        : o->precision   ? "--training-precision"
                        : o->plain       ? "--no-augment"
                                         : NULL;
    if (!eex__filters_wanted(o))
        return given ? eex_fail(EEX_EINVAL, "%s goes with --filters SHARE", given) : EEX_OK;
    if (!(o->share > 0 && o->share < 1))
        return eex_fail(EEX_EINVAL, "--filters %g: above 0 and below 1 expected", o->share);
    eex_precision precision;
    return eex_parse_training_precision(&precision, o->precision);
}

/* Of options that were checked. */
static eex_pruning pruning_of(const eex__filter_options *o)
{
    eex_pruning how = eex_pruning_default();
    eex_parse_training_precision(&how.precision, o->precision);
    how.share = o->share;
    how.rates = "--lr";
    how.augment = !o->plain;
    how.cut = o->cut >= 0 ? (int)o->cut - 1 : how.cut;
    how.epochs = o->epochs >= 0 ? (int)o->epochs : how.epochs;
    how.batch = o->batch >= 0 ? (int)o->batch : how.batch;
    how.seed = o->seed >= 0 ? (uint64_t)o->seed : how.seed;
    how.lr = isnan(o->lr) ? how.lr : o->lr;
    return how;
}

/* ---- saying it ---- */

static int put_json(eex_buffer *out, const eex_pruned_facts *f, const char *file)
{
    eex_json j = EEX_JSON_INIT(out);
    eex_json_object(&j, NULL);
    eex_json_string(&j, "file", file);
    eex_json_double(&j, "share", f->share);
    eex_json_int(&j, "epochs", f->epochs);
    eex_json_int(&j, "cut", f->cut + 1);
    eex_json_int(&j, "filters", f->filters);
    eex_json_int(&j, "gone", f->gone);
    eex_json_double(&j, "macs_before", f->macs_before);
    eex_json_double(&j, "macs", f->macs);
    eex_json_int(&j, "params_before", f->params_before);
    eex_json_int(&j, "params", f->params);
    eex_json_double(&j, "end_accuracy_before", f->end_before);
    eex_json_double(&j, "end_accuracy", f->end);
    eex_json_double(&j, "accuracy_before", f->accuracy_before);
    eex_json_double(&j, "accuracy", f->accuracy);
    eex_json_end(&j);
    eex_buffer_putc(out, '\n');
    return EEX_OK;
}

static void put_facts(eex_buffer *out, const eex_pruned_facts *f, const char *file)
{
    char macs[2][EEX_TEXT_SIZE], params[2][EEX_TEXT_SIZE];
    eex_buffer_printf(out,
                      "%s:\n%d of %d filters up to exit %d are gone, those of the smallest l2 "
                      "norms; trained on for %d epoch%s.\n",
                      file, f->gone, f->filters, f->cut + 1, f->epochs, eex_plural(f->epochs));
    eex_buffer_printf(
        out,
        "As far as there with every gate: %s MACs instead of %s; in all %s parameters "
        "instead of %s.\n",
        eex_text_number(macs[0], f->macs, ""), eex_text_number(macs[1], f->macs_before, ""),
        eex_text_number(params[0], (double)f->params, ""),
        eex_text_number(params[1], (double)f->params_before, ""));
    eex_buffer_printf(out,
                      "Right on the validation split: the end %.2f %%, before %.2f %%;\n"
                      "with early exits %.2f %%, before %.2f %%.\n",
                      100 * f->end, 100 * f->end_before, 100 * f->accuracy,
                      100 * f->accuracy_before);
}

static int print(const eex_pruned_facts *f, const char *file, bool json)
{
    eex_buffer text = EEX_BUFFER_INIT;
    if (json)
        return eex__print_text(&text, put_json(&text, f, file));
    put_facts(&text, f, file);
    return eex__print_report(&text, EEX_OK);
}

/* ---- the work ---- */

static int make(const eex_pruning *how, const eex_opened *opened, eex_dataset *data,
                const char *out, bool json)
{
    eex_pruned *made = NULL;
    EEX_TRY(eex_pruned_make(&made, opened->model, data, how));
    const eex_pruned_facts done = *eex_pruned_look(made);
    const int code = eex_pruned_save(made, out);
    eex_pruned_free(made);
    EEX_TRY(code);
    EEX_TRY(eex_fs_remove_file(how->checkpoint));
    return print(&done, out, json);
}

int eex__filters_prune(const eex__filter_options *o, const eex_opened *opened, const char *data,
                       const char *out, bool json)
{
    eex_pruning how = pruning_of(o);
    eex_dataset *images = NULL;
    char *checkpoint = NULL;
    EEX_TRY(eex_pruned_check(opened->model, &how));
    EEX_TRY(eex_kept_path(&checkpoint, out));
    how.checkpoint = checkpoint;
    int code = eex_model_data_own(&images, opened->model, data);
    if (code == EEX_OK)
        code = make(&how, opened, images, out, json);
    eex_dataset_close(images);
    free(checkpoint);
    return code;
}
