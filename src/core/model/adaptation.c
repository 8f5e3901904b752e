#include "core/model/adaptation.h"

#include "core/model/model_impl.h"
#include "core/model/model_print.h"
#include "core/plan/quantise.h"

#include "base/shell.h"
#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLOAT_BITS = 32 };

static const char model_print[] = "prints/model", predictor_print[] = "prints/predictor";
static const eex_store_shape print_shape = {1, {EEX_SHA256_BYTES}};

/* ---- for whom ---- */

int eex_adaptation_mark(eex_store_file *file, const eex_model *model,
                        const eex_exit_predictor *predictor)
{
    uint8_t print[EEX_SHA256_BYTES];
    EEX_NEED(file, "file");
    EEX_NEED(model, "model");
    EEX_TRY(eex_model_print(print, model));
    EEX_TRY(eex_store_write(file, model_print, EEX_STORE_U8, &print_shape, print));
    if (!predictor)
        return EEX_OK;
    EEX_TRY(eex_exit_predictor_print(print, predictor));
    return eex_store_write(file, predictor_print, EEX_STORE_U8, &print_shape, print);
}

static int remake(const eex_model *m, const char *what)
{
    char word[EEX_SHELL_WORD];
    return eex_fail(EEX_EINVAL, "%s: eex adapt %s -o FILE makes settings for it", what,
                    eex_shell_text(word, m->path));
}

static int check_model(eex_store_file *file, const eex_model *m)
{
    uint8_t its[EEX_SHA256_BYTES], own[EEX_SHA256_BYTES];
    char what[160];
    if (!eex_store_has(file, model_print))
        return remake(m, "it does not say for which model it is, as files of earlier versions");
    EEX_TRY(eex_store_read(its, file, model_print, EEX_STORE_U8, &print_shape));
    EEX_TRY(eex_model_print(own, m));
    if (memcmp(its, own, sizeof its) == 0)
        return EEX_OK;
    snprintf(what, sizeof what,
             "its settings are for model %02x%02x%02x%02x, this one is %02x%02x%02x%02x", its[0],
             its[1], its[2], its[3], own[0], own[1], own[2], own[3]);
    return remake(m, what);
}

static int check_predictor(eex_store_file *file, const eex_model *m)
{
    uint8_t its[EEX_SHA256_BYTES], own[EEX_SHA256_BYTES];
    char word[EEX_SHELL_WORD];
    const bool expected = eex_store_has(file, predictor_print) != 0;
    if (!expected && m->predictor)
        return remake(m, "its settings are for the model without its predictor: --no-predictor "
                         "does without, or");
    if (!expected)
        return EEX_OK;
    if (!m->predictor)
        return eex_fail(EEX_EINVAL,
                        "its settings are for the model with an exit predictor, which is not "
                        "there, or not used: eex predictor %s, without --no-predictor, --policy "
                        "and --threshold",
                        eex_shell_text(word, m->path));
    EEX_TRY(eex_store_read(its, file, predictor_print, EEX_STORE_U8, &print_shape));
    EEX_TRY(eex_exit_predictor_print(own, m->predictor));
    return memcmp(its, own, sizeof its) == 0
               ? EEX_OK
               : remake(m, "its settings are for another predictor of the model");
}

static int check_policy(const eex_policy *p, const eex_model *m)
{
    uint8_t its[EEX_SHA256_BYTES], own[EEX_SHA256_BYTES];
    if (!m->policy)
        return eex_fail(EEX_EINVAL,
                        "%s has no policy by which anybody leaves: there are no "
                        "thresholds to adapt",
                        m->path);
    if (p->exits != m->policy->exits || p->classes != m->policy->classes)
        return remake(m, "its policy has other exits or classes");
    eex_policy_print(its, p, m->familiar, -1);
    eex_policy_print(own, m->policy, m->familiar, -1);
    return memcmp(its, own, sizeof its) == 0
               ? EEX_OK
               : remake(m, "its settings replace other thresholds than those that the model runs "
                           "with: leave out --policy and --threshold, or");
}

/* ---- reading ---- */

