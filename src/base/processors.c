#include "base/processors.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first line of a file; false where there is none. */
static bool read_line(char *line, int size, const char *folder, const char *name)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return false;
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    const bool got = fgets(line, size, file) != NULL;
    fclose(file);
    return got;
}

/* quota / period processors, rounded up; `limit` where that is less, or nothing sensible is said.
 */
static int smaller(int limit, double quota, double period)
{
    if (!(quota > 0) || !(period > 0) || quota / period > INT_MAX - 1)
        return limit;
    int count = (int)(quota / period);
    count += count < quota / period;
    return limit == 0 || count < limit ? count : limit;
}

static int limit_of_v2(int limit, const char *folder)
{
    char line[128];
    double quota, period;
    if (read_line(line, sizeof line, folder, "cpu.max") &&
        sscanf(line, "%lf %lf", &quota, &period) == 2) /* not "max 100000" */
        return smaller(limit, quota, period);
    return limit;
}

static int limit_of_v1(int limit, const char *folder)
{
    char quota[64], period[64];
    return read_line(quota, sizeof quota, folder, "cpu.cfs_quota_us") &&
                   read_line(period, sizeof period, folder, "cpu.cfs_period_us")
               ? smaller(limit, strtod(quota, NULL), strtod(period, NULL))
               : limit;
}

/* Of a group and of all above it. Inside a container the group's own path may not be there: its
 * root is what is mounted. */
static int limit_along(int limit, const char *root, const char *group,
                       int (*limit_of)(int limit, const char *folder))
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s%s", root, group) >= (int)sizeof path)
        return limit;
    for (;;) {
        limit = limit_of(limit, path);
        char *slash = strrchr(path, '/');
        if (!slash || (size_t)(slash - path) < strlen(root))
            return limit;
        *slash = '\0';
    }
}

/* Whether a list of controllers, "cpu,cpuacct", has this one. */
static bool names(const char *list, const char *controller)
{
    const size_t length = strlen(controller);
    for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',')
        if (strncmp(at, controller, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    return false;
}

static int limit_of_line(int limit, char *line, const char *root)
{
    char v1[PATH_MAX];
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group)
        return limit;
    *controllers++ = '\0';
    *group++ = '\0';
    group[strcspn(group, "\n")] = '\0';
    if (strcmp(group, "/") == 0)
        group = "";
    if (*controllers == '\0')
        return limit_along(limit, root, group, limit_of_v2);
    if (!names(controllers, "cpu"))
        return limit;
    snprintf(v1, sizeof v1, "%s/%s", root, controllers);
    limit = limit_along(limit, v1, group, limit_of_v1);
    snprintf(v1, sizeof v1, "%s/cpu", root);
    return limit_along(limit, v1, group, limit_of_v1);
}

int eex_processors_quota(const char *process, const char *root)
{
    char line[PATH_MAX + 256];
    int limit = 0;
    FILE *file = fopen(process, "re");
    if (!file)
        return 0;
    while (fgets(line, sizeof line, file))
        limit = limit_of_line(limit, line, root);
    fclose(file);
    return limit;
}

/* Of those that the process may run on; 0 when that cannot be told, with errno. */
static int allowed(int room)
{
    cpu_set_t *set = CPU_ALLOC((size_t)room);
    if (!set)
        return 0;
    const size_t size = CPU_ALLOC_SIZE((size_t)room);
    const int count = sched_getaffinity(0, size, set) == 0 ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    return count;
}

int eex_processors(void)
{
    enum { MOST = 1 << 20 };
    /* A set with less room than the system has processors is EINVAL. */
    int count = allowed(CPU_SETSIZE);
    for (int room = 2 * CPU_SETSIZE; !count && errno == EINVAL && room <= MOST; room *= 2)
        count = allowed(room);
    const int quota = eex_processors_quota("/proc/self/cgroup", "/sys/fs/cgroup");
    if (quota && quota < count)
        count = quota;
    return count < 1 ? 1 : count;
}
