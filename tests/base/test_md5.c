#include "support/folder.h"

#include "base/fs.h"
#include "base/md5.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(const char *path, const void *data, size_t size, const char *expected)
{
    char hex[EEX_MD5_HEX];
    cr_assert_eq(eex_fs_write(path, data, size), 0);
    cr_assert_eq(eex_md5_file(hex, path), 0, "%s", eex_error());
    cr_assert_str_eq(hex, expected);
}

/* The test suite of RFC 1321, and lengths around the block and the buffer (from md5sum). */
Test(md5, known_digests)
{
    char folder[TEST_PATH_SIZE];
    test_folder_make(folder);
    const char *path = test_path(folder, "a");
    check(path, "", 0, "d41d8cd98f00b204e9800998ecf8427e");
    check(path, "abc", 3, "900150983cd24fb0d6963f7d28e17f72");
    check(path, "message digest", 14, "f96b697d7cb7938d525a2f31aaf161d0");
    check(path, "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
          80, "57edf4a22be3c955ac49da2e2107b67a");
    char *zeros = calloc(1, 1 << 17);
    check(path, zeros, 55, "c9ea3314b91c9fd4e38f9432064fd1f2");
    check(path, zeros, 56, "e3c4dd21a9171fd39d208efa09bf7883");
    check(path, zeros, 64, "3b5d3c7d207e37dceeedd301e35e2e58");
    check(path, zeros, 1 << 16, "fcd6bcb56c1689fcef28b57c22475bad");
    check(path, zeros, (1 << 16) + 1, "0b76eb861bbfc3afd2905c01d37b320c");
    free(zeros);
    test_folder_remove(folder);
}

Test(md5, a_missing_file)
{
    char hex[EEX_MD5_HEX];
    cr_assert_eq(eex_md5_file(hex, "/no/such/file"), EEX_ENOTFOUND);
}