static int get_cut(int *out_cut, int *out_bits, eex_store_file *file)
{
    int64_t cut, bits;
    EEX_TRY(eex_store_get_int(&cut, file, "", "cut"));
    EEX_TRY(eex_store_get_int(&bits, file, "", "bits"));
    if (cut < 1 || cut > EEX_MAX_EXITS || bits < 1 ||
        (bits > EEX_QUANTISE_MAX_BITS && bits != FLOAT_BITS))
        return eex_fail(EEX_EFORMAT, "cut %lld and %lld bits: 1 to %d, and 1 to %d or %d expected",
                        (long long)cut, (long long)bits, EEX_MAX_EXITS, EEX_QUANTISE_MAX_BITS,
                        FLOAT_BITS);
    *out_cut = (int)cut - 1;
    *out_bits = bits == FLOAT_BITS ? 0 : (int)bits;
    return EEX_OK;
}

static int read_cut(eex_adaptation *a, eex_store_file *file, const eex_model *m)
{
    const int last = eex_graph_exits(m->graph) - 1;
    EEX_TRY(get_cut(&a->cut, &a->bits, file));
    EEX_TRY(eex_store_get_double(&a->bytes, file, "", "payload_bytes"));
    if (a->cut < last && a->bytes > 0 && isfinite(a->bytes))
        return EEX_OK;
    return eex_fail(EEX_EFORMAT,
                    "cut %d and payloads of %g bytes: 1 to %d, and more than 0 expected",
                    a->cut + 1, a->bytes, last);
}

/* Settings are of the exits in front of the cut and of the end. */
static int check_settings(const eex_adaptation *a)
{
    eex_settings settings;
    EEX_TRY(eex_adapt_thresholds(&settings, a->adapt, a->forecast.bits[0]));
    return settings.exits == a->cut + 2
               ? EEX_OK
               : eex_fail(EEX_EFORMAT, "settings of %d exits behind a cut at exit %d",
                          settings.exits, a->cut + 1);
}

static int read_all(eex_adaptation *a, eex_store_file *file, const eex_model *m)
{
    EEX_TRY(check_model(file, m));
    EEX_TRY(check_predictor(file, m));
    EEX_TRY(eex_policy_load(&a->policy, file, "policy"));
    EEX_TRY(check_policy(a->policy, m));
    EEX_TRY(eex__exits_check(file, m->graph));
    EEX_TRY(read_cut(a, file, m));
    EEX_TRY(eex_adapt_load(&a->adapt, file, "adaptation"));
    EEX_TRY(eex_forecast_load(&a->forecast, file, "forecast"));
    EEX_TRY(check_settings(a));
    for (int k = 0; m->predictor && k < m->predictor->gates; k++)
        a->gamma[k] = m->predictor->gamma[k];
    return EEX_OK;
}

int eex_adaptation_open(eex_adaptation **out, const char *path, const eex_model *model)
{
    EEX_NEED(out, "place for the settings");
    *out = NULL;
    EEX_NEED(path, "path");
    EEX_NEED(model, "model");
    eex_store_file *file = NULL;
    EEX_TRY(eex_store_open(&file, path, "adaptation", EEX__ADAPTATION_VERSION));
    eex_adaptation *a = calloc(1, sizeof *a);
    int code = a ? read_all(a, file, model)
                 : eex_fail(EEX_ENOMEM, "out of memory for settings by bandwidth");
    eex_store_close(file);
    if (code < 0) {
        eex_adaptation_close(a);
        return eex_fail_in(code, "%s", path);
    }
    *out = a;
    return EEX_OK;
}

void eex_adaptation_close(eex_adaptation *a)
{
    if (!a)
        return;
    eex_adapt_free(a->adapt);
    eex_policy_free(a->policy);
    free(a);
}

int eex_adaptation_cut(int *cut, int *bits, const char *path)
{
    EEX_NEED(cut, "place for the cut");
    EEX_NEED(bits, "place for the bits");
    EEX_NEED(path, "path");
    eex_store_file *file = NULL;
    EEX_TRY(eex_store_open(&file, path, "adaptation", EEX__ADAPTATION_VERSION));
    const int code = get_cut(cut, bits, file);
    eex_store_close(file);
    return code < 0 ? eex_fail_in(code, "%s", path) : EEX_OK;
}

/* ---- using ---- */

int eex_adaptation_set(eex_adaptation *a, double bits)
{
    eex_settings s;
    EEX_NEED(a, "settings by bandwidth");
    EEX_TRY(eex_adapt_thresholds(&s, a->adapt, bits));
    for (int k = 0; k < s.exits - 1; k++) {
        a->policy->a[k] = s.a[k];
        a->gamma[k] = (float)s.gamma[k];
    }
    eex_policy_apply(a->policy);
    return EEX_OK;
}
