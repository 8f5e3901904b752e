#include "cli/help_fields.h"

#include "cli/print.h"
#include "core/run/fields.h"

#include "base/buffer.h"
#include "base/status.h"

/* A field takes two lines: its path with what it is when nobody says, then what it means and what
 * it may be. */
static int describe(eex_buffer *out, const eex_field *f)
{
    eex_buffer usual = EEX_BUFFER_INIT, expects = EEX_BUFFER_INIT;
    eex_field_usual(&usual, f);
    eex_field_expects(&expects, f);
    eex_buffer_printf(out, "  %s%s%s\n      %s (%s)\n", f->path, usual.size ? " = " : "",
                      eex_buffer_text(&usual), f->help, eex_buffer_text(&expects));
    int code = eex_buffer_status(&usual);
    if (code == EEX_OK)
        code = eex_buffer_status(&expects);
    eex_buffer_free(&usual);
    eex_buffer_free(&expects);
    return code;
}

int eex_help_fields(void)
{
    int count, code = EEX_OK;
    const eex_field *fields = eex_fields(&count);
    eex_buffer text = EEX_BUFFER_INIT;
    eex_buffer_puts(&text,
                    "The fields of an experiment, with their defaults. A script's table has "
                    "them, or --set FIELD=VALUE; docs/writing-experiments.md says more.\n\n");
    for (int i = 0; i < count && code == EEX_OK; i++)
        if (fields[i].type != EEX_FIELD_FIXED)
            code = describe(&text, &fields[i]);
    if (code != EEX_OK) {
        eex_buffer_free(&text);
        return code;
    }
    return eex__print_paragraphs(&text);
}
