/* What control groups grant, in every form that they say it. */
#include "support/folder.h"

#include "base/fs.h"
#include "base/processors.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static char folder[TEST_PATH_SIZE];

/* A machine with as many processors, in the place of the system's function; 0: this one. */
static size_t machine;

int sched_getaffinity(pid_t process, size_t size, cpu_set_t *set)
{
    if (!machine) {
        const long got = syscall(SYS_sched_getaffinity, process, size, set);
        if (got > 0)
            memset((char *)set + got, 0, size - (size_t)got);
        return got < 0 ? -1 : 0;
    }
    if (8 * size < machine) {
        errno = EINVAL;
        return -1;
    }
    memset(set, 0, size);
    for (size_t i = 0; i < machine; i++)
        CPU_SET_S(i, size, set);
    return 0;
}

static void begin(void)
{
    test_folder_make(folder);
}

static void end(void)
{
    test_folder_remove(folder);
}

TestSuite(processors, .init = begin, .fini = end);

static void put(const char *name, const char *text)
{
    char *path = strdup(test_path(folder, name)), *above = NULL;
    cr_assert_eq(eex_path_folder(&above, path), EEX_OK);
    cr_assert_eq(eex_fs_make_folder(above), EEX_OK);
    cr_assert_eq(eex_fs_write(path, text, strlen(text)), EEX_OK, "%s", eex_error());
    free(above);
    free(path);
}

static int quota(void)
{
    char *process = strdup(test_path(folder, "list")), *root = strdup(test_path(folder, "root"));
    const int got = eex_processors_quota(process, root);
    free(process);
    free(root);
    return got;
}

Test(processors, there_is_one_at_least)
{
    cr_expect_geq(eex_processors(), 1);
    cr_expect_eq(quota(), 0);
}

Test(processors, version_2_counts_the_smallest_on_the_way_up)
{
    put("list", "0::/a.slice/b.scope\n");
    put("root/a.slice/b.scope/cpu.max", "max 100000\n");
    cr_expect_eq(quota(), 0);
    put("root/a.slice/cpu.max", "350000 100000\n");
    cr_expect_eq(quota(), 4); /* of the fourth a half */
    put("root/cpu.max", "200000 100000\n");
    cr_expect_eq(quota(), 2);
    put("root/a.slice/b.scope/cpu.max", "50000 100000\n");
    cr_expect_eq(quota(), 1);
}

Test(processors, a_container_sees_its_own_root_alone)
{
    put("list", "0::/\n");
    put("root/cpu.max", "300000 100000\n");
    cr_expect_eq(quota(), 3);
    put("list", "0::/docker/0123\n"); /* a path that is not mounted here */
    cr_expect_eq(quota(), 3);
}

Test(processors, version_1_has_two_files)
{
    put("list", "5:memory:/x\n4:cpu,cpuacct:/job\n1:name=systemd:/\n");
    put("root/cpu,cpuacct/job/cpu.cfs_quota_us", "-1\n");
    put("root/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
    cr_expect_eq(quota(), 0);
    put("root/cpu,cpuacct/job/cpu.cfs_quota_us", "250000\n");
    cr_expect_eq(quota(), 3);
    put("root/cpu,cpuacct/cpu.cfs_quota_us", "100000\n");
    put("root/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    cr_expect_eq(quota(), 1);
}

Test(processors, nonsense_is_no_limit)
{
    put("list", "\n0:\n::::\n0::/a\nx\n");
    put("root/a/cpu.max", "100000 0\n");
    cr_expect_eq(quota(), 0);
    put("root/a/cpu.max", "-5 100000\n");
    cr_expect_eq(quota(), 0);
    put("root/a/cpu.max", "1e300 1\n");
    cr_expect_eq(quota(), 0);
    put("root/a/cpu.max", "");
    cr_expect_eq(quota(), 0);
}

Test(processors, large_machines)
{
    const size_t sizes[] = {1, 1024, 1025, 3000, 4096, 8192, 100000};
    const int own = eex_processors();
    const int limit = eex_processors_quota("/proc/self/cgroup", "/sys/fs/cgroup");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const int wanted = limit && limit < (int)sizes[i] ? limit : (int)sizes[i];
        machine = sizes[i];
        cr_expect_eq(eex_processors(), wanted, "%d of %zu", eex_processors(), sizes[i]);
    }
    machine = 0;
    cr_expect_eq(eex_processors(), own);
}
