/* Whether files hold the same is told by their arrays and texts, not by when they were made. */
#include "core/store/store.h"
#include "support/folder.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static char folder[TEST_PATH_SIZE];

static void setup(void)
{
    test_folder_make(folder);
}

static void teardown(void)
{
    test_folder_remove(folder);
}

TestSuite(same, .init = setup, .fini = teardown);

/* What differs from the file that is compared with. */
typedef struct content {
    float weight;
    double seconds, unit;
    const char *text, *array;
    bool more;
} content;

static const content usual = {
    .weight = 1, .seconds = 2, .unit = 3, .text = "a text", .array = "params/w"};

static eex_store_file *make(const char *name, const content *c)
{
    const float weights[3] = {c->weight, 2, 3};
    const eex_store_shape shape = {1, {3}};
    eex_store_file *file;
    OK(eex_store_create(&file, test_path(folder, name), "weights", 1));
    OK(eex_store_write(file, c->array, EEX_STORE_F32, &shape, weights));
    OK(eex_store_set_double(file, c->array, "unit", c->unit));
    OK(eex_store_write_string(file, "text", c->text));
    OK(eex_store_make_group(file, "history"));
    OK(eex_store_set_double(file, "history", "seconds", c->seconds));
    if (c->more)
        OK(eex_store_write(file, "zz", EEX_STORE_F32, &shape, weights));
    OK(eex_store_commit(&file));
    OK(eex_store_open(&file, test_path(folder, name), "weights", 1));
    return file;
}

static bool same_as_usual(const content *c)
{
    eex_store_file *a = make("a.h5", &usual), *b = make("b.h5", c);
    const bool same = eex_store_same(a, b);
    cr_expect_eq(eex_store_same(b, a), same);
    eex_store_close(a);
    eex_store_close(b);
    return same;
}

Test(same, what_counts)
{
    content c[7];
    for (int i = 0; i < 7; i++)
        c[i] = usual;
    c[1].seconds = 5;
    c[2].weight = 1.5f;
    c[3].text = "another";
    c[4].array = "params/v";
    c[5].more = true;
    c[6].unit = 4;
    for (int i = 0; i < 7; i++)
        cr_expect_eq(same_as_usual(&c[i]), i < 2, "%d", i);
}

/* Those of earlier versions have no seal, by which it could be told. */
Test(same, files_without_a_seal_are_not_known_to_be)
{
    eex_store_file *a, *b;
    OK(eex_store_open(&a, EEX_FIXTURES "/store_latest.h5", NULL, 1));
    OK(eex_store_open(&b, EEX_FIXTURES "/store_latest.h5", NULL, 1));
    cr_expect_not(eex_store_same(a, b));
    eex_store_close(a);
    eex_store_close(b);
}
