/* A folder of its own for a test that writes files. */
#ifndef EEX_TESTS_FOLDER_H
#define EEX_TESTS_FOLDER_H

enum { TEST_PATH_SIZE = 512 };

/* Makes an empty folder under $TMPDIR or /tmp; fails the test when it cannot. */
void test_folder_make(char out[TEST_PATH_SIZE]);

/* Removes it with all that is in it. */
void test_folder_remove(const char *folder);

/* "folder/name" in one of four static buffers that take turns. */
const char *test_path(const char *folder, const char *name);

#endif
