#include "support/folder.h"

#include "base/fs.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[TEST_PATH_SIZE];

/* File systems without locks: in the place of the system's function. */
static int lock_fails_with;

int flock(int file, int operation)
{
    if (lock_fails_with) {
        errno = lock_fails_with;
        return -1;
    }
    return (int)syscall(SYS_flock, file, operation);
}

static void begin(void)
{
    test_folder_make(folder);
}

static void end(void)
{
    test_folder_remove(folder);
}

TestSuite(fs, .init = begin, .fini = end);
TestSuite(lock, .init = begin, .fini = end);

static void expect_join(const char *a, const char *b, const char *expected)
{
    char *path = NULL;
    cr_assert_eq(eex_path_join(&path, a, b), EEX_OK);
    cr_assert_str_eq(path, expected);
    free(path);
}

static void expect_folder(const char *path, const char *expected)
{
    char *out = NULL;
    cr_assert_eq(eex_path_folder(&out, path), EEX_OK);
    cr_assert_str_eq(out, expected);
    free(out);
}

Test(fs, paths)
{
    expect_join("a", "b", "a/b");
    expect_join("a/", "b", "a/b");
    expect_join("a", "/b", "/b");
    expect_join("", "b", "b");
    expect_join("/", "b", "/b");
    expect_folder("a/b/c", "a/b");
    expect_folder("c", ".");
    expect_folder("/c", "/");
    cr_assert_str_eq(eex_path_base("a/b.lua"), "b.lua");
    cr_assert_str_eq(eex_path_base("b.lua"), "b.lua");
}

static void expect_content(const char *path, const char *expected)
{
    char *text = NULL;
    size_t size = 0;
    cr_assert_eq(eex_fs_read(&text, &size, path, 1 << 20), EEX_OK, "%s", eex_error());
    cr_assert_eq(size, strlen(expected));
    cr_assert_str_eq(text, expected);
    free(text);
}

static size_t files_in(const char *path)
{
    eex_fs_names names;
    cr_assert_eq(eex_fs_list(&names, path), EEX_OK);
    const size_t count = names.count;
    eex_fs_names_free(&names);
    return count;
}

Test(fs, writes_replace_and_leave_nothing_else)
{
    const char *path = test_path(folder, "file");
    cr_assert_eq(eex_fs_write(path, "old content", 11), EEX_OK);
    cr_assert_eq(eex_fs_write(path, "new", 3), EEX_OK);
    expect_content(path, "new");
    cr_assert_eq(files_in(folder), 1);
    cr_assert_eq(eex_fs_write(path, NULL, 0), EEX_OK);
    expect_content(path, "");
}

Test(fs, a_write_that_fails_keeps_the_old_file)
{
    const char *path = test_path(folder, "file");
    static const char large[1 << 16];
    const struct rlimit small = {4096, RLIM_INFINITY};
    cr_assert_eq(eex_fs_write(path, "old", 3), EEX_OK);
    signal(SIGXFSZ, SIG_IGN); /* a full disk, as far as write can tell */
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    cr_assert_eq(eex_fs_write(path, large, sizeof large), EEX_EIO);
    cr_assert_not_null(strstr(eex_error(), path));
    expect_content(path, "old");
    cr_assert_eq(files_in(folder), 1);
}

Test(fs, writing_into_no_folder_says_so)
{
    cr_assert_eq(eex_fs_write(test_path(folder, "none/file"), "x", 1), EEX_ENOTFOUND);
    cr_assert_not_null(strstr(eex_error(), "none/file"));
}

Test(fs, reads_are_limited)
{
    char *text = NULL;
    const char *path = test_path(folder, "file");
    cr_assert_eq(eex_fs_write(path, "12345", 5), EEX_OK);
    cr_assert_eq(eex_fs_read(&text, NULL, path, 4), EEX_EFORMAT);
    cr_assert_null(text);
    cr_assert_eq(eex_fs_read(&text, NULL, path, 5), EEX_OK);
    free(text);
    cr_assert_eq(eex_fs_read(&text, NULL, test_path(folder, "none"), 5), EEX_ENOTFOUND);
    cr_assert_eq(eex_fs_read(&text, NULL, folder, 5), EEX_EIO);
}

