#include "support/fixture.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct record {
    char name[160], type[8];
    size_t count;
    void *values;
} record;

struct fixture {
    record *records;
    size_t count;
};

static size_t size_of(const char *type)
{
    static const struct {
        const char *name;
        size_t size;
    } types[] = {{"u8", 1}, {"i32", 4}, {"f32", 4}, {"f64", 8}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].name, type) == 0)
            return types[i].size;
    cr_assert_fail("a fixture has values of type %s", type);
    return 0;
}

static int read_record(record *r, FILE *file)
{
    if (fscanf(file, " %159s %7s %zu", r->name, r->type, &r->count) != 3)
        return 0;
    cr_assert_eq(fgetc(file), '\n');
    r->values = malloc(r->count * size_of(r->type) + 1);
    cr_assert_not_null(r->values);
    cr_assert_eq(fread(r->values, size_of(r->type), r->count, file), r->count, "%s ends early",
                 r->name);
    return 1;
}

fixture *fixture_open(const char *path)
{
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "cannot open %s", path);
    fixture *f = calloc(1, sizeof *f);
    cr_assert_not_null(f);
    for (record r; read_record(&r, file);) {
        f->records = realloc(f->records, (f->count + 1) * sizeof *f->records);
        cr_assert_not_null(f->records);
        f->records[f->count++] = r;
    }
    cr_assert(feof(file), "%s: not a fixture from record %zu on", path, f->count);
    fclose(file);
    return f;
}

void fixture_close(fixture *f)
{
    for (size_t i = 0; i < f->count; i++)
        free(f->records[i].values);
    free(f->records);
    free(f);
}

const void *fixture_find(const fixture *f, size_t *count, const char *type, const char *name, ...)
{
    char full[160];
    va_list args;
    va_start(args, name);
    vsnprintf(full, sizeof full, name, args);
    va_end(args);
    for (size_t i = 0; i < f->count; i++) {
        const record *r = &f->records[i];
        if (strcmp(r->name, full) != 0)
            continue;
        cr_assert_str_eq(r->type, type, "%s", full);
        if (count)
            *count = r->count;
        return r->values;
    }
    return NULL;
}
