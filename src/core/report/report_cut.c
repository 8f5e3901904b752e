#include "core/report/report_cut.h"

#include "core/policy/cuts.h"
#include "core/report/report_load_impl.h"

#include "base/status.h"
#include "base/text.h"

#include <math.h>

int eex__report_cut_final(eex_report *r, eex_store_file *file)
{
    double accuracy[EEX_MAX_EXITS], macs = NAN;
    eex_cuts cuts;
    if (!eex_store_has(file, "exits/macs_taken") ||
        !eex_store_has_attribute(file, "validation", "macs"))
        return EEX_OK;
    EEX_TRY(eex__report_per_exit(r->best.alone_macs, r, file, "exits/macs_taken"));
    EEX_TRY(eex_store_get_double(&macs, file, "validation", "macs"));
    for (int k = 0; k < r->best.exits; k++)
        accuracy[k] = r->best.exit[k].validation_accuracy;
    eex_cuts_of(&cuts, accuracy, r->best.alone_macs, r->best.exits);
    r->best.validation_cut_saved = eex_cuts_saved(&cuts, r->best.validation_accuracy, macs);
    return EEX_OK;
}

/* The cuts may be picked with the test split in sight, the network was not: what is said against
 * them is rather too little. */
int eex__report_cut_result(eex_report *r, eex_store_file *file)
{
    double accuracy[EEX_MAX_EXITS];
    eex_cuts cuts;
    if (isnan(r->best.validation_cut_saved) || !eex_store_has(file, "best/alone_accuracy"))
        return EEX_OK;
    EEX_TRY(eex__report_per_exit(accuracy, r, file, "best/alone_accuracy"));
    eex_cuts_of(&cuts, accuracy, r->best.alone_macs, r->best.exits);
    r->best.cut_saved = eex_cuts_saved(&cuts, r->best.accuracy, r->best.ada_macs_cumulative);
    r->best.cut_beyond = cuts.count > 0 && r->best.accuracy > cuts.accuracy[cuts.count - 1];
    return EEX_OK;
}

/* "-31.2 % MACs": what is saved is less. */
static void change(eex_buffer *out, double saved)
{
    eex_buffer_printf(out, "%+.1f %%", eex_text_unsigned_zero(-100 * saved, 1));
}

void eex__report_cut(eex_buffer *out, const eex_report *r)
{
    const bool tested = !isnan(r->best.cut_saved);
    if (r->best.exits < 2 || isnan(r->best.validation_cut_saved))
        return;
    eex_buffer_puts(out, "Against the cut: ");
    change(out, tested ? r->best.cut_saved : r->best.validation_cut_saved);
    eex_buffer_puts(out, " MACs at the same accuracy");
    if (tested) {
        eex_buffer_puts(out, " on the test split (");
        change(out, r->best.validation_cut_saved);
        eex_buffer_puts(out, " on the validation split)");
    } else {
        eex_buffer_puts(out, " on the validation split");
    }
    eex_buffer_puts(out, r->best.cut_beyond
                             ? "; no cut is so accurate there, and the best one is meant.\n"
                             : ".\n");
}
