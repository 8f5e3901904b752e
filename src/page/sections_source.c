/* The experiment that made a run, and where it ran. */
#include "page/html.h"
#include "page/sections.h"

#include "base/status.h"
#include "base/text.h"

static void fact(eex_buffer *out, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    eex_buffer_puts(out, "<tr>");
    eex_html_element(out, "th scope=\"row\"", "%s", name);
    eex_buffer_puts(out, "<td>");
    eex_html_text(out, value);
    eex_buffer_puts(out, "</td></tr>\n");
}

static void text(eex_buffer *out, const char *title, const char *content)
{
    if (!content || !*content)
        return;
    eex_buffer_puts(out, "<details>");
    eex_html_element(out, "summary", "%s", title);
    eex_html_element(out, "pre tabindex=\"0\"", "%s", content);
    eex_buffer_puts(out, "</details>\n");
}

static void lines(eex_buffer *out, const char *title, const eex_store_list *list)
{
    if (list->count == 0)
        return;
    eex_buffer_puts(out, "<details>");
    eex_html_element(out, "summary", "%s", title);
    eex_buffer_puts(out, "<pre tabindex=\"0\">");
    for (size_t i = 0; i < list->count; i++) {
        eex_html_text(out, list->item[i]);
        eex_buffer_puts(out, "\n");
    }
    eex_buffer_puts(out, "</pre></details>\n");
}

int eex_page_put_source(eex_page *page, const eex_page_run *run)
{
    char number[EEX_TEXT_SIZE], time[EEX_TEXT_SIZE];
    const eex_report *r = run->report;
    eex_buffer *out = &page->html;
    snprintf(number, sizeof number, "%lld", (long long)run->threads);
    eex_html_element(out, "h2", "Where it comes from");
    eex_buffer_puts(out, "<div class=\"card\"><div class=\"facts\"><table><tbody>\n");
    fact(out, "run", r->folder);
    fact(out, "device", r->device);
    fact(out, "threads", run->threads > 0 ? number : NULL);
    fact(out, "precision", eex_precision_name(r->precision));
    fact(out, "eex", r->version);
    fact(out, "begun", r->created);
    fact(out, "work, all sessions", eex_text_duration(time, r->seconds));
    fact(out, "data set", r->made_of.text ? r->made_of.text : r->dataset);
    fact(out, "its fingerprint", r->made_of.fingerprint);
    eex_buffer_puts(out, "</tbody></table></div>\n");
    text(out, "The experiment file", run->script);
    lines(out, "What --set changed in it", &run->sets);
    text(out, "Every field, as it was understood", run->description);
    eex_buffer_puts(out, "</div>\n");
    return eex_buffer_status(out);
}