Test(fs, sizes)
{
    uint64_t size = 0;
    const char *path = test_path(folder, "file");
    cr_assert_eq(eex_fs_write(path, "12345", 5), EEX_OK);
    cr_assert_eq(eex_fs_size(&size, path), EEX_OK);
    cr_assert_eq(size, 5);
    cr_assert_eq(eex_fs_size(&size, folder), EEX_EIO);
    cr_assert_eq(eex_fs_size(&size, test_path(folder, "none")), EEX_ENOTFOUND);
}

Test(fs, folders)
{
    cr_assert_eq(eex_fs_make_folder(test_path(folder, "a/b/c")), EEX_OK);
    cr_assert_eq(eex_fs_make_folder(test_path(folder, "a/b/c/")), EEX_OK);
    cr_assert(eex_fs_is_folder(test_path(folder, "a/b/c")));
    cr_assert_eq(eex_fs_write(test_path(folder, "a/file"), "x", 1), EEX_OK);
    cr_assert_eq(eex_fs_make_folder(test_path(folder, "a/file/d")), EEX_EIO);
    cr_assert_eq(eex_fs_make_folder(test_path(folder, "a/file")), EEX_EIO);
    cr_assert_not(eex_fs_is_folder(test_path(folder, "a/file")));
    cr_assert(eex_fs_exists(test_path(folder, "a/file")));
    cr_assert_not(eex_fs_exists(test_path(folder, "a/none")));
    cr_assert_eq(eex_fs_make_folder("/"), EEX_OK);
}

Test(fs, remove_tree_takes_links_not_what_they_name)
{
    const char *tree = test_path(folder, "tree");
    char outside[TEST_PATH_SIZE + 256], link_name[TEST_PATH_SIZE + 256];
    snprintf(outside, sizeof outside, "%s/outside", folder);
    snprintf(link_name, sizeof link_name, "%s/tree/a/link", folder);
    cr_assert_eq(eex_fs_make_folder(test_path(folder, "tree/a/b")), EEX_OK);
    cr_assert_eq(eex_fs_make_folder(outside), EEX_OK);
    cr_assert_eq(eex_fs_write(test_path(outside, "precious"), "x", 1), EEX_OK);
    cr_assert_eq(eex_fs_write(test_path(folder, "tree/a/b/f"), "x", 1), EEX_OK);
    cr_assert_eq(symlink(outside, link_name), 0);
    cr_assert_eq(eex_fs_remove_tree(tree), EEX_OK);
    cr_assert_not(eex_fs_exists(tree));
    cr_assert(eex_fs_exists(test_path(outside, "precious")));
    cr_assert_eq(eex_fs_remove_tree(tree), EEX_OK, "absent is fine");
}

Test(fs, lists_are_sorted)
{
    char name[16];
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "f%02d", i * 37 % 100);
        cr_assert_eq(eex_fs_write(test_path(folder, name), "", 0), EEX_OK);
    }
    eex_fs_names names;
    cr_assert_eq(eex_fs_list(&names, folder), EEX_OK);
    cr_assert_eq(names.count, 100);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "f%02d", i);
        cr_assert_str_eq(names.names[i], name);
    }
    eex_fs_names_free(&names);
    eex_fs_names_free(&names);
    cr_assert_eq(eex_fs_list(&names, test_path(folder, "none")), EEX_ENOTFOUND);
}

Test(fs, parts_of_others_are_committed_or_removed)
{
    char *part = NULL, *other = NULL;
    const char *path = test_path(folder, "weights.h5");
    cr_assert_eq(eex_fs_part_name(&part, path), EEX_OK);
    cr_assert_eq(eex_fs_part_name(&other, path), EEX_OK);
    cr_assert_str_neq(part, other);
    for (int i = 0; i < 2; i++) {
        FILE *file = fopen(i == 0 ? part : other, "w");
        cr_assert(file && fputs("data", file) >= 0 && fclose(file) == 0);
    }
    cr_assert_eq(eex_fs_commit(part, path), EEX_OK);
    expect_content(path, "data");
    cr_assert_eq(files_in(folder), 2);
    cr_assert_eq(eex_fs_remove_parts(folder), EEX_OK);
    cr_assert_eq(files_in(folder), 1);
    cr_assert_eq(eex_fs_commit(part, path), EEX_ENOTFOUND);
    expect_content(path, "data");
    free(part);
    free(other);
}

