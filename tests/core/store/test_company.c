/* A file that was made with others of its folder goes with no others. */
#include "core/store/store.h"
#include "support/folder.h"

#include "base/fs.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

TestSuite(company, .init = setup, .fini = teardown);

static const char *at(const char *name)
{
    return test_path(folder, name);
}

static void put(const char *name, double value, double seconds)
{
    const eex_store_shape one = {1, {1}};
    eex_store_file *file;
    OK(eex_store_create(&file, at(name), "trace", 1));
    OK(eex_store_write(file, "deep/value", EEX_STORE_F64, &one, &value));
    OK(eex_store_set_double(file, "deep", "seconds", seconds));
    OK(eex_store_commit(&file));
}

static const char *const others[] = {"a.h5", "b.h5"};

static void write_final(const char *name)
{
    eex_store_file *file;
    OK(eex_store_create(&file, at(name), "weights", 1));
    OK(eex_store_write_string(file, "text", "a network"));
    OK(eex_store_made_with(file, others, 2));
    OK(eex_store_commit(&file));
}

static int look(const char *name)
{
    eex_store_file *file;
    const int code = eex_store_open(&file, at(name), "weights", 1);
    eex_store_close(file);
    return code;
}

static void make_three(void)
{
    put("a.h5", 1, 10);
    put("b.h5", 2, 20);
    write_final("final.h5");
    OK(look("final.h5"));
}

Test(company, another_content_is_refused_by_both_names)
{
    make_three();
    put("b.h5", 2.5, 20);
    cr_expect_eq(look("final.h5"), EEX_EFORMAT);
    cr_expect(strstr(eex_error(), "final.h5: it was made with another b.h5"), "%s", eex_error());
    cr_expect(strstr(eex_error(), "put that one back"), "%s", eex_error());
    put("b.h5", 2, 20);
    OK(look("final.h5"));
}

Test(company, the_same_made_again_is_the_same)
{
    make_three();
    put("a.h5", 1, 11);
    OK(look("final.h5"));
}

Test(company, what_is_not_there_is_not_compared)
{
    make_three();
    cr_assert_eq(unlink(at("a.h5")), 0);
    OK(look("final.h5"));
    cr_assert_eq(unlink(at("b.h5")), 0);
    OK(look("final.h5"));
}

/* A file may be put beside others under another name: its company is elsewhere. */
Test(company, under_another_name_it_stands_alone)
{
    make_three();
    OK(eex_fs_copy(at("mine.h5"), at("final.h5")));
    put("b.h5", 7, 20);
    OK(look("mine.h5"));
    cr_expect_eq(look("final.h5"), EEX_EFORMAT);
}

/* Its own reader says what is the matter with it; links and pipes are not followed. */
Test(company, what_cannot_be_read_is_left_to_its_reader)
{
    make_three();
    cr_assert_eq(truncate(at("a.h5"), 100), 0);
    cr_assert_eq(unlink(at("b.h5")), 0);
    cr_assert_eq(mkfifo(at("b.h5"), 0600), 0);
    OK(look("final.h5"));
    cr_assert_eq(unlink(at("b.h5")), 0);
    put("other.h5", 9, 20);
    cr_assert_eq(symlink("other.h5", at("b.h5")), 0);
    OK(look("final.h5"));
    cr_assert_eq(unlink(at("b.h5")), 0);
    write_final("b.h5"); /* of another kind */
    OK(look("final.h5"));
}

Test(company, made_alone_it_says_nothing)
{
    eex_store_file *file;
    write_final("final.h5");
    OK(eex_store_open(&file, at("final.h5"), "weights", 1));
    cr_expect_eq(eex_store_has(file, "made_with"), 0);
    eex_store_close(file);
    put("a.h5", 1, 10);
    OK(look("final.h5"));
}

/* ---- what a file may say ---- */

static int look_saying(const char *files)
{
    eex_store_file *file;
    OK(eex_store_create(&file, at("final.h5"), "weights", 1));
    OK(eex_store_make_group(file, "made_with"));
    OK(eex_store_set_string(file, "made_with", "name", "final.h5"));
    OK(eex_store_set_string(file, "made_with", "files", files));
    OK(eex_store_commit(&file));
    return look("final.h5");
}

Test(company, nonsense_is_refused)
{
    static const char *const nonsense[] = {"a.h5 trace 1 0123456789abcdef",
                                           "a.h5 trace 1 0123456789abcdef\n",
                                           "a.h5\n",
                                           "a.h5 0123456789abcdef\n",
                                           " trace 1 0123456789abcdef\n",
                                           "\n",
                                           "../a.h5 trace 1 0123456789abcdef\n",
                                           "/etc/passwd trace 1 0123456789abcdef\n",
                                           "a.h5 trace 1 \n",
                                           "a.h5 trace 1 0123456789abcde\n",
                                           "a.h5 trace 1 0123456789abcdef0\n",
                                           "a.h5 trace 1 0123456789abcdef more\n",
                                           "a.h5 trace one 0123456789abcdef\n"};
    char many[2000] = "";
    put("a.h5", 1, 10);
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        cr_expect_eq(look_saying(nonsense[i]), EEX_EFORMAT, "%s", nonsense[i]);
        cr_expect(strstr(eex_error(), "final.h5: "), "%s: %s", nonsense[i], eex_error());
    }
    for (int i = 0; i < 17; i++)
        strcat(many, "none.h5 trace 1 0123456789abcdef\n");
    cr_expect_eq(look_saying(many), EEX_EFORMAT);
    OK(look_saying("none.h5 trace 1 0123456789abcdef\n"));
}

/* ---- sums ---- */

static bool sum_of(char sum[EEX_STORE_SUM], const char *name, const char *group)
{
    eex_store_file *file;
    OK(eex_store_open(&file, at(name), "trace", 1));
    const bool known = eex_store_sum(sum, file, group);
    eex_store_close(file);
    return known;
}

Test(company, a_sum_is_of_arrays_below_a_group)
{
    char whole[EEX_STORE_SUM], deep[EEX_STORE_SUM], part[EEX_STORE_SUM], other[EEX_STORE_SUM];
    put("a.h5", 1, 10);
    put("b.h5", 2, 10);
    cr_assert(sum_of(whole, "a.h5", "") && sum_of(deep, "a.h5", "deep") &&
              sum_of(part, "a.h5", "dee") && sum_of(other, "b.h5", "deep"));
    cr_expect_str_eq(whole, deep);
    cr_expect_str_neq(deep, part);
    cr_expect_str_neq(deep, other);
    cr_expect_eq(strlen(deep), EEX_STORE_SUM - 1);
}
