#include "support/forge.h"

#include "core/store/store_reader.h"

#include "base/status.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BYTES = 64 << 20, MAX_ITEMS = 400, MAX_TEXTS = 1000 };

typedef enum item_kind { GROUP, NUMBERS, TEXTS, INTEGER, REALS, TEXT } item_kind;

/* A group, an array or an attribute; of the last `object` is whose. */
typedef struct item {
    item_kind kind;
    char *name, *object;
    eex_store_type type;
    eex_store_shape shape;
    uint8_t *data; /* of numbers and reals */
    size_t size;
    char **text;
    size_t texts;
    int64_t integer;
} item;

struct test_forge {
    char *format;
    int version;
    item item[MAX_ITEMS];
    int items;
    const char *said[MAX_TEXTS]; /* every name and text in it */
    int sayings;
};

/* ---- reading ---- */

static void free_item(item *t)
{
    for (size_t i = 0; i < t->texts; i++)
        free(t->text[i]);
    free(t->text);
    free(t->data);
    free(t->name);
    free(t->object);
    *t = (item){0};
}

static void free_items(test_forge *f)
{
    for (int i = 0; i < f->items; i++)
        free_item(&f->item[i]);
}

void test_forge_free(test_forge *f)
{
    if (!f)
        return;
    free_items(f);
    free(f->format);
    free(f);
}

static item *add(test_forge *f, item_kind kind, const char *name, const char *object)
{
    if (f->items == MAX_ITEMS) {
        fprintf(stderr, "more than %d things in a file\n", MAX_ITEMS);
        exit(1);
    }
    item *t = &f->item[f->items++];
    *t = (item){.kind = kind, .name = strdup(name), .object = strdup(object)};
    return t;
}

static size_t bytes_of(eex_store_type type, const eex_store_shape *shape)
{
    size_t bytes = eex_store_type_size(type);
    for (int i = 0; i < shape->rank; i++)
        bytes *= shape->extent[i];
    return bytes;
}

static int read_array(item *t, eex_store_file *file, bool is_text)
{
    if (is_text) {
        eex_store_list list;
        EEX_TRY(eex_store_read_strings(&list, file, t->name, MAX_BYTES));
        t->kind = TEXTS;
        t->text = list.item;
        t->texts = list.count;
        return EEX_OK;
    }
    void *data;
    EEX_TRY(eex_store_describe(&t->type, &t->shape, file, t->name));
    EEX_TRY(eex_store_read_new(&data, file, t->name, t->type, &t->shape, MAX_BYTES));
    t->data = data;
    t->size = bytes_of(t->type, &t->shape);
    return EEX_OK;
}

static int read_attribute(item *t, eex_store_file *file, const eex__h5_attribute *a)
{
    if (a->type.class == EEX__H5_STRING) {
        t->kind = TEXT;
        t->text = calloc(1, sizeof *t->text);
        t->texts = 1;
        return eex_store_get_string(&t->text[0], file, t->object, t->name);
    }
    if (a->type.class == EEX__H5_INTEGER && a->count == 1) {
        t->kind = INTEGER;
        return eex_store_get_int(&t->integer, file, t->object, t->name);
    }
    t->kind = REALS;
    t->size = a->count * sizeof(double);
    t->data = malloc(t->size + 1);
    return eex_store_get_doubles((double *)t->data, file, t->object, t->name, a->count);
}

static int read_attributes(test_forge *f, eex_store_file *file, eex__reader *reader,
                           const char *object)
{
    const eex__h5_attributes *all;
    EEX_TRY(eex__reader_attributes(&all, reader, object));
    for (size_t i = 0; i < all->count; i++)
        if (*object || strncmp(all->attribute[i].name, "eex_", 4) != 0)
            EEX_TRY(read_attribute(add(f, TEXT, all->attribute[i].name, object), file,
                                   &all->attribute[i]));
    return EEX_OK;
}

static int read_object(test_forge *f, eex_store_file *file, eex__reader *reader, const char *name);

static int read_members(test_forge *f, eex_store_file *file, eex__reader *reader, const char *name)
{
    eex_store_list names;
    EEX_TRY(eex_store_names(&names, file, name));
    int code = EEX_OK;
    for (size_t i = 0; i < names.count && code == EEX_OK; i++) {
        char path[EEX__STORE_MAX_NAME];
        snprintf(path, sizeof path, "%s%s%s", name, *name ? "/" : "", names.item[i]);
        if (strcmp(path, "eex_seal") != 0)
            code = read_object(f, file, reader, path);
    }
    eex_store_list_free(&names);
    return code;
}

