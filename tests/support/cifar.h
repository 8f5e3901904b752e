/* Makes small files in the layout of CIFAR's binary version. */
#ifndef EEX_TESTS_CIFAR_H
#define EEX_TESTS_CIFAR_H

#include <stddef.h>
#include <stdint.h>

enum { TEST_CIFAR_IMAGE = 3072 };

/* The byte of image n at (row, column, channel), the same for every file. */
uint8_t test_cifar_pixel(int n, int row, int column, int channel);

/* Writes `count` images, numbered from `first`, with one label byte (n % classes), or two when
 * coarse is not 0: n % coarse, then n % classes. */
void test_cifar_file(const char *path, int first, int count, int classes, int coarse);

/* Makes `folder` and in it all of CIFAR-10's files, `count` images each, numbered through. */
void test_cifar10_folder(const char *folder, int count);

#endif
