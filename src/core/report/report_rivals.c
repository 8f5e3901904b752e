/* Static networks beside the one with exits. */
#include "core/report/report_rivals.h"

#include "core/report/report_words.h"

#include "base/status.h"
#include "base/table.h"
#include "base/text.h"

/* ---- in words ---- */

static void against(eex_buffer *out, const eex_report *r, const eex_rival *base)
{
    char text[EEX_TEXT_SIZE];
    eex_buffer_printf(
        out, "The most accurate rival, %s, has %.2f %% at %s: against it, the chosen network ",
        base->name, 100 * base->accuracy, eex_text_number(text, base->macs, NULL));
    eex__report_points(out, r->best.accuracy - base->accuracy);
    eex_buffer_printf(out, " and needs %.1f %% of its MACs. ",
                      100 * r->best.ada_macs_cumulative / base->macs);
}

static void words(eex_buffer *out, const eex_report *r)
{
    const eex_rival *better =
        eex_rivals_better(&r->rivals, r->best.accuracy, r->best.ada_macs_cumulative);
    against(out, r, eex_rivals_best(&r->rivals));
    if (better)
        eex_buffer_printf(out,
                          "But %s wins: it is no dearer and at least as accurate, so here leaving "
                          "early gains nothing over a smaller network.\n",
                          better->name);
    else
        eex_buffer_puts(out, "None of them is both no dearer and at least as accurate.\n");
}

/* ---- in a table ---- */

int eex__report_rivals(eex_buffer *out, const eex_report *r, size_t width)
{
    eex_table *t = NULL;
    EEX_TRY(eex_table_new(&t));
    eex_table_column(t, "rival, static", EEX_ALIGN_LEFT, 5);
    eex_table_column(t, "epochs", EEX_ALIGN_RIGHT, 2);
    eex_table_column(t, "validation", EEX_ALIGN_RIGHT, 1);
    eex_table_column(t, "test", EEX_ALIGN_RIGHT, 4);
    eex_table_column(t, "MACs", EEX_ALIGN_RIGHT, 3);
    for (size_t i = 0; i < r->rivals.count; i++) {
        const eex_rival *x = &r->rivals.at[i];
        eex_table_row(t);
        eex_table_cell(t, "%s%s", x->name, *x->failure ? ", failed" : "");
        eex_table_cell(t, "%.0f", x->epochs);
        eex_table_percent(t, 2, x->validation_accuracy);
        eex_table_percent(t, 2, x->accuracy);
        eex_table_amount(t, x->macs);
    }
    int code = eex_table_format(out, t, width);
    eex_table_free(t);
    EEX_TRY(code);
    if (!r->finished || !eex_rivals_best(&r->rivals))
        return EEX_OK;
    eex_buffer_putc(out, '\n');
    return eex__report_paragraph(out, r, width, words);
}
