/* The header of a safetensors file. */
#include "core/exchange/safetensors_impl.h"

#include "base/json_scan.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* ---- types ---- */

static const struct {
    const char *name;
    int bytes; /* 0: elements share bytes */
    bool reads;
} types[] = {
    {"F64", 8, true},   {"F32", 4, true},      {"F16", 2, true},      {"BF16", 2, true},
    {"I64", 8, false},  {"U64", 8, false},     {"I32", 4, false},     {"U32", 4, false},
    {"I16", 2, false},  {"U16", 2, false},     {"I8", 1, false},      {"U8", 1, false},
    {"BOOL", 1, false}, {"F8_E4M3", 1, false}, {"F8_E5M2", 1, false}, {"F8_E8M0", 1, false},
    {"C64", 8, false},  {"F4", 0, false},      {"F6_E2M3", 0, false}, {"F6_E3M2", 0, false},
};

static int read_type(eex_tensor *t, eex_json_scan *s, eex_buffer *text)
{
    EEX_TRY(eex_json_scan_string(s, text));
    const char *name = eex_buffer_text(text);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].name, name) != 0)
            continue;
        t->type = types[i].name;
        t->bytes = types[i].bytes;
        t->reads = types[i].reads;
        return t->bytes ? EEX_OK
                        : eex_fail(EEX_EUNSUPPORTED,
                                   "\"%s\" is of type %s, whose elements are no whole bytes: "
                                   "store it as F32, F16 or BF16",
                                   t->name, name);
    }
    return eex_fail(EEX_EFORMAT, "\"%s\" is of type \"%.32s\", which does not exist", t->name,
                    name);
}

/* ---- one tensor ---- */

/* "[a, b, ...]" of at most `most` numbers. */
static int read_numbers(uint64_t *out, int *count, int most, eex_json_scan *s)
{
    *count = 0;
    if (!eex_json_scan_char(s, '['))
        return eex_json_scan_fail(s, "[");
    if (eex_json_scan_char(s, ']'))
        return EEX_OK;
    do {
        if (*count == most)
            return eex_json_scan_fail(s, "]: there are too many numbers");
        EEX_TRY(eex_json_scan_number(s, &out[(*count)++]));
    } while (eex_json_scan_char(s, ','));
    return eex_json_scan_char(s, ']') ? EEX_OK : eex_json_scan_fail(s, ", or ]");
}

static int read_place(eex_tensor *t, eex_json_scan *s)
{
    uint64_t place[2];
    int count;
    EEX_TRY(read_numbers(place, &count, 2, s));
    if (count != 2)
        return eex_json_scan_fail(s, "two data_offsets");
    t->begin = place[0];
    t->end = place[1];
    return EEX_OK;
}

enum { HAS_TYPE = 1, HAS_SHAPE = 2, HAS_PLACE = 4, HAS_ALL = 7 };

static int read_member(eex_tensor *t, int *has, eex_json_scan *s, eex_buffer *text)
{
    EEX_TRY(eex_json_scan_string(s, text));
    const char *key = eex_buffer_text(text);
    const int what = strcmp(key, "dtype") == 0          ? HAS_TYPE
                     : strcmp(key, "shape") == 0        ? HAS_SHAPE
                     : strcmp(key, "data_offsets") == 0 ? HAS_PLACE
                                                        : 0;
    if (!what || *has & what)
        return eex_fail(EEX_EFORMAT, "\"%s\" has %s member \"%.32s\"", t->name,
                        what ? "two of" : "an unknown", key);
    *has |= what;
    if (!eex_json_scan_char(s, ':'))
        return eex_json_scan_fail(s, ":");
    if (what == HAS_TYPE)
        return read_type(t, s, text);
    return what == HAS_SHAPE ? read_numbers(t->shape, &t->rank, EEX_TENSOR_RANK, s)
                             : read_place(t, s);
}

/* The shape's elements take just the bytes of its place, which lies within the data. */
static int check_tensor(eex_tensor *t, uint64_t size)
{
    uint64_t bytes = (uint64_t)t->bytes;
    t->count = 1;
    for (int d = 0; d < t->rank; d++) {
        if (__builtin_mul_overflow(bytes, t->shape[d], &bytes))
            return eex_fail(EEX_EFORMAT, "\"%s\" has a shape of more than 2^64 bytes", t->name);
        t->count *= t->shape[d];
    }
    if (t->end < t->begin || t->end > size)
        return eex_fail(EEX_EFORMAT, "\"%s\" lies at bytes %llu to %llu of %llu", t->name,
                        (unsigned long long)t->begin, (unsigned long long)t->end,
                        (unsigned long long)size);
    if (t->end - t->begin != bytes)
        return eex_fail(EEX_EFORMAT, "\"%s\" has a shape of %llu bytes and a place of %llu",
                        t->name, (unsigned long long)bytes,
                        (unsigned long long)(t->end - t->begin));
    return EEX_OK;
}

static int read_tensor(eex_tensor *t, uint64_t size, eex_json_scan *s, eex_buffer *text)
{
    int has = 0;
    if (!eex_json_scan_char(s, '{'))
        return eex_json_scan_fail(s, "{");
    do
        EEX_TRY(read_member(t, &has, s, text));
    while (eex_json_scan_char(s, ','));
    if (!eex_json_scan_char(s, '}'))
        return eex_json_scan_fail(s, ", or }");
    if (has != HAS_ALL)
        return eex_fail(EEX_EFORMAT, "\"%s\" lacks its dtype, its shape or its data_offsets",
                        t->name);
    return check_tensor(t, size);
}

