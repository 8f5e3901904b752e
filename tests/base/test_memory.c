/* Every allocation of this room fails once. */
#include "support/folder.h"
#include "support/memory.h"

#include "base/arena.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/status.h"
#include "base/table.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static char folder[TEST_PATH_SIZE];

static void begin(void)
{
    test_folder_make(folder);
}

static void end(void)
{
    test_folder_remove(folder);
}

TestSuite(memory, .init = begin, .fini = end);

static int write_json(void)
{
    eex_buffer buffer = EEX_BUFFER_INIT;
    eex_json json = EEX_JSON_INIT(&buffer);
    char *text = NULL;
    eex_json_array(&json, NULL);
    for (int i = 0; i < 200; i++)
        eex_json_double(&json, NULL, 0.1 * i);
    eex_json_end(&json);
    const int code = eex_buffer_take(&text, &buffer);
    free(text);
    eex_buffer_free(&buffer);
    return code;
}

static int fill_arena(void)
{
    eex_arena arena = EEX_ARENA_INIT;
    int code = EEX_OK;
    for (int i = 0; i < 100 && code == EEX_OK; i++)
        if (!eex_arena_array(&arena, 100, 8) || !eex_arena_strdup(&arena, "text"))
            code = EEX_ENOMEM;
    eex_arena_free(&arena);
    return code;
}

static int format_table(void)
{
    eex_buffer out = EEX_BUFFER_INIT;
    eex_table *table = NULL;
    int code = eex_table_new(&table);
    if (code == EEX_OK) {
        eex_table_column(table, "name", EEX_ALIGN_LEFT, 1);
        eex_table_column(table, "value", EEX_ALIGN_RIGHT, 0);
        for (int i = 0; i < 5; i++) {
            eex_table_row(table);
            eex_table_cell(table, "row %d", i);
            eex_table_cell(table, "%d", i);
        }
        code = eex_table_format(&out, table, 8);
    }
    eex_table_free(table);
    eex_buffer_free(&out);
    return code;
}

static int use_files(void)
{
    eex_fs_names names = {NULL, 0};
    eex_lock *lock = NULL;
    char *text = NULL, *path = NULL, *twin = NULL, *made = NULL, *part = NULL;
    bool same = false;
    int code = eex_path_join(&path, folder, "file");
    if (code == EEX_OK)
        code = eex_path_join(&twin, folder, "twin");
    if (code == EEX_OK)
        code = eex_fs_write(path, "content", 7);
    if (code == EEX_OK)
        code = eex_fs_copy(twin, path);
    if (code == EEX_OK)
        code = eex_fs_same(&same, twin, path);
    if (code == EEX_OK)
        code = eex_fs_read(&text, NULL, path, 100);
    if (code == EEX_OK)
        code = eex_fs_make_folders(&made, test_path(folder, "a/b"));
    eex_fs_unmake_folders(made, test_path(folder, "a/b"));
    if (code == EEX_OK)
        code = eex_fs_part_make(&part, path);
    if (part) /* or there were more to list each time */
        remove(part);
    if (code == EEX_OK)
        code = eex_lock_acquire(&lock, folder);
    if (code == EEX_OK)
        code = eex_fs_list(&names, folder);
    if (code == EEX_OK)
        code = eex_fs_remove_parts(folder);
    eex_lock_release(lock);
    eex_fs_names_free(&names);
    free(part);
    free(made);
    free(text);
    free(twin);
    free(path);
    return code;
}

Test(memory, every_failure_is_reported)
{
    cr_assert_gt(test_fail_each_allocation(write_json), 2);
    cr_assert_gt(test_fail_each_allocation(fill_arena), 2);
    cr_assert_gt(test_fail_each_allocation(format_table), 10);
    cr_assert_gt(test_fail_each_allocation(use_files), 8);
}
