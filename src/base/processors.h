/* How many processors this process may use. */
#ifndef EEX_BASE_PROCESSORS_H
#define EEX_BASE_PROCESSORS_H

/* Those that it may run on (its affinity), and no more than the time that its control groups grant
 * it: a container that is given two of 64 processors is given their time, not their names. A part
 * of a processor counts as a whole one. At least 1. */
int eex_processors(void);

/* The processors' worth of time that control groups grant, rounded up; 0: no limit. `process` is
 * the process's list of groups ("/proc/self/cgroup"), `root` where their file systems are
 * ("/sys/fs/cgroup"). Version 2: cpu.max of the group and those above it; version 1:
 * cpu.cfs_quota_us and cpu.cfs_period_us of the cpu controller. */
int eex_processors_quota(const char *process, const char *root);

#endif