static int read_object(test_forge *f, eex_store_file *file, eex__reader *reader, const char *name)
{
    eex__reader_object *object;
    eex__h5_array *array;
    EEX_TRY(eex__reader_find(&object, reader, name));
    if (object->header.kind == EEX__H5_GROUP) {
        if (*name)
            add(f, GROUP, name, "");
        EEX_TRY(read_attributes(f, file, reader, name));
        return read_members(f, file, reader, name);
    }
    EEX_TRY(eex__reader_array(&array, reader, name));
    EEX_TRY(read_array(add(f, NUMBERS, name, ""), file, array->type.class == EEX__H5_STRING));
    return read_attributes(f, file, reader, name);
}

static void remember(test_forge *f, const char *text)
{
    if (f->sayings < MAX_TEXTS)
        f->said[f->sayings++] = text;
}

static int read_all(test_forge *f, const char *path)
{
    eex_store_file *file;
    eex__reader *reader = NULL;
    EEX_TRY(eex_store_open(&file, path, NULL, 100));
    f->version = eex_store_version(file);
    int code = eex_store_get_string(&f->format, file, "/", "eex_format");
    if (code == EEX_OK)
        code = eex__reader_open(&reader, path, NULL);
    if (code == EEX_OK)
        code = read_object(f, file, reader, "");
    eex__reader_close(reader);
    eex_store_close(file);
    for (int i = 0; i < f->items; i++) {
        remember(f, f->item[i].name);
        for (size_t k = 0; k < f->item[i].texts; k++)
            remember(f, f->item[i].text[k]);
    }
    return code;
}

int test_forge_read(test_forge **out, const char *path)
{
    test_forge *f = *out = calloc(1, sizeof *f);
    if (!f)
        return eex_fail(EEX_ENOMEM, "out of memory");
    const int code = read_all(f, path);
    if (code < 0) {
        test_forge_free(f);
        *out = NULL;
    }
    return code;
}

/* ---- values that nobody expects ---- */

static uint64_t below(eex_rng *rng, uint64_t limit)
{
    return limit > 0 ? eex_rng_below(rng, limit) : 0;
}

static int64_t odd_integer(eex_rng *rng, int64_t now)
{
    static const int64_t numbers[] = {
        0,          -1,        1,         2,         3,        4,       7,         16,
        31,         32,        33,        63,        64,       100,     255,       256,
        257,        1000,      32767,     65535,     65536,    1000000, INT32_MAX, INT32_MIN,
        UINT32_MAX, INT64_MAX, INT64_MIN, 1LL << 31, 1LL << 40};
    const uint64_t unsigned_now = (uint64_t)now;
    switch (below(rng, 4)) {
    case 0: /* one beside it */
        return (int64_t)(below(rng, 2) ? unsigned_now + 1 : unsigned_now - 1);
    case 1:
        return (int64_t)(below(rng, 2) ? unsigned_now * 2 : -unsigned_now);
    default:
        return numbers[below(rng, sizeof numbers / sizeof *numbers)];
    }
}

static double odd_real(eex_rng *rng, double now)
{
    const double numbers[] = {0,    -0.0,     1,     -1,    0.5,    2,      1e-300,   1e300, -1e300,
                              1e38, 1e39,     1e-40, 4.3e9, -4.3e9, 9.3e18, 2e19,     NAN,   NAN,
                              NAN,  INFINITY, 100,   1000,  0.9999, 1.0001, -INFINITY};
    switch (below(rng, 4)) {
    case 0:
        return now * (below(rng, 2) ? 2 : -1);
    case 1:
        return below(rng, 2) ? now + 1 : now - 1;
    default:
        return numbers[below(rng, sizeof numbers / sizeof *numbers)];
    }
}

