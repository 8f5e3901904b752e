#include "cli/print_predictor.h"

#include "cli/print.h"

#include "base/status.h"
#include "base/text.h"

#include <math.h>

/* ---- for people ---- */

static void row(eex_table *t, const char *what, const eex_skip_outcome *o, int exits)
{
    double computed = 0;
    for (int k = 0; k < exits - 1; k++)
        computed += o->computed[k];
    eex_table_row(t);
    eex_table_cell(t, "%s", what);
    eex_table_percent(t, 2, o->accuracy);
    eex_table_amount(t, o->device);
    eex_table_amount(t, o->total);
    eex_table_fixed(t, 2, computed);
    eex_table_percent(t, 2, o->share[exits - 1]);
}

static void rows(eex_table *t, const char *without, const char *with,
                 const eex_exit_predictor_figures *f, int exits)
{
    if (f->samples == 0)
        return;
    row(t, without, &f->without, exits);
    row(t, with, &f->with, exits);
}

/* Where it has learnt from calibration images, its gammas are from the validation images. */
static bool is_flattered(const eex_exit_predictor *p)
{
    return p->recipe.images != EEX_PREDICTOR_TRAIN;
}

static int table(eex_buffer *out, const eex_exit_predictor *p)
{
    eex_table *t;
    EEX_TRY(eex_table_new(&t));
    eex_table_column(t, "", EEX_ALIGN_LEFT, 0);
    eex_table_column(t, "right", EEX_ALIGN_RIGHT, 5);
    eex_table_column(t, "on device", EEX_ALIGN_RIGHT, 4);
    eex_table_column(t, "MACs", EEX_ALIGN_RIGHT, 3);
    eex_table_column(t, "gates", EEX_ALIGN_RIGHT, 2);
    eex_table_column(t, "reach the end", EEX_ALIGN_RIGHT, 1);
    rows(t, is_flattered(p) ? "validation (which chose gammas)" : "validation", "  with predictor",
         &p->validation, p->gates + 1);
    rows(t, "test", "  with predictor", &p->test, p->gates + 1);
    rows(t, "thresholds chosen on test (as published)", "  with predictor", &p->published,
         p->gates + 1);
    return eex__put_table(out, t);
}

/* Nobody should have to compare two columns to know. */
static void verdict(eex_buffer *out, const eex_exit_predictor *p)
{
    char saved[EEX_TEXT_SIZE], own[EEX_TEXT_SIZE];
    const eex_skip_outcome *was = &p->test.without, *now = &p->test.with;
    const double less = was->device - now->device;
    eex_text_number(saved, fabs(less), NULL);
    eex_text_number(own, p->charges.predictor, NULL);
    eex_buffer_printf(out,
                      "\nIt %s on the test split: %s MACs %s on the device (%.1f %%), its own %s "
                      "among them, and %+.2f points of accuracy.\n",
                      less > 0 ? "pays" : "does not pay", saved, less > 0 ? "less" : "more",
                      was->device > 0 ? 100 * fabs(less) / was->device : 0, own,
                      100 * (now->accuracy - was->accuracy));
}

static void gammas(eex_buffer *out, const eex_exit_predictor *p, const eex_model *m)
{
    for (int k = 0; k < p->gates; k++) {
        const char *node = eex__exit_node(m->graph, k);
        if (isinf(p->gamma[k]))
            eex_buffer_printf(out, "gate %d (%s): never computed\n", k + 1, node);
        else if (p->gamma[k] <= 0)
            eex_buffer_printf(out, "gate %d (%s): always computed\n", k + 1, node);
        else
            eex_buffer_printf(out, "gate %d (%s): computed where its score is at least %.4f\n",
                              k + 1, node, (double)p->gamma[k]);
    }
}

int eex_put_predictor(eex_buffer *out, const eex_exit_predictor *p, const eex_model *m)
{
    eex_buffer_printf(out, "exit predictor: %s, %lld parameters, learnt from %s images%s\n\n",
                      eex_exit_predictor_family_name(p->recipe.family),
                      (long long)eex_graph_param_total(p->graph),
                      p->recipe.images == EEX_PREDICTOR_BOTH
                          ? "training and calibration"
                          : eex_exit_predictor_images_name(p->recipe.images),
                      p->recipe.lambda == EEX_LAMBDA_GRID
                          ? "; its thresholds of confidence were chosen on the calibration images"
                          : "");
    EEX_TRY(table(out, p));
    verdict(out, p);
    gammas(out, p, m);
    if (is_flattered(p))
        eex_buffer_puts(out, "validation: gammas were chosen on these very images, which flatters "
                             "the predictor there; the test split was not looked at.\n");
    if (p->published.samples > 0)
        eex_buffer_puts(out, "\"as published\": confidence and prediction thresholds chosen on the "
                             "images that they are judged on, which flatters them.\n");
    eex_buffer_puts(out, "on device: an image's MACs in front of the last exit, gates only where "
                         "they are computed; gates: computed an image.\n");
    return EEX_OK;
}
