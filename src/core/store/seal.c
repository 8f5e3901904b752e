#include "core/store/seal.h"

#include "base/buffer.h"
#include "base/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(void)
{
    return eex_fail(EEX_ENOMEM, "out of memory for a file's seal");
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* ---- lines ---- */

void eex__seal_lines_free(eex__seal_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        free(lines->line[i]);
    free(lines->line);
    *lines = (eex__seal_lines){0};
}

static void put_shape(eex_buffer *to, const eex_store_shape *shape)
{
    for (int i = 0; shape && i < shape->rank; i++)
        eex_buffer_printf(to, " %" PRIu64, shape->extent[i]);
}

void eex__seal_lines_remove(eex__seal_lines *lines, const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < lines->count; i++)
        if (strncmp(lines->line[i] + 1, name, length) == 0 && lines->line[i][1 + length] == '\t') {
            free(lines->line[i]);
            lines->line[i] = lines->line[--lines->count]; /* they are sorted in the end */
            return;
        }
}

static char *make_line(const char *name, const char *type, const eex_store_shape *shape,
                       const void *data, size_t bytes)
{
    eex_buffer text = EEX_BUFFER_INIT;
    char *line = NULL;
    eex_buffer_printf(&text, "@%s\t%s", name, type);
    put_shape(&text, shape);
    eex_buffer_printf(&text, " %016" PRIx64, eex_xxh64_of(data, bytes));
    if (eex_buffer_take(&line, &text) < 0)
        eex_buffer_free(&text);
    return line;
}

int eex__seal_lines_add(eex__seal_lines *lines, const char *name, const char *type,
                        const eex_store_shape *shape, const void *data, size_t bytes)
{
    if ((lines->count & (lines->count - 1)) == 0) { /* capacity is the next power of two */
        size_t capacity = lines->count ? 2 * lines->count : 1;
        char **more = realloc(lines->line, capacity * sizeof *more);
        if (!more)
            return no_memory();
        lines->line = more;
    }
    char *line = make_line(name, type, shape, data, bytes);
    if (!line)
        return no_memory();
    lines->line[lines->count++] = line;
    return EEX_OK;
}

int eex__seal_head(uint64_t *out, const char *type, const eex_store_shape *shape,
                   eex__seal_lines *lines)
{
    eex_buffer text = EEX_BUFFER_INIT;
    eex_buffer_puts(&text, type);
    put_shape(&text, shape);
    eex_buffer_putc(&text, '\n');
    if (lines->count > 1)
        qsort(lines->line, lines->count, sizeof *lines->line, compare_text);
    for (size_t i = 0; i < lines->count; i++)
        eex_buffer_printf(&text, "%s\n", lines->line[i]);
    int code = eex_buffer_status(&text);
    *out = eex_xxh64_of(eex_buffer_text(&text), text.size);
    eex_buffer_free(&text);
    return code < 0 ? no_memory() : EEX_OK;
}

void eex__seal_string_type(char out[EEX__SEAL_TYPE], size_t bytes)
{
    snprintf(out, EEX__SEAL_TYPE, "string[%zu]", bytes);
}

/* ---- the list ---- */

void eex__seal_free(eex__seal *seal)
{
    free(seal->entry);
    eex_store_list_free(&seal->text);
    *seal = (eex__seal){0};
}

static bool parse_hex(uint64_t *out, const char **at)
{
    static const char digits[] = "0123456789abcdef";
    *out = 0;
    for (int i = 0; i < 16; i++) {
        const char *digit = **at ? strchr(digits, **at) : NULL;
        if (!digit)
            return false;
        *out = *out << 4 | (uint64_t)(digit - digits);
        ++*at;
    }
    return *(*at)++ == ' ';
}

static bool parse_entry(eex__seal_entry *out, const char *line)
{
    if (!parse_hex(&out->head, &line) || !parse_hex(&out->content, &line) || *line != '/')
        return false;
    out->name = line + 1;
    return true;
}