Test(fs, parts_of_other_programs_stay)
{
    static const char *const names[] = {"film.mp4.part", "a.part",    ".part",     "7-7.part",
                                        "b.7.part",      "b7-7.part", "b.7-.part", "b.-7.part"};
    const int count = (int)(sizeof names / sizeof *names);
    for (int i = 0; i < count; i++)
        cr_assert_eq(eex_fs_write(test_path(folder, names[i]), "data", 4), EEX_OK);
    cr_assert_eq(eex_fs_write(test_path(folder, "b.h5.471-0.part"), "data", 4), EEX_OK);
    cr_assert_eq(eex_fs_remove_parts(folder), EEX_OK);
    cr_assert_eq(files_in(folder), count);
}

Test(lock, one_holder_at_a_time)
{
    eex_lock *lock = NULL, *second = NULL;
    char pid[32];
    cr_assert_eq(eex_lock_acquire(&lock, folder), EEX_OK);
    cr_assert_eq(eex_lock_acquire(&second, folder), EEX_EBUSY);
    cr_assert_null(second);
    snprintf(pid, sizeof pid, "process %ld:", (long)getpid());
    cr_assert_not_null(strstr(eex_error(), pid), "%s", eex_error());
    eex_lock_release(lock);
    cr_assert_eq(eex_lock_acquire(&second, folder), EEX_OK);
    eex_lock_release(second);
    eex_lock_release(NULL);
    cr_assert_eq(eex_lock_acquire(&lock, test_path(folder, "none")), EEX_ENOTFOUND);
}

Test(lock, says_who_holds_it)
{
    eex_lock *lock = NULL;
    long pid = -1;
    const int code = eex_lock_holder(&pid, folder); /* there is no file yet */
    if (code == EEX_EUNSUPPORTED)
        cr_skip_test("the system does not say who holds a lock");
    cr_expect(code == EEX_OK && pid == 0);
    cr_expect(!eex_fs_exists(test_path(folder, ".lock")), "asking makes a file");
    cr_assert_eq(eex_lock_acquire(&lock, folder), EEX_OK);
    cr_expect(eex_lock_holder(&pid, folder) == EEX_OK && pid == (long)getpid(), "%ld", pid);
    eex_lock_release(lock);
    cr_expect(eex_lock_holder(&pid, folder) == EEX_OK && pid == 0, "%ld", pid);
}

