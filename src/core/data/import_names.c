/* Names of classes that are not what they seem to be. */
#include "core/data/import_layout.h"

#include "base/spelling.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { SHOWN = 5 }; /* names of those alike */

/* ---- bytes that are no text ---- */

/* Where the class's folder lies, of which there may be one in each part: the first. */
static const char *parent_of(const eex_import_layout *l, size_t class)
{
    size_t i = 0;
    while (l->files[i].label != (int32_t) class) /* no class is without a file */
        i++;
    return l->folder[l->files[i].part];
}

int eex__import_check_names(const eex_import_layout *l)
{
    eex_buffer name = EEX_BUFFER_INIT;
    size_t wrong = 0, first = 0;
    for (size_t i = l->class_count; i-- > 0;)
        if (!eex_spelling_is_utf8(l->classes[i])) {
            wrong++;
            first = i;
        }
    if (wrong)
        eex_spelling_escape(&name, l->classes[first]);
    int code = eex_buffer_status(&name);
    if (code == EEX_OK && wrong)
        code = eex_fail(EEX_EFORMAT,
                        "%s: %zu of the %zu classes' folders have names that are not UTF-8, as "
                        "names are stored, the first \"%s\": rename them (convmv -r -f latin1 -t "
                        "utf8 --notest FOLDER does so where they are Latin-1)",
                        parent_of(l, first), wrong, l->class_count, eex_buffer_text(&name));
    eex_buffer_free(&name);
    return code;
}

/* ---- names that differ in what hardly shows alone ---- */

typedef struct spelled {
    const char *core, *name;
} spelled;

static int by_core(const void *a, const void *b)
{
    const spelled *s = a, *t = b;
    const int order = strcmp(s->core, t->core);
    return order ? order : strcmp(s->name, t->name);
}

static int find_core(spelled *out, eex_import_layout *l, const char *name)
{
    eex_buffer core = EEX_BUFFER_INIT;
    eex_spelling_core(&core, name);
    int code = eex_buffer_status(&core);
    *out = (spelled){eex_arena_strdup(&l->arena, eex_buffer_text(&core)), name};
    eex_buffer_free(&core);
    return code == EEX_OK && !out->core ? EEX_ENOMEM : code;
}

/* In quotes. An accent behind its letter looks like one on it and is escaped. */
static void put_name(eex_buffer *out, const char *name)
{
    eex_buffer text = EEX_BUFFER_INIT;
    eex_spelling_escape(&text, name);
    eex_buffer_putc(out, '"');
    for (const char *at = eex_buffer_text(&text); *at; at++) {
        const unsigned lead = (unsigned char)at[0], next = (unsigned char)at[1];
        if (lead == 0xcc || (lead == 0xcd && next < 0xb0))
            eex_buffer_printf(out, "\\u%04x", (lead & 0x1fU) << 6 | (*++at & 0x3fU));
        else
            eex_buffer_putc(out, *at);
    }
    eex_buffer_putc(out, '"');
    out->failed |= eex_buffer_status(&text) < 0;
    eex_buffer_free(&text);
}

/* `"Dog", "dog" and "dog "` */
static void put_names(eex_buffer *out, const spelled *of, size_t count)
{
    const size_t shown = count > SHOWN ? SHOWN : count;
    for (size_t i = 0; i < shown; i++) {
        eex_buffer_puts(out, i == 0 ? "" : i + 1 < count ? ", " : " and ");
        put_name(out, of[i].name);
    }
    if (count > shown)
        eex_buffer_printf(out, " and %zu more", count - shown);
}

static void tell_alike(eex_import_result *result, const spelled *of, size_t count)
{
    eex_buffer *out = &result->alike_list;
    result->alike++;
    put_names(out, of, count);
    eex_buffer_puts(out, " are taken as different classes, though their names differ only in "
                         "letter case, blanks or how accents are stored: where they are one, "
                         "rename or merge the folders\n");
}

static void tell_groups(eex_import_result *result, spelled *all, size_t count)
{
    qsort(all, count, sizeof *all, by_core);
    for (size_t from = 0, to = 0; from < count; from = to) {
        while (to < count && strcmp(all[to].core, all[from].core) == 0)
            to++;
        if (to - from > 1)
            tell_alike(result, all + from, to - from);
    }
}

int eex__import_tell_alike(eex_import_result *result, eex_import_layout *l)
{
    spelled *all = malloc((l->class_count ? l->class_count : 1) * sizeof *all);
    int code = all ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for the names of classes");
    for (size_t i = 0; i < l->class_count && code == EEX_OK; i++)
        code = find_core(&all[i], l, l->classes[i]);
    if (code == EEX_OK)
        tell_groups(result, all, l->class_count);
    free(all);
    return code == EEX_OK ? eex_buffer_status(&result->alike_list) : code;
}
