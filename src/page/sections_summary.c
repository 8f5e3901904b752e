/* What a run has come to, in figures: tiles for one, a table for several. */
#include "page/html.h"
#include "page/sections.h"

#include "base/status.h"
#include "base/text.h"

#include <math.h>

static void tile(eex_buffer *out, const char *figure, const char *words)
{
    eex_buffer_puts(out, "<div class=\"tile\">");
    eex_html_element(out, "b", "%s", figure);
    eex_html_element(out, "span", "%s", words);
    eex_buffer_puts(out, "</div>\n");
}

static void tiles(eex_buffer *out, const eex_report *r)
{
    char text[EEX_TEXT_SIZE], words[256], amount[EEX_TEXT_SIZE];
    const double saved = 1 - r->best.ada_macs_cumulative / r->full.macs;
    eex_buffer_puts(out, "<div class=\"tiles\">\n");
    snprintf(text, sizeof text, "%.2f %%", 100 * r->best.accuracy);
    snprintf(words, sizeof words, "of %s right on the test split, leaving early",
             r->best.rejected > 0 ? "the images accepted and" : "the images");
    tile(out, text, words);
    if (!isnan(r->full.accuracy)) {
        snprintf(text, sizeof text, "%+.2f", 100 * (r->best.accuracy - r->full.accuracy));
        tile(out, text, "points of accuracy against the same network run to its end");
        snprintf(text, sizeof text, "%.1f %%", 100 * fabs(saved));
        snprintf(words, sizeof words, "of the MACs %s: %s an image", saved < 0 ? "added" : "saved",
                 eex_text_number(amount, r->best.ada_macs_cumulative, NULL));
        tile(out, text, words);
    }
    if (!isnan(r->best.cut_saved)) {
        snprintf(text, sizeof text, "%+.1f %%", -100 * r->best.cut_saved);
        snprintf(words, sizeof words,
                 "MACs against the cut at the same accuracy%s (%+.1f %% on the validation split)",
                 r->best.cut_beyond ? ", the best that there is" : "",
                 -100 * r->best.validation_cut_saved);
        tile(out, text, words);
    }
    if (!isnan(r->best.speedup.ratio)) {
        snprintf(text, sizeof text, "%.2fx", r->best.speedup.ratio);
        snprintf(words, sizeof words, "as fast as the base at batch 1%s",
                 r->best.speedup.disturbed ? "; the machine was disturbed" : "");
        tile(out, text, words);
    }
    if (r->trials.count) {
        snprintf(text, sizeof text, "%zu", r->trials.count);
        snprintf(words, sizeof words, "structures tried, %zu on the Pareto front", r->front_count);
        tile(out, text, words);
    }
    eex_buffer_puts(out, "</div>\n");
}

static void network(eex_buffer *out, const char *name, double accuracy, double macs,
                    const eex_report_latency *l, const eex_speedup *speedup)
{
    char text[EEX_SPEEDUP_SIZE];
    eex_buffer_puts(out, "<tr>");
    eex_html_cell(out, "%s", name);
    eex_html_percent(out, 2, accuracy);
    eex_html_amount(out, macs);
    eex_html_fixed(out, 3, l->mean);
    eex_html_fixed(out, 3, l->p50);
    eex_html_fixed(out, 3, l->p95);
    eex_html_fixed(out, 3, l->p99);
    eex_buffer_puts(out, "<td class=\"n\">");
    eex_html_text(out, !speedup                ? "1.00x"
                       : isnan(speedup->ratio) ? "–"
                                               : eex_speedup_text(text, speedup));
    eex_buffer_puts(out, "</td></tr>\n");
}

/* Nobody has timed them. */
static void rivals(eex_buffer *out, const eex_report *r)
{
    static const eex_report_latency unknown = {NAN, NAN, NAN, NAN, NAN};
    const eex_speedup unrated = EEX_SPEEDUP_UNKNOWN;
    char name[sizeof r->rivals.at[0].name + 40];
    for (size_t i = 0; i < r->rivals.count; i++) {
        const eex_rival *x = &r->rivals.at[i];
        snprintf(name, sizeof name, "rival: %s, %.0f epochs%s", x->name, x->epochs,
                 *x->failure ? ", failed" : "");
        network(out, name, x->accuracy, x->macs, &unknown, &unrated);
    }
}

static void failures(eex_buffer *out, const eex_report *r)
{
    eex_report_failure x;
    for (size_t i = 0; eex_report_failure_at(&x, r, i); i++)
        eex_html_element(out, "p class=\"note\"", "No %s: %s.", x.what, x.reason);
    const char *unmet;
    for (size_t i = 0; (unmet = eex_report_unmet_at(r, i)); i++)
        eex_html_element(out, "p class=\"note\"", "Not met: %s.", unmet);
}