/* A new one. */
static char *odd_text(const test_forge *f, eex_rng *rng, const char *now)
{
    static const char *const texts[] = {
        "",          "/",      "..", "../../x", "\xff\xfe", "\x1b[31mred\x1b[0m",
        "a\nb",      "%s%n%d", "-1", "nan",     "1e999",    "\"",
        "\t",        " ",      "0",  "none",    "\xc3\xa9", "return 1",
        "/dev/full", "[",      "\\"};
    const size_t size = strlen(now);
    char *text;
    switch (below(rng, 5)) {
    case 0: /* a part of it */
        return strndup(now, below(rng, size + 1));
    case 1: { /* a long one */
        const size_t length = below(rng, 2) ? 300 : 30000;
        text = malloc(length + 1);
        memset(text, size > 0 ? now[0] : 'x', length);
        text[length] = 0;
        return text;
    }
    case 2:
    case 3: /* of somebody else */
        return strdup(f->said[below(rng, (uint64_t)f->sayings)]);
    default:
        return strdup(texts[below(rng, sizeof texts / sizeof *texts)]);
    }
}

/* ---- changing numbers ---- */

static double get_number(const item *t, size_t i)
{
    const uint8_t *at = t->data + i * eex_store_type_size(t->type);
    switch (t->type) {
    case EEX_STORE_U8:
        return *at;
    case EEX_STORE_I32:
        return *(const int32_t *)at;
    case EEX_STORE_U32:
        return *(const uint32_t *)at;
    case EEX_STORE_I64:
        return (double)*(const int64_t *)at;
    case EEX_STORE_U64:
        return (double)*(const uint64_t *)at;
    case EEX_STORE_F32:
        return *(const float *)at;
    default:
        return *(const double *)at;
    }
}

static int64_t whole(double number)
{
    return number > -9e18 && number < 9e18 ? (int64_t)number : 0;
}

static void set_number(item *t, size_t i, eex_rng *rng)
{
    uint8_t *at = t->data + i * eex_store_type_size(t->type);
    const double now = get_number(t, i), real = odd_real(rng, now);
    const int64_t integer = odd_integer(rng, whole(now));
    switch (t->type) {
    case EEX_STORE_U8:
        *at = (uint8_t)integer;
        break;
    case EEX_STORE_I32:
    case EEX_STORE_U32:
        memcpy(at, &integer, 4);
        break;
    case EEX_STORE_I64:
    case EEX_STORE_U64:
        memcpy(at, &integer, 8);
        break;
    case EEX_STORE_F32: {
        const float single = fabs(real) <= 3e38 ? (float)real : (float)(real > 0 ? INFINITY : NAN);
        memcpy(at, &single, 4);
        break;
    }
    default:
        memcpy(at, &real, 8);
    }
}

static size_t count_of(const item *t)
{
    return t->size / eex_store_type_size(t->type);
}

static void change_some(item *t, eex_rng *rng, eex_buffer *what)
{
    const size_t count = count_of(t);
    uint64_t left = below(rng, 3) ? 1 : 1 + below(rng, 8);
    if (count == 0)
        return;
    for (; left > 0; left--) {
        const size_t i = below(rng, count);
        const double before = get_number(t, i);
        set_number(t, i, rng);
        eex_buffer_printf(what, "%s[%zu]: %g instead of %g\n", t->name, i, get_number(t, i),
                          before);
    }
}

/* All of them the same. */
static void change_all(item *t, eex_rng *rng, eex_buffer *what)
{
    const size_t count = count_of(t), each = eex_store_type_size(t->type);
    if (count == 0)
        return;
    if (below(rng, 2))
        set_number(t, 0, rng);
    for (size_t i = 1; i < count; i++)
        memcpy(t->data + i * each, t->data, each);
    eex_buffer_printf(what, "%s: all %g\n", t->name, get_number(t, 0));
}

/* As many rows, columns and so on as nobody expects; what there is not, is a repetition. */
static void change_shape(item *t, eex_rng *rng, eex_buffer *what)
{
    if (t->shape.rank == 0)
        return;
    uint64_t *extent = &t->shape.extent[below(rng, (uint64_t)t->shape.rank)];
    const uint64_t before = *extent,
                   choices[] = {0, 1, before - 1, before + 1, before * 2, before / 2};
    *extent = choices[below(rng, sizeof choices / sizeof *choices)];
    if (*extent > 10000)
        *extent = before;
    const size_t size = bytes_of(t->type, &t->shape);
    if (size > MAX_BYTES) {
        *extent = before;
        return;
    }
    uint8_t *data = malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        data[i] = t->size > 0 ? t->data[i % t->size] : 0;
    free(t->data);
    t->data = data;
    t->size = size;
    eex_buffer_printf(what, "%s: an extent of %" PRIu64 " instead of %" PRIu64 "\n", t->name,
                      *extent, before);
}

