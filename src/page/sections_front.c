/* Networks of the front on the test split beside their static rivals, and the exit predictor: what
 * only some runs have. */
#include "core/model/predictor.h"
#include "page/chart.h"
#include "page/html.h"
#include "page/sections.h"

#include "base/status.h"
#include "base/text.h"

#include <math.h>

/* ---- the front ---- */

static void rival(eex_chart *c, const eex_front_exit *x, size_t member, const char *what)
{
    char macs[EEX_TEXT_SIZE];
    if (x)
        eex_chart_point(c, x->alone_macs, 100 * x->alone_accuracy,
                        "%s of member %zu; %.2f %%; %s MACs", what, member + 1,
                        100 * x->alone_accuracy, eex_text_number(macs, x->alone_macs, NULL));
}

static int chart(eex_page *page, const eex_front *f)
{
    char macs[EEX_TEXT_SIZE];
    eex_chart c = {.title = "The front on the test split",
                   .x = "MACs of an input, every executed gate charged",
                   .y = "test accuracy, %",
                   .about =
                       "Networks of the front, each beside its backbone alone and the best cut "
                       "of it that costs no more."};
    eex_chart_series(&c, "with exits", 0, EEX_MARK_POINTS);
    for (size_t i = 0; i < f->count; i++)
        eex_chart_point(&c, f->members[i].macs, 100 * f->members[i].accuracy,
                        "member %zu, trial %llu, %d gates; %.2f %%; %s MACs", i + 1,
                        (unsigned long long)f->members[i].trial, f->members[i].gates,
                        100 * f->members[i].accuracy,
                        eex_text_number(macs, f->members[i].macs, NULL));
    eex_chart_series(&c, "backbone alone", 1, EEX_MARK_POINTS);
    for (size_t i = 0; i < f->count; i++)
        rival(&c, eex_front_end(f, &f->members[i]), i, "backbone");
    eex_chart_series(&c, "cut", 2, EEX_MARK_POINTS);
    for (size_t i = 0; i < f->count; i++)
        rival(&c, eex_front_cut(f, &f->members[i]), i, "cut");
    return eex_chart_put(page, &c);
}

static void member_row(eex_buffer *out, const eex_report *r, size_t i)
{
    const eex_front_member *m = &r->tested.members[i];
    const eex_front_exit *end = eex_front_end(&r->tested, m), *cut = eex_front_cut(&r->tested, m);
    eex_buffer_puts(out, "<tr>");
    eex_html_cell(out, "%zu  trial %llu%s", i + 1, (unsigned long long)m->trial,
                  r->chosen >= 0 && (uint64_t)r->chosen == m->trial ? ", chosen" : "");
    eex_html_fixed(out, 0, m->gates);
    eex_html_percent(out, 2, m->accuracy);
    eex_html_amount(out, m->macs);
    eex_html_percent(out, 2, end ? end->alone_accuracy : NAN);
    eex_html_amount(out, end ? end->alone_macs : NAN);
    eex_html_percent(out, 2, cut ? cut->alone_accuracy : NAN);
    eex_html_amount(out, cut ? cut->alone_macs : NAN);
    eex_html_cell(out, "%s", m->status == EEX_OK ? "" : m->reason);
    eex_buffer_puts(out, "</tr>\n");
}

int eex_page_put_front(eex_page *page, const eex_page_run *run)
{
    static const char *const titles[] = {"member",    "#gates",    "#test",     "#MACs",
                                         "#backbone", "#its MACs", "#best cut", "#its MACs",
                                         "",          NULL};
    const eex_report *r = run->report;
    eex_buffer *out = &page->html;
    if (r->tested.count == 0)
        return EEX_OK;
    eex_html_element(out, "h2", "The front, tested");
    eex_buffer_puts(out, "<div class=\"charts\">\n");
    EEX_TRY(chart(page, &r->tested));
    eex_buffer_puts(out, "<div class=\"card\">");
    eex_html_table_begin(out, titles);
    for (size_t i = 0; i < r->tested.count; i++)
        member_row(out, r, i);
    eex_html_table_end(out);
    eex_buffer_puts(out, "</div></div>\n");
    return eex_buffer_status(out);
}

/* ---- the predictor ---- */

static void outcome_row(eex_buffer *out, const char *what, const eex_skip_outcome *o, int exits)
{
    double computed = 0;
    for (int k = 0; k < exits - 1; k++)
        computed += o->computed[k];
    eex_buffer_puts(out, "<tr>");
    eex_html_cell(out, "%s", what);
    eex_html_percent(out, 2, o->accuracy);
    eex_html_amount(out, o->device);
    eex_html_amount(out, o->total);
    eex_html_fixed(out, 2, computed);
    eex_html_percent(out, 2, o->share[exits - 1]);
    eex_buffer_puts(out, "</tr>\n");
}

int eex_page_put_predictor(eex_page *page, const eex_page_run *run)
{
    static const char *const titles[] = {
        "", "#right", "#MACs on device", "#MACs", "#gates", "#reach the end", NULL};
    const eex_exit_predictor *p = run->model ? run->model->predictor : NULL;
    eex_buffer *out = &page->html;
    char own[EEX_TEXT_SIZE];
    if (!p)
        return EEX_OK;
    const struct {
        const char *without, *with;
        const eex_exit_predictor_figures *figures;
    } rows[] = {{"validation", "validation, with predictor", &p->validation},
                {"test", "test, with predictor", &p->test}};
    eex_html_element(out, "h2", "Exit predictor");
    eex_buffer_puts(out, "<div class=\"card\">");
    eex_html_table_begin(out, titles);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].figures->samples > 0) {
            outcome_row(out, rows[i].without, &rows[i].figures->without, p->gates + 1);
            outcome_row(out, rows[i].with, &rows[i].figures->with, p->gates + 1);
        }
    eex_html_table_end(out);
    eex_buffer_puts(out, "</div>\n");
    eex_html_element(
        out, "p class=\"note\"",
        "A tiny network (%s, %s MACs) that looks at an image first and skips gates that "
        "would not let it leave. On device: in front of the last exit, gates only where "
        "they are computed. Gates: computed an image.",
        eex_exit_predictor_family_name(p->recipe.family),
        eex_text_number(own, p->charges.predictor, NULL));
    return eex_buffer_status(out);
}