/* ---- all of them ---- */

/* What the file says of itself: texts, which are read over. */
static int skip_metadata(eex_json_scan *s)
{
    if (!eex_json_scan_char(s, '{'))
        return eex_json_scan_fail(s, "{");
    if (eex_json_scan_char(s, '}'))
        return EEX_OK;
    do {
        EEX_TRY(eex_json_scan_skip(s));
        if (!eex_json_scan_char(s, ':'))
            return eex_json_scan_fail(s, ":");
        EEX_TRY(eex_json_scan_skip(s));
    } while (eex_json_scan_char(s, ','));
    return eex_json_scan_char(s, '}') ? EEX_OK : eex_json_scan_fail(s, ", or }");
}

static int add_tensor(eex_tensor **out, eex_safetensors *f, const eex_buffer *name)
{
    if (f->count == EEX_SAFETENSORS_TENSORS)
        return eex_fail(EEX_EFORMAT, "more than %d tensors", EEX_SAFETENSORS_TENSORS);
    if (name->size == 0 || name->size >= EEX_TENSOR_NAME)
        return eex_fail(EEX_EFORMAT, "a tensor's name has %zu bytes: expected 1 to %d", name->size,
                        EEX_TENSOR_NAME - 1);
    if (f->count == f->capacity) {
        const int capacity = f->capacity ? 2 * f->capacity : 64;
        eex_tensor *grown = realloc(f->tensor, (size_t)capacity * sizeof *grown);
        if (!grown)
            return eex_fail(EEX_ENOMEM, "out of memory for %d tensors", capacity);
        f->tensor = grown;
        f->capacity = capacity;
    }
    *out = &f->tensor[f->count];
    **out = (eex_tensor){.name = eex_arena_strdup(&f->arena, eex_buffer_text(name))};
    if (!(*out)->name)
        return EEX_ENOMEM;
    f->count++;
    return EEX_OK;
}

static int read_entry(eex_safetensors *f, eex_json_scan *s, eex_buffer *text)
{
    eex_tensor *t = NULL;
    EEX_TRY(eex_json_scan_string(s, text));
    const bool metadata = strcmp(eex_buffer_text(text), "__metadata__") == 0;
    if (!metadata)
        EEX_TRY(add_tensor(&t, f, text));
    if (!eex_json_scan_char(s, ':'))
        return eex_json_scan_fail(s, ":");
    return metadata ? skip_metadata(s) : read_tensor(t, f->size, s, text);
}

static int read_entries(eex_safetensors *f, eex_json_scan *s, eex_buffer *text)
{
    if (!eex_json_scan_char(s, '{'))
        return eex_json_scan_fail(s, "{");
    if (!eex_json_scan_char(s, '}')) {
        do
            EEX_TRY(read_entry(f, s, text));
        while (eex_json_scan_char(s, ','));
        if (!eex_json_scan_char(s, '}'))
            return eex_json_scan_fail(s, ", or }");
    }
    return eex_json_scan_ended(s) ? EEX_OK : eex_json_scan_fail(s, "the end of the header");
}

/* ---- against each other ---- */

static int by_place(const void *x, const void *y)
{
    const eex_tensor *a = x, *b = y;
    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    return a->end < b->end ? -1 : a->end > b->end;
}

static int by_name(const void *x, const void *y)
{
    const eex_tensor *a = x, *b = y;
    return strcmp(a->name, b->name);
}

/* Without gap or overlap, from the first byte to the last. */
static int check_places(eex_safetensors *f)
{
    uint64_t at = 0;
    if (f->count)
        qsort(f->tensor, (size_t)f->count, sizeof *f->tensor, by_place);
    for (int i = 0; i < f->count; i++) {
        const eex_tensor *t = &f->tensor[i];
        if (t->begin != at)
            return eex_fail(EEX_EFORMAT, "\"%s\" begins at byte %llu, %s %llu", t->name,
                            (unsigned long long)t->begin,
                            t->begin < at ? "within another tensor, which ends at"
                                          : "with a gap behind byte",
                            (unsigned long long)at);
        at = t->end;
    }
    if (at != f->size)
        return eex_fail(EEX_EFORMAT, "the tensors end at byte %llu of %llu", (unsigned long long)at,
                        (unsigned long long)f->size);
    return EEX_OK;
}

static int check_names(eex_safetensors *f)
{
    if (f->count)
        qsort(f->tensor, (size_t)f->count, sizeof *f->tensor, by_name);
    for (int i = 1; i < f->count; i++)
        if (strcmp(f->tensor[i - 1].name, f->tensor[i].name) == 0)
            return eex_fail(EEX_EFORMAT, "two tensors are called \"%s\"", f->tensor[i].name);
    return EEX_OK;
}

int eex__safetensors_header(eex_safetensors *f, const char *text, size_t size)
{
    eex_json_scan scan = {text, text, text + size};
    eex_buffer word = EEX_BUFFER_INIT;
    int code = read_entries(f, &scan, &word);
    eex_buffer_free(&word);
    if (code == EEX_OK)
        code = check_places(f);
    return code == EEX_OK ? check_names(f) : code;
}