Test(lock, is_gone_when_its_holder_is_killed)
{
    int ready[2];
    char byte;
    eex_lock *lock = NULL;
    cr_assert_eq(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
        if (eex_lock_acquire(&lock, folder) == EEX_OK && write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    cr_assert_eq(eex_lock_acquire(&lock, folder), EEX_EBUSY);
    kill(child, SIGKILL);
    cr_assert_eq(waitpid(child, NULL, 0), child);
    cr_assert_eq(eex_lock_acquire(&lock, folder), EEX_OK, "%s", eex_error());
    eex_lock_release(lock);
}

/* Whatever lies in the lock's place is left as it is. */
Test(lock, is_a_file_of_its_own)
{
    eex_lock *lock = NULL;
    char *precious = strdup(test_path(folder, "precious"));
    char *place = strdup(test_path(folder, ".lock")), *text = NULL;
    cr_assert_eq(eex_fs_write(precious, "mine", 4), EEX_OK);
    cr_assert_eq(symlink("precious", place), 0);
    cr_expect_eq(eex_lock_acquire(&lock, folder), EEX_EIO);
    cr_expect(strstr(eex_error(), "symbolic link"), "%s", eex_error());
    unlink(place);
    cr_assert_eq(link(precious, place), 0);
    cr_expect_eq(eex_lock_acquire(&lock, folder), EEX_EIO);
    unlink(place);
    cr_assert_eq(mkfifo(place, 0600), 0);
    cr_expect_eq(eex_lock_acquire(&lock, folder), EEX_EIO);
    cr_assert_eq(eex_fs_read(&text, NULL, precious, 100), EEX_OK);
    cr_expect_str_eq(text, "mine");
    free(text);
    free(place);
    free(precious);
}

Test(lock, can_be_discarded)
{
    eex_lock *lock = NULL;
    cr_assert_eq(eex_lock_acquire(&lock, folder), EEX_OK);
    eex_lock_discard(lock);
    cr_expect_not(eex_fs_exists(test_path(folder, ".lock")));
    cr_assert_eq(eex_lock_acquire(&lock, folder), EEX_OK);
    eex_lock_release(lock);
}

/* While others take and discard a lock, there is never more than one holder. */
Test(lock, discarding_never_makes_two_holders, .timeout = 60)
{
    enum { CHILDREN = 4, ROUNDS = 300 };
    char *held = strdup(test_path(folder, "held"));
    for (int c = 0; c < CHILDREN; c++) {
        if (fork() != 0)
            continue;
        for (int i = 0; i < ROUNDS; i++) {
            eex_lock *lock = NULL;
            if (eex_lock_acquire(&lock, folder) != EEX_OK)
                continue;
            if (mkdir(held, 0700) != 0)
                _exit(1); /* somebody else is inside */
            rmdir(held);
            eex_lock_discard(lock);
        }
        _exit(0);
    }
    for (int c = 0; c < CHILDREN; c++) {
        int status = 0;
        cr_assert(wait(&status) > 0);
        cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    free(held);
}

Test(fs, only_regular_files_are_read)
{
    char *text = NULL;
    char *pipe_path = strdup(test_path(folder, "pipe"));
    cr_assert_eq(mkfifo(pipe_path, 0600), 0);
    cr_expect_eq(eex_fs_read(&text, NULL, pipe_path, 100), EEX_EIO);
    cr_expect(strstr(eex_error(), "is a pipe, expected a file"), "%s", eex_error());
    cr_expect_eq(eex_fs_read(&text, NULL, "/dev/zero", 100), EEX_EIO);
    cr_expect(strstr(eex_error(), "is a device"), "%s", eex_error());
    cr_expect_eq(eex_fs_read(&text, NULL, folder, 100), EEX_EIO);
    cr_expect(strstr(eex_error(), "is a folder"), "%s", eex_error());
    free(pipe_path);
}

/* ---- links and streams ---- */

/* A file with some text that nothing may change, and links to it. */
static void expect_precious(const char *path)
{
    expect_content(path, "mine");
}

Test(fs, a_link_is_replaced_and_not_followed)
{
    char *precious = strdup(test_path(folder, "precious"));
    char *place = strdup(test_path(folder, "out"));
    const char *const targets[] = {precious, "nowhere", "/", "out"};
    cr_assert_eq(eex_fs_write(precious, "mine", 4), EEX_OK);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        cr_assert_eq(symlink(targets[i], place), 0);
        cr_expect_eq(eex_fs_write(place, "ours", 4), EEX_OK, "%s", eex_error());
        cr_expect_not(eex_fs_is_link(place));
        expect_content(place, "ours");
        expect_precious(precious);
        cr_expect_not(eex_fs_exists(test_path(folder, "nowhere")));
        unlink(place);
    }
    free(place);
    free(precious);
}

/* Names of parts are counted up: what somebody has put at the next ones is neither followed nor
 * removed. */
Test(fs, parts_are_never_what_was_there)
{
    char *precious = strdup(test_path(folder, "precious"));
    char *place = strdup(test_path(folder, "out")), *part = NULL;
    const unsigned ahead = 20;
    unsigned serial = 0;
    cr_assert_eq(eex_fs_write(precious, "mine", 4), EEX_OK);
    cr_assert_eq(eex_fs_part_name(&part, place), EEX_OK);
    cr_assert_eq(sscanf(strrchr(part, '-'), "-%u.part", &serial), 1);
    free(part);
    for (unsigned i = 1; i <= ahead; i++) {
        char name[64];
        snprintf(name, sizeof name, "out.%ld-%u.part", (long)getpid(), serial + i);
        cr_assert_eq(symlink(i % 2 ? "precious" : "nowhere", test_path(folder, name)), 0);
    }
    cr_expect_eq(eex_fs_part_make(&part, place), EEX_OK, "%s", eex_error());
    cr_expect_not(eex_fs_is_link(part));
    cr_expect(eex_fs_is_file(part));
    free(part);
    cr_expect_eq(eex_fs_write(place, "ours", 4), EEX_OK, "%s", eex_error());
    expect_content(place, "ours");
    expect_precious(precious);
    cr_expect_not(eex_fs_exists(test_path(folder, "nowhere")));
    cr_expect_eq(files_in(folder), 3 + ahead);
    free(place);
    free(precious);
}

Test(fs, what_is_written_in_place_is_a_file_of_its_own)
{
    char *precious = strdup(test_path(folder, "precious"));
    char *place = strdup(test_path(folder, "part"));
    int file = -1;
    bool made = false;
    cr_assert_eq(eex_fs_write(precious, "mine", 4), EEX_OK);
    cr_assert_eq(symlink("precious", place), 0);
    cr_expect_eq(eex_fs_open_own(&file, &made, place, O_TRUNC), EEX_EIO);
    cr_expect(strstr(eex_error(), place) && strstr(eex_error(), "is a symbolic link"));
    unlink(place);
    cr_assert_eq(link(precious, place), 0);
    cr_expect_eq(eex_fs_open_own(&file, &made, place, O_APPEND), EEX_EIO);
    cr_expect(strstr(eex_error(), "other names"), "%s", eex_error());
    unlink(place);
    cr_assert_eq(mkfifo(place, 0600), 0);
    cr_expect_eq(eex_fs_open_own(&file, &made, place, 0), EEX_EIO);
    cr_expect(strstr(eex_error(), "a pipe"), "%s", eex_error());
    unlink(place);
    for (int round = 0; round < 2; round++) {
        cr_assert_eq(eex_fs_open_own(&file, &made, place, O_APPEND), EEX_OK, "%s", eex_error());
        cr_expect_eq(made, round == 0);
        cr_expect_eq(write(file, "ab", 2), 2);
        close(file);
    }
    expect_content(place, "abab");
    expect_precious(precious);
    free(place);
    free(precious);
}

Test(fs, streams_are_written_into)
{
    char *place = strdup(test_path(folder, "pipe"));
    char number[32], text[8] = "";
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    snprintf(number, sizeof number, "/dev/fd/%d", ends[1]);
    cr_expect(eex_fs_is_stream(number) && eex_fs_is_stream("/dev/null"));
    cr_expect_not(eex_fs_is_stream(folder) || eex_fs_is_stream(place));
    cr_expect_eq(eex_fs_write(number, "text", 4), EEX_OK, "%s", eex_error());
    cr_expect_eq(read(ends[0], text, sizeof text), 4);
    cr_expect_str_eq(text, "text");
    cr_expect_eq(eex_fs_write("/dev/null", "text", 4), EEX_OK, "%s", eex_error());
    cr_expect_eq(eex_fs_write("/dev/full", "text", 4), EEX_EIO);
    cr_expect(strstr(eex_error(), "cannot write /dev/full"), "%s", eex_error());
    cr_assert_eq(mkfifo(place, 0600), 0);
    cr_expect_eq(eex_fs_write(place, "text", 4), EEX_EIO);
    cr_expect(strstr(eex_error(), "nobody reads"), "%s", eex_error());
    int reader = open(place, O_RDONLY | O_NONBLOCK);
    cr_expect_eq(eex_fs_write(place, "next", 4), EEX_OK, "%s", eex_error());
    cr_expect_eq(read(reader, text, 4), 4);
    cr_expect_str_eq(text, "next");
    close(reader);
    free(place);
}

/* A file that the process has open keeps what others have written into it. */
Test(fs, an_open_file_is_written_where_it_is)
{
    char *place = strdup(test_path(folder, "log")), number[32];
    int file = open(place, O_RDWR | O_CREAT, 0600);
    cr_assert_eq(write(file, "one ", 4), 4);
    snprintf(number, sizeof number, "/proc/self/fd/%d", file);
    cr_expect_eq(eex_fs_write(number, "two ", 4), EEX_OK, "%s", eex_error());
    cr_assert_eq(write(file, "three", 5), 5);
    close(file);
    expect_content(place, "one two three");
    free(place);
}

/* ---- what was made goes again ---- */

Test(fs, folders_that_were_made_are_unmade)
{
    char *there = strdup(test_path(folder, "there")), *made = NULL;
    char *deep = strdup(test_path(folder, "there/a/b//c/"));
    cr_assert_eq(eex_fs_make_folder(there), EEX_OK);
    cr_assert_eq(eex_fs_make_folders(&made, there), EEX_OK);
    cr_expect_null(made);
    eex_fs_unmake_folders(made, there);
    cr_expect(eex_fs_is_folder(there));
    cr_assert_eq(eex_fs_make_folders(&made, deep), EEX_OK, "%s", eex_error());
    cr_expect_str_eq(made, test_path(folder, "there/a"));
    eex_fs_unmake_folders(made, deep);
    cr_expect_eq(files_in(there), 0);
    free(made);
    cr_assert_eq(eex_fs_make_folders(&made, deep), EEX_OK);
    cr_assert_eq(eex_fs_write(test_path(folder, "there/a/b/file"), "x", 1), EEX_OK);
    eex_fs_unmake_folders(made, deep);
    cr_expect(eex_fs_exists(test_path(folder, "there/a/b/file")));
    cr_expect_not(eex_fs_exists(test_path(folder, "there/a/b/c")));
    free(made);
    free(deep);
    free(there);
}

/* Those that could be made are told, also when one below them cannot. */
Test(fs, a_half_made_folder_is_told)
{
    char name[300], *made = NULL;
    memset(name, 'x', sizeof name - 1); /* longer than a name may be */
    name[sizeof name - 1] = '\0';
    memcpy(name, "a/b/", 4);
    char *deep = strdup(test_path(folder, name));
    cr_expect_eq(eex_fs_make_folders(&made, deep), EEX_EIO);
    cr_assert_not_null(made);
    cr_expect_str_eq(made, test_path(folder, "a"));
    eex_fs_unmake_folders(made, deep);
    cr_expect_not(eex_fs_exists(test_path(folder, "a")));
    free(made);
    free(deep);
}

Test(lock, missing_in_the_file_system_is_told)
{
    const int errors[] = {ENOLCK, ENOTSUP, EOPNOTSUPP, ENOSYS, EINVAL};
    char *place = strdup(test_path(folder, ".lock"));
    eex_lock *lock = NULL;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        lock_fails_with = errors[i];
        cr_expect_eq(eex_lock_acquire(&lock, folder), EEX_EUNSUPPORTED);
        cr_expect(strstr(eex_error(), folder) && strstr(eex_error(), "has no locks"), "%s",
                  eex_error());
        cr_expect_null(lock);
        cr_expect_not(eex_fs_exists(place), "a lock that is none stays");
    }
    lock_fails_with = EIO;
    cr_expect_eq(eex_lock_acquire(&lock, folder), EEX_EIO);
    cr_expect_not(eex_fs_exists(place));
    lock_fails_with = 0;
    free(place);
}

/* The file of a lock stays with the folder of a run: only who has made it may take it away. */
Test(lock, only_its_maker_discards_the_file)
{
    char *place = strdup(test_path(folder, ".lock"));
    eex_lock *lock = NULL;
    cr_assert_eq(eex_lock_acquire(&lock, folder), EEX_OK);
    eex_lock_release(lock);
    cr_expect(eex_fs_exists(place));
    cr_assert_eq(eex_lock_acquire(&lock, folder), EEX_OK);
    eex_lock_discard(lock);
    cr_expect(eex_fs_exists(place));
    free(place);
}
