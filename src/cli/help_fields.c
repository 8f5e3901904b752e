#include "cli/help_fields.h"

#include "core/run/fields.h"

#include "base/buffer.h"
#include "base/status.h"

#include <stdio.h>

/* A field takes two lines: its path with what it is when nobody says, then what it means and what
 * it may be. */
static int print_field(const eex_field *f)
{
    eex_buffer usual = EEX_BUFFER_INIT, expects = EEX_BUFFER_INIT;
    eex_field_usual(&usual, f);
    eex_field_expects(&expects, f);
    printf("%s%s%s\n    %s (%s)\n", f->path, usual.size ? " = " : "", eex_buffer_text(&usual),
           f->help, eex_buffer_text(&expects));
    int code = eex_buffer_status(&usual);
    if (code == EEX_OK)
        code = eex_buffer_status(&expects);
    eex_buffer_free(&usual);
    eex_buffer_free(&expects);
    return code;
}

int eex_help_fields(void)
{
    int count;
    const eex_field *fields = eex_fields(&count);
    printf("The fields of an experiment, with their defaults. A script's table has them, or\n"
           "--set FIELD=VALUE; docs/writing-experiments.md says more.\n\n");
    for (int i = 0; i < count; i++)
        if (fields[i].type != EEX_FIELD_FIXED)
            EEX_TRY(print_field(&fields[i]));
    return EEX_OK;
}
