/* Every allocation of reading and of writing fails once. */
#include "core/store/store.h"
#include "support/folder.h"
#include "support/memory.h"
#include "support/store_digest.h"

#include "base/status.h"

#include <criterion/criterion.h>

static char folder[TEST_PATH_SIZE];

static int read_all(void)
{
    uint64_t digest;
    return test_store_digest(&digest, test_path(folder, "a.h5"));
}

static int read_what_h5py_wrote(void)
{
    uint64_t digest;
    return test_store_digest(&digest, EEX_FIXTURES "/store_structures.h5");
}

static int write_all(void)
{
    return test_store_write_sample(test_path(folder, "b.h5"));
}

Test(memory, reading)
{
    test_folder_make(folder);
    cr_assert_eq(test_store_write_sample(test_path(folder, "a.h5")), EEX_OK, "%s", eex_error());
    cr_assert_gt(test_fail_each_allocation(read_all), 200);
    cr_assert_gt(test_fail_each_allocation(read_what_h5py_wrote), 200);
    test_folder_remove(folder);
}

Test(memory, writing)
{
    test_folder_make(folder);
    cr_assert_gt(test_fail_each_allocation(write_all), 100);
    test_folder_remove(folder);
}