static void change_rank(item *t, eex_rng *rng, eex_buffer *what)
{
    const uint64_t count = count_of(t);
    const int before = t->shape.rank;
    if (below(rng, 2) && before < EEX_STORE_MAX_RANK) {
        t->shape.extent[t->shape.rank++] = 1;
    } else {
        t->shape = (eex_store_shape){1, {count}};
        if (count == 1)
            t->shape.rank = 0;
    }
    eex_buffer_printf(what, "%s: rank %d instead of %d\n", t->name, t->shape.rank, before);
}

/* The same bytes, if they can be counted so. */
static void change_type(item *t, eex_rng *rng, eex_buffer *what)
{
    const eex_store_type before = t->type, type = (eex_store_type)below(rng, EEX_STORE_TYPES);
    const size_t each = eex_store_type_size(type), count = count_of(t);
    uint8_t *data = calloc(count + 1, each);
    const size_t size = count * each;
    memcpy(data, t->data, size < t->size ? size : t->size);
    free(t->data);
    t->data = data;
    t->size = size;
    t->type = type;
    eex_buffer_printf(what, "%s: %s instead of %s\n", t->name, eex_store_type_name(type),
                      eex_store_type_name(before));
}

static void change_numbers(item *t, eex_rng *rng, eex_buffer *what)
{
    switch (below(rng, 8)) {
    case 0:
    case 1:
        change_shape(t, rng, what);
        break;
    case 2:
        change_all(t, rng, what);
        break;
    case 3:
        if (below(rng, 2))
            change_rank(t, rng, what);
        else
            change_type(t, rng, what);
        break;
    default:
        change_some(t, rng, what);
    }
}

/* ---- changing the rest ---- */

static void change_text(const test_forge *f, item *t, eex_rng *rng, eex_buffer *what)
{
    if (t->texts == 0)
        return;
    const size_t i = below(rng, t->texts);
    char *text = odd_text(f, rng, t->text[i]);
    eex_buffer_printf(what, "%s%s%s[%zu]: \"%.40s\" instead of \"%.40s\"\n", t->object,
                      *t->object ? "@" : "", t->name, i, text, t->text[i]);
    free(t->text[i]);
    t->text[i] = text;
}

static void change_texts(const test_forge *f, item *t, eex_rng *rng, eex_buffer *what)
{
    const uint64_t choice = below(rng, 4);
    if (choice == 0 && t->texts > 0) {
        free(t->text[--t->texts]);
        eex_buffer_printf(what, "%s: one text less\n", t->name);
    } else if (choice == 1) {
        t->text = realloc(t->text, (t->texts + 1) * sizeof *t->text);
        t->text[t->texts++] = strdup("one more");
        eex_buffer_printf(what, "%s: one text more\n", t->name);
    } else {
        change_text(f, t, rng, what);
    }
}

static void change_attribute(const test_forge *f, item *t, eex_rng *rng, eex_buffer *what)
{
    if (below(rng, 12) == 0) { /* a number instead of a text, and so on */
        static const item_kind kinds[] = {INTEGER, REALS, TEXT};
        const item_kind kind = kinds[below(rng, 3)];
        char *const name = strdup(t->name), *const object = strdup(t->object);
        free_item(t);
        *t = (item){
            .kind = kind, .name = name, .object = object, .integer = 3, .texts = kind == TEXT};
        t->size = kind == REALS ? sizeof(double) : 0;
        t->data = calloc(1, sizeof(double));
        t->text = kind == TEXT ? calloc(1, sizeof *t->text) : NULL;
        if (kind == TEXT)
            t->text[0] = strdup("3");
        eex_buffer_printf(what, "%s@%s: of another type\n", t->object, t->name);
    } else if (t->kind == TEXT) {
        change_text(f, t, rng, what);
    } else if (t->kind == INTEGER) {
        const int64_t before = t->integer;
        t->integer = odd_integer(rng, before);
        eex_buffer_printf(what, "%s@%s: %" PRId64 " instead of %" PRId64 "\n", t->object, t->name,
                          t->integer, before);
    } else if (t->size > 0) {
        double *value = (double *)t->data + below(rng, t->size / sizeof(double));
        const double before = *value;
        *value = odd_real(rng, before);
        eex_buffer_printf(what, "%s@%s: %g instead of %g\n", t->object, t->name, *value, before);
    }
}

