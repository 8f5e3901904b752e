#include "support/cifar.h"

#include "support/folder.h"

#include "base/fs.h"

#include <criterion/criterion.h>
#include <stdio.h>

uint8_t test_cifar_pixel(int n, int row, int column, int channel)
{
    return (uint8_t)(n * 31 + row * 7 + column * 3 + channel * 101);
}

void test_cifar_file(const char *path, int first, int count, int classes, int coarse)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file, "%s", path);
    for (int n = first; n < first + count; n++) {
        if (coarse)
            fputc(n % coarse, file);
        fputc(n % classes, file);
        for (int channel = 0; channel < 3; channel++)
            for (int i = 0; i < 1024; i++)
                fputc(test_cifar_pixel(n, i / 32, i % 32, channel), file);
    }
    cr_assert_eq(fclose(file), 0);
}

void test_cifar10_folder(const char *folder, int count)
{
    char path[TEST_PATH_SIZE * 2]; /* `folder` may be one of test_path's buffers */
    cr_assert_eq(eex_fs_make_folder(folder), 0);
    for (int i = 0; i < 6; i++) {
        snprintf(path, sizeof path, i < 5 ? "%s/data_batch_%d.bin" : "%s/test_batch.bin", folder,
                 i + 1);
        test_cifar_file(path, i * count, count, 10, 0);
    }
}
