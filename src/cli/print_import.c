#include "cli/print_import.h"

#include "cli/print.h"

#include "base/shell.h"
#include "base/status.h"

enum { LISTED = 20 };

/* ---- shapes ---- */

static void put_sizes(eex_buffer *out, const uint64_t *size, int rank)
{
    eex_buffer_putc(out, '(');
    for (int d = 0; d < rank; d++)
        eex_buffer_printf(out, "%s%llu", d ? ", " : "", (unsigned long long)size[d]);
    eex_buffer_putc(out, ')');
}

static void put_param(eex_buffer *out, const eex_param *p)
{
    uint64_t size[4];
    for (int d = 0; d < p->rank; d++)
        size[d] = (uint64_t)p->shape[d];
    put_sizes(out, size, p->rank);
}

/* Why a parameter was not taken: "(10, 512) here, (1000, 512) of F32 in the file". */
static void put_reason(eex_buffer *out, const eex_import_report *r, int i)
{
    const eex_tensor *t = eex_safetensors_at(r->file, r->weights->tensor[i]);
    put_param(out, eex_graph_param(r->graph, i));
    eex_buffer_puts(out, " here, ");
    if (!t) {
        eex_buffer_puts(out, "not in the file");
        return;
    }
    put_sizes(out, t->shape, t->rank);
    eex_buffer_printf(out, " of %s in the file", t->type);
}

/* ---- for people ---- */

static void put_left(eex_buffer *out, const eex_import_report *r)
{
    int left = 0;
    for (int i = 0; i < r->weights->params; i++) {
        if (r->weights->fits[i] || left++ >= LISTED)
            continue;
        eex_buffer_printf(out, "  %s: ", eex_graph_param(r->graph, i)->name);
        put_reason(out, r, i);
        eex_buffer_puts(out, ": starts anew\n");
    }
    if (left > LISTED)
        eex_buffer_printf(out, "  and %d more that start anew\n", left - LISTED);
}

static void put_unused(eex_buffer *out, const eex_import_report *r)
{
    int seen = 0;
    if (!r->weights->unused)
        return;
    eex_buffer_printf(out, "  %d of the file's tensors %s not used:", r->weights->unused,
                      r->weights->unused == 1 ? "is" : "are");
    for (int i = 0; i < eex_safetensors_count(r->file) && seen < LISTED; i++)
        if (eex_weights_unused(r->weights, r->file, i)) {
            eex_buffer_puts(out, seen++ ? ", " : " ");
            eex__put_name(out, eex_safetensors_at(r->file, i)->name);
        }
    eex_buffer_puts(out, r->weights->unused > LISTED ? ", ...\n" : "\n");
}

static int print_people(const eex_import_report *r)
{
    const eex_weights *w = r->weights;
    char experiment[EEX_SHELL_WORD], out[EEX_SHELL_WORD];
    eex_buffer text = EEX_BUFFER_INIT;
    eex__put_line(&text, "%s: %d of the %d parameters of \"%s\", by %s's names%s%s%s",
                  eex_safetensors_path(r->file), w->taken, w->params, eex_graph_name(r->graph),
                  w->names, *w->prefix ? " behind \"" : "", w->prefix, *w->prefix ? "\"" : "");
    put_left(&text, r);
    put_unused(&text, r);
    if (r->out)
        eex__put_line(&text, "%s: eex run %s --set training.init=%s starts from it", r->out,
                      eex_shell_text(experiment, r->experiment), eex_shell_text(out, r->out));
    return eex__print_report(&text, EEX_OK);
}

/* ---- for programs ---- */

static void put_taken(eex_json *j, const eex_import_report *r)
{
    eex_json_array(j, "starts_anew");
    for (int i = 0; i < r->weights->params; i++) {
        eex_buffer reason = EEX_BUFFER_INIT;
        if (r->weights->fits[i])
            continue;
        put_reason(&reason, r, i);
        eex_json_object(j, NULL);
        eex_json_string(j, "name", eex_graph_param(r->graph, i)->name);
        eex_json_string(j, "why", eex_buffer_text(&reason));
        eex_json_end(j);
        eex_buffer_free(&reason);
    }
    eex_json_end(j);
    eex_json_array(j, "unused");
    for (int i = 0; i < eex_safetensors_count(r->file); i++)
        if (eex_weights_unused(r->weights, r->file, i))
            eex_json_string(j, NULL, eex_safetensors_at(r->file, i)->name);
    eex_json_end(j);
}

static int print_json(const eex_import_report *r)
{
    eex_buffer text = EEX_BUFFER_INIT;
    eex_json j = EEX_JSON_INIT(&text);
    eex_json_object(&j, NULL);
    eex_json_string(&j, "weights", eex_safetensors_path(r->file));
    eex_json_string(&j, "network", eex_graph_name(r->graph));
    eex_json_string(&j, "names", r->weights->names);
    eex_json_string(&j, "prefix", r->weights->prefix);
    eex_json_int(&j, "parameters", r->weights->params);
    eex_json_int(&j, "taken", r->weights->taken);
    put_taken(&j, r);
    eex_json_string(&j, "file", r->out);
    eex_json_end(&j);
    eex_buffer_putc(&text, '\n');
    return eex__print_text(&text, EEX_OK);
}

int eex_print_import(const eex_import_report *report, bool json)
{
    return json ? print_json(report) : print_people(report);
}