static void networks(eex_buffer *out, const eex_report *r)
{
    static const char *const titles[] = {"network", "#test", "#MACs",     "#mean ms", "#p50",
                                         "#p95",    "#p99",  "#speed-up", NULL};
    eex_buffer_puts(out, "<div class=\"card\">");
    eex_html_table_begin(out, titles);
    network(out, "base", r->base.accuracy, r->base.macs, &r->base.latency, NULL);
    network(out, "early exit", r->best.accuracy, r->best.ada_macs_cumulative, &r->best.latency,
            &r->best.speedup);
    network(out, "to its end", r->full.accuracy, r->full.macs, &r->full.latency, &r->full.speedup);
    rivals(out, r);
    eex_html_table_end(out);
    eex_buffer_puts(out, "</div>\n");
    eex_html_element(out, "p class=\"note\"",
                     "base: the backbone trained by itself; to its end: the chosen network with "
                     "nobody leaving early. Times are those of one input at batch 1, networks in "
                     "turns, each image's lower quartile of %d rounds%s.%s",
                     r->latency_rounds,
                     r->best.speedup.disturbed
                         ? ", which disagree: the machine was disturbed, times are rough"
                         : "",
                     r->rivals.count ? " Rivals are static networks, trained by themselves." : "");
    failures(out, r);
}

static void heading(eex_buffer *out, const eex_report *r)
{
    eex_html_element(out, "h1", "%s", r->name);
    eex_html_element(out, "p class=\"lead\"", "%s, seed %lld, on %s. Begun %s with eex %s.",
                     r->dataset, (long long)r->seed, r->device, r->created, r->version);
    if (!r->finished)
        eex_html_element(out, "p class=\"note\"", "Not finished: %s.", r->state);
}

static void one(eex_buffer *out, const eex_report *r)
{
    heading(out, r);
    if (r->finished) {
        tiles(out, r);
        networks(out, r);
    }
}

/* Whether two of the runs are on different data, as far as they know. */
static bool on_other_data(const eex_page_run *runs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            if (!eex_identity_same(&runs[k].report->made_of, &runs[i].report->made_of))
                return true;
    return false;
}

/* The data set's name; behind it, where names do not tell the data apart, what its content is. */
static void data_cell(eex_buffer *out, const eex_report *r, bool others)
{
    enum { SHOWN = 12 };
    if (others && eex_identity_known(&r->made_of))
        eex_html_cell(out, "%s (%.*s...)", r->dataset, SHOWN, r->made_of.fingerprint);
    else
        eex_html_cell(out, "%s", r->dataset);
}

static void several(eex_buffer *out, const eex_page_run *runs, size_t count)
{
    const bool others = on_other_data(runs, count);
    static const char *const titles[] = {"run",       "data set",     "#seed",
                                         "#test",     "#to its end",  "#base",
                                         "#MACs",     "#of the base", "#against the cut",
                                         "#speed-up", "#validation",  NULL};
    eex_html_element(out, "h2", "Summary");
    eex_buffer_puts(out, "<div class=\"card\">");
    eex_html_table_begin(out, titles);
    for (size_t i = 0; i < count; i++) {
        const eex_report *r = runs[i].report;
        eex_buffer_printf(out, "<tr><td><span class=\"k%zu\">&#9679;</span> ", i % 8 + 1);
        eex_html_text(out, runs[i].label);
        eex_buffer_puts(out, "</td>");
        data_cell(out, r, others);
        eex_html_fixed(out, 0, (double)r->seed);
        eex_html_percent(out, 2, r->best.accuracy);
        eex_html_percent(out, 2, r->full.accuracy);
        eex_html_percent(out, 2, r->base.accuracy);
        eex_html_amount(out, r->best.ada_macs_cumulative);
        eex_html_percent(out, 1, r->best.ada_macs_cumulative / r->base.macs);
        eex_html_percent(out, 1, -r->best.cut_saved);
        eex_html_fixed(out, 2, r->best.speedup.ratio);
        eex_html_percent(out, 2, r->best.validation_accuracy);
        eex_buffer_puts(out, "</tr>\n");
    }
    eex_html_table_end(out);
    eex_buffer_puts(out, "</div>\n");
    if (others)
        eex_html_element(out, "p class=\"note\"",
                         "Note: these runs are not all on the same data, by the fingerprints in "
                         "brackets: what is right of other images cannot be compared, here and in "
                         "every chart below.");
}

int eex_page_put_summary(eex_page *page, const eex_page_run *runs, size_t count)
{
    if (count == 1)
        one(&page->html, runs[0].report);
    else if (count > 1)
        several(&page->html, runs, count);
    return eex_buffer_status(&page->html);
}
