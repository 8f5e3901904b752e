#include "support/folder.h"

#include "base/fs.h"
#include "base/sha256.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <string.h>

static void expect(const char *text, const char *digest)
{
    char out[EEX_SHA256_HEX];
    eex_sha256_hex(out, text, strlen(text));
    cr_assert_str_eq(out, digest);
}

Test(sha256, published_examples)
{
    expect("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
           "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

Test(sha256, a_million_letters_in_odd_pieces)
{
    char letters[999], out[EEX_SHA256_HEX];
    memset(letters, 'a', sizeof letters);
    eex_sha256 sha;
    eex_sha256_begin(&sha);
    for (size_t left = 1000000, part = 1; left > 0; left -= part, part = part * 7 % 998 + 1) {
        part = part < left ? part : left;
        eex_sha256_update(&sha, letters, part);
    }
    eex_sha256_end_hex(&sha, out);
    cr_assert_str_eq(out, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

Test(sha256, files)
{
    char folder[TEST_PATH_SIZE], of_file[EEX_SHA256_HEX], of_memory[EEX_SHA256_HEX];
    static char data[100001];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * i >> 3);
    test_folder_make(folder);
    const char *path = test_path(folder, "data");
    cr_assert_eq(eex_fs_write(path, data, sizeof data), EEX_OK);
    cr_assert_eq(eex_sha256_file(of_file, path), EEX_OK);
    eex_sha256_hex(of_memory, data, sizeof data);
    cr_assert_str_eq(of_file, of_memory);
    cr_assert_eq(eex_sha256_file(of_file, test_path(folder, "none")), EEX_ENOTFOUND);
    cr_assert_eq(eex_sha256_file(of_file, folder), EEX_EIO);
    test_folder_remove(folder);
}
