/* Files that another program changed in a proper way, so that all of HDF5's checksums are right:
 * the seal tells. */
#include "core/store/seal.h"
#include "core/store/store.h"
#include "support/folder.h"
#include "support/store_digest.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK(call) cr_assert_eq((call), EEX_OK, "%s", eex_error())
#define DONE(call) cr_assert_geq((call), 0, "%s", #call)

static char folder[TEST_PATH_SIZE], path[TEST_PATH_SIZE];

static void begin(void)
{
    test_folder_make(folder);
    snprintf(path, sizeof path, "%s", test_path(folder, "a.h5"));
    OK(test_store_write_sample(path));
}

static void end(void)
{
    test_folder_remove(folder);
}

static hid_t change(void)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    DONE(file);
    return file;
}

/* Opening it, or reading it, says all of the words. */
static void refused(const char *object, const char *word)
{
    uint64_t digest;
    int code = test_store_digest(&digest, path);
    cr_assert_eq(code, EEX_EFORMAT, "%s: %d", word, code);
    cr_assert(strstr(eex_error(), path), "%s", eex_error());
    cr_assert(strstr(eex_error(), object), "%s", eex_error());
    cr_assert(strstr(eex_error(), word), "%s", eex_error());
}

TestSuite(seal, .init = begin, .fini = end);

Test(seal, a_file_that_nobody_changed)
{
    uint64_t digest, again;
    OK(test_store_digest(&digest, path));
    hid_t file = change();
    H5Fclose(file);
    OK(test_store_digest(&again, path));
    cr_assert_eq(digest, again);
}

Test(seal, an_object_is_gone)
{
    hid_t file = change();
    DONE(H5Ldelete(file, "deep/packed", H5P_DEFAULT));
    H5Fclose(file);
    refused("/deep/packed", "missing");
}

Test(seal, an_object_is_new)
{
    hid_t file = change();
    DONE(H5Olink(file, file, "many/more", H5P_DEFAULT, H5P_DEFAULT));
    H5Fclose(file);
    refused("/many", "holds more");
}

Test(seal, an_object_has_another_name)
{
    hid_t file = change();
    DONE(H5Lmove(file, "rows", file, "columns", H5P_DEFAULT, H5P_DEFAULT));
    H5Fclose(file);
    refused("", "does not name");
}

Test(seal, two_objects_change_places)
{
    hid_t file = change();
    DONE(H5Lmove(file, "one", file, "x", H5P_DEFAULT, H5P_DEFAULT));
    DONE(H5Lmove(file, "text", file, "one", H5P_DEFAULT, H5P_DEFAULT));
    DONE(H5Lmove(file, "x", file, "text", H5P_DEFAULT, H5P_DEFAULT));
    H5Fclose(file);
    refused("/one", "type, extents or attributes");
}

Test(seal, an_attribute_is_gone)
{
    hid_t file = change();
    DONE(H5Adelete_by_name(file, "deep/er/table", "reals", H5P_DEFAULT));
    H5Fclose(file);
    refused("/deep/er/table", "attributes");
}

Test(seal, an_attribute_has_another_value)
{
    const int64_t other = 7;
    hid_t file = change(), array = H5Dopen2(file, "small", H5P_DEFAULT);
    hid_t a = H5Aopen(array, "number", H5P_DEFAULT);
    DONE(H5Awrite(a, H5T_NATIVE_INT64, &other));
    H5Aclose(a);
    H5Dclose(array);
    H5Fclose(file);
    refused("/small", "attributes");
}

/* Found when it is read, not when the file is opened. */
Test(seal, an_array_has_another_content)
{
    const int32_t other[3] = {1, 2, 3};
    eex_store_file *opened;
    hid_t file = change(), array = H5Dopen2(file, "small", H5P_DEFAULT);
    DONE(H5Dwrite(array, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, other));
    H5Dclose(array);
    H5Fclose(file);
    OK(eex_store_open(&opened, path, NULL, 1));
    eex_store_close(opened);
    refused("/small", "content");
}

Test(seal, rows_are_missing)
{
    const hsize_t fewer[2] = {150, 50};
    hid_t file = change(), array = H5Dopen2(file, "rows", H5P_DEFAULT);
    DONE(H5Dset_extent(array, fewer));
    H5Dclose(array);
    H5Fclose(file);
    refused("/rows", "extents");
}

Test(seal, the_list_is_gone)
{
    hid_t file = change();
    DONE(H5Ldelete(file, EEX__SEAL_NAME, H5P_DEFAULT));
    H5Fclose(file);
    refused(EEX__SEAL_NAME, "missing");
}

Test(seal, the_sum_is_another)
{
    hid_t file = change();
    hid_t a = H5Aopen_by_name(file, "/", EEX__SEAL_NAME, H5P_DEFAULT, H5P_DEFAULT);
    hid_t type = H5Aget_type(a);
    DONE(H5Awrite(a, type, "0123456789abcdef"));
    H5Tclose(type);
    H5Aclose(a);
    H5Fclose(file);
    refused(EEX__SEAL_NAME, "seal");
}

/* Files of before, and of others, have none. */
Test(seal, none_at_all)
{
    uint64_t digest, again;
    OK(test_store_digest(&digest, path));
    hid_t file = change();
    DONE(H5Ldelete(file, EEX__SEAL_NAME, H5P_DEFAULT));
    DONE(H5Adelete(file, EEX__SEAL_NAME));
    H5Fclose(file);
    OK(test_store_digest(&again, path));
}

/* ---- the list itself ---- */

Test(seal, lists_that_are_none)
{
    const char *const wrong[] = {"", "0123456789abcdef", "0123456789abcdef 0123456789abcdeg /a",
                                 "0123456789abcdef 0123456789abcdef a",
                                 "0123456789abcdef  123456789abcdef /a"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        eex__seal seal;
        eex_store_list list = {1, malloc(sizeof *list.item)};
        list.item[0] = strdup(wrong[i]);
        cr_assert_eq(eex__seal_parse(&seal, &list), EEX_EFORMAT, "%s", wrong[i]);
        eex_store_list_free(&list);
    }
}