/* It, and what is in it. */
static void drop(test_forge *f, const char *name, const char *object, eex_buffer *what)
{
    eex_buffer_printf(what, "%s@%s is gone\n", object, name);
    const size_t size = strlen(name);
    for (int i = 0; i < f->items; i++) {
        item *t = &f->item[i];
        const bool is_attribute = t->kind >= INTEGER;
        const char *const path = is_attribute ? t->object : t->name;
        const bool gone =
            *object ? is_attribute && strcmp(t->name, name) == 0 && strcmp(t->object, object) == 0
                    : strncmp(path, name, size) == 0 && (!path[size] || path[size] == '/');
        if (!gone)
            continue;
        free_item(t);
        f->item[i--] = f->item[--f->items];
    }
}

static void change(test_forge *f, eex_rng *rng, eex_buffer *what)
{
    item *t = &f->item[below(rng, (uint64_t)f->items)];
    if (below(rng, 10) == 0 && f->items > 1) {
        char *const name = strdup(t->name), *const object = strdup(t->object);
        if (t->kind < INTEGER || *object)
            drop(f, name, object, what);
        free(name);
        free(object);
    } else if (t->kind == NUMBERS) {
        change_numbers(t, rng, what);
    } else if (t->kind == TEXTS) {
        change_texts(f, t, rng, what);
    } else if (t->kind != GROUP) {
        change_attribute(f, t, rng, what);
    }
}

/* ---- writing ---- */

static int write_item(const item *t, eex_store_file *file)
{
    switch (t->kind) {
    case GROUP:
        return eex_store_make_group(file, t->name);
    case NUMBERS:
        return eex_store_write(file, t->name, t->type, &t->shape, t->data);
    case TEXTS:
        return eex_store_write_strings(file, t->name, (const char *const *)t->text, t->texts);
    case INTEGER:
        return eex_store_set_int(file, t->object, t->name, t->integer);
    case REALS:
        return eex_store_set_doubles(file, t->object, t->name, (const double *)t->data,
                                     t->size / sizeof(double));
    default:
        return eex_store_set_string(file, t->object, t->name, t->text[0]);
    }
}

static int fill(eex_store_file *file, const void *context)
{
    const test_forge *f = context;
    for (int attributes = 0; attributes < 2; attributes++)
        for (int i = 0; i < f->items; i++)
            if ((f->item[i].kind >= INTEGER) == attributes)
                EEX_TRY(write_item(&f->item[i], file));
    return EEX_OK;
}

static void copy(test_forge *to, const test_forge *from)
{
    *to = *from;
    for (int i = 0; i < from->items; i++) {
        const item *t = &from->item[i];
        item *made = &to->item[i];
        made->name = strdup(t->name);
        made->object = strdup(t->object);
        made->data = t->data ? malloc(t->size + 1) : NULL;
        if (t->data)
            memcpy(made->data, t->data, t->size);
        made->text = calloc(t->texts + 1, sizeof *made->text);
        for (size_t k = 0; k < t->texts; k++)
            made->text[k] = strdup(t->text[k]);
    }
}

int test_forge_write(test_forge *forge, const char *path, eex_rng *rng, eex_buffer *what)
{
    test_forge *changed = malloc(sizeof *changed);
    if (!changed)
        return eex_fail(EEX_ENOMEM, "out of memory");
    copy(changed, forge);
    for (uint64_t left = below(rng, 2) ? 1 : 1 + below(rng, 3); left > 0; left--)
        change(changed, rng, what);
    const int code = eex_store_write_file(path, forge->format, forge->version, fill, changed);
    free_items(changed);
    free(changed);
    return code;
}

int test_forge_without(const char *path, const char *group)
{
    test_forge *forge;
    eex_buffer what = EEX_BUFFER_INIT;
    EEX_TRY(test_forge_read(&forge, path));
    drop(forge, group, "", &what);
    const int code = eex_store_write_file(path, forge->format, forge->version, fill, forge);
    eex_buffer_free(&what);
    test_forge_free(forge);
    return code;
}