int eex__seal_parse(eex__seal *out, eex_store_list *list)
{
    *out = (eex__seal){0};
    eex__seal_entry *entry = calloc(list->count + 1, sizeof *entry);
    if (!entry)
        return no_memory();
    bool fine = true;
    for (size_t i = 0; fine && i < list->count; i++) {
        fine = parse_entry(&entry[i], list->item[i]);
        if (fine && i > 0)
            fine = strcmp(entry[i - 1].name, entry[i].name) < 0;
    }
    if (!fine) {
        free(entry);
        return EEX_EFORMAT;
    }
    *out = (eex__seal){entry, list->count, *list};
    *list = (eex_store_list){0, NULL};
    return EEX_OK;
}

static int compare_entry(const void *name, const void *entry)
{
    return strcmp(name, ((const eex__seal_entry *)entry)->name);
}

const eex__seal_entry *eex__seal_find(const eex__seal *seal, const char *name)
{
    if (seal->count == 0)
        return NULL;
    return bsearch(name, seal->entry, seal->count, sizeof *seal->entry, compare_entry);
}

void eex__seal_sum(char out[EEX__SEAL_HEX], const eex_store_list *list)
{
    eex_xxh64 sum;
    eex_xxh64_begin(&sum);
    for (size_t i = 0; i < list->count; i++) {
        eex_xxh64_update(&sum, list->item[i], strlen(list->item[i]));
        eex_xxh64_update(&sum, "\n", 1);
    }
    snprintf(out, EEX__SEAL_HEX, "%016" PRIx64, eex_xxh64_end(&sum));
}

/* ---- making one ---- */

void eex__sealing_free(eex__sealing *sealing)
{
    for (size_t i = 0; i < sealing->count; i++) {
        free(sealing->object[i].name);
        eex__seal_lines_free(&sealing->object[i].lines);
    }
    free(sealing->object);
    *sealing = (eex__sealing){0};
}

int eex__sealing_add(eex__sealing *sealing, const char *name, const char *type,
                     const eex_store_shape *shape)
{
    size_t count = sealing->count;
    if ((count & (count - 1)) == 0) { /* capacity is the next power of two */
        eex__sealed_object *more = realloc(sealing->object, (count ? 2 * count : 1) * sizeof *more);
        if (!more)
            return no_memory();
        sealing->object = more;
    }
    eex__sealed_object *o = &sealing->object[count];
    *o = (eex__sealed_object){.name = strdup(name)};
    if (!o->name)
        return no_memory();
    if (shape)
        o->shape = *shape;
    snprintf(o->type, sizeof o->type, "%s", type);
    eex_xxh64_begin(&o->content);
    sealing->count++;
    return EEX_OK;
}

eex__sealed_object *eex__sealing_find(const eex__sealing *sealing, const char *name)
{
    for (size_t i = sealing->count; i > 0; i--)
        if (strcmp(sealing->object[i - 1].name, name) == 0)
            return &sealing->object[i - 1];
    return NULL;
}

static int compare_object(const void *a, const void *b)
{
    return strcmp(((const eex__sealed_object *)a)->name, ((const eex__sealed_object *)b)->name);
}

static int write_line(char **out, eex__sealed_object *object)
{
    uint64_t head;
    eex_buffer text = EEX_BUFFER_INIT;
    EEX_TRY(eex__seal_head(&head, object->type, &object->shape, &object->lines));
    eex_buffer_printf(&text, "%016" PRIx64 " %016" PRIx64 " /%s", head,
                      eex_xxh64_end(&object->content), object->name);
    int code = eex_buffer_take(out, &text);
    eex_buffer_free(&text);
    return code < 0 ? no_memory() : EEX_OK;
}

int eex__sealing_list(eex_store_list *out, eex__sealing *sealing)
{
    *out = (eex_store_list){0, calloc(sealing->count + 1, sizeof *out->item)};
    if (!out->item)
        return no_memory();
    if (sealing->count > 1)
        qsort(sealing->object, sealing->count, sizeof *sealing->object, compare_object);
    for (; out->count < sealing->count; out->count++)
        if (write_line(&out->item[out->count], &sealing->object[out->count]) < 0) {
            eex_store_list_free(out);
            return no_memory();
        }
    return EEX_OK;
}
