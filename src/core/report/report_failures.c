/* What a run is without, each with its reason, in one list; and what it does not keep. */
#include "core/report/report.h"
#include "core/report/report_partition.h"

/* Whether this is one, and the one that is wanted, which is put down then. */
static bool is_it(eex_report_failure *out, size_t *left, const char *kind, const char *name,
                  const char *reason)
{
    if (!reason || !*reason || (*left)-- > 0)
        return false;
    snprintf(out->what, sizeof out->what, "%s%s", kind, name);
    out->reason = reason;
    return true;
}

bool eex_report_failure_at(eex_report_failure *out, const eex_report *r, size_t number)
{
    size_t left = number;
    for (int p = 0; p < EEX_PHASES; p++)
        if (is_it(out, &left, "", eex_phase_at((eex_phase)p)->name, r->lost[p]))
            return true;
    if (r->partition && is_it(out, &left, "rival ", "without filters", r->partition->no_filters))
        return true;
    for (size_t i = 0; i < r->rivals.count; i++)
        if (is_it(out, &left, "rival, ", r->rivals.at[i].name, r->rivals.at[i].failure))
            return true;
    return false;
}

/* NULL: kept, or not asked for. */
static const char *unmet(const eex_report *r, int wish)
{
    if (*r->unmet.text[wish])
        return r->unmet.text[wish];
    return r->partition && *r->partition->unmet.text[wish] ? r->partition->unmet.text[wish] : NULL;
}

const char *eex_report_unmet_at(const eex_report *r, size_t number)
{
    for (int i = 0; i < EEX_WISHES; i++)
        if (unmet(r, i) && number-- == 0)
            return unmet(r, i);
    return NULL;
}
