/* The folder lock of fs.h: flock on a file in the folder. The kernel lets go of it when the process
 * ends, so a killed run never blocks the next one. The file itself stays, but for eex_lock_discard:
 * so whoever has locked a file looks whether it is still the one of that name, and begins again
 * otherwise. */
#include "base/fs.h"
#include "base/status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct eex_lock {
    int file;
    bool made; /* the file, for this lock */
    char *path;
};

static int fail_busy(int file, const char *folder)
{
    char pid[24] = "";
    const ssize_t got = pread(file, pid, sizeof pid - 1, 0);
    pid[got > 0 ? got : 0] = '\0';
    pid[strcspn(pid, "\n")] = '\0';
    return eex_fail(EEX_EBUSY,
                    "%s is in use by process %s: wait for it, stop it, or choose another "
                    "folder",
                    folder, *pid ? pid : "(unknown)");
}

static int open_file(eex_lock *lock, const char *folder)
{
    const int code = eex_fs_open_own(&lock->file, &lock->made, lock->path, 0);
    return code < 0 ? eex_fail_in(code, "cannot lock %s", folder) : EEX_OK;
}

static int lock_file(int file, const char *folder)
{
    while (flock(file, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return fail_busy(file, folder);
        if (errno == ENOLCK || errno == ENOSYS || errno == EOPNOTSUPP || errno == EINVAL)
            return eex_fail(EEX_EUNSUPPORTED, "cannot lock %s: its file system has no locks (%s)",
                            folder, strerror(errno));
        if (errno != EINTR)
            return eex_fail(EEX_EIO, "cannot lock %s: %s", folder, strerror(errno));
    }
    return EEX_OK;
}

static bool is_still_there(const eex_lock *lock)
{
    struct stat locked, named;
    return fstat(lock->file, &locked) == 0 && lstat(lock->path, &named) == 0 &&
           locked.st_dev == named.st_dev && locked.st_ino == named.st_ino;
}

static int acquire(eex_lock *lock, const char *folder)
{
    EEX_TRY(eex_path_join(&lock->path, folder, ".lock"));
    for (;;) {
        EEX_TRY(open_file(lock, folder));
        EEX_TRY(lock_file(lock->file, folder));
        if (is_still_there(lock))
            break;
        close(lock->file); /* its former holder has discarded it just now */
        lock->file = -1;
    }
    return ftruncate(lock->file, 0) == 0 && dprintf(lock->file, "%ld\n", (long)getpid()) > 0
               ? EEX_OK
               : eex_fail(EEX_EIO, "cannot write to %s: %s", folder, strerror(errno));
}

int eex_lock_acquire(eex_lock **out, const char *folder)
{
    eex_lock *lock = malloc(sizeof *lock);
    if (!lock)
        return eex_fail(EEX_ENOMEM, "out of memory: cannot lock %s", folder);
    *lock = (eex_lock){.file = -1};
    const int code = acquire(lock, folder);
    if (code == EEX_EBUSY)
        eex_lock_release(lock); /* whoever was faster holds the file that was made here */
    else if (code != EEX_OK)
        eex_lock_discard(lock);
    else
        *out = lock;
    return code;
}

void eex_lock_release(eex_lock *lock)
{
    if (!lock)
        return;
    if (lock->file >= 0)
        close(lock->file);
    free(lock->path);
    free(lock);
}

void eex_lock_discard(eex_lock *lock)
{
    if (lock && lock->made)
        unlink(lock->path);
    eex_lock_release(lock);
}

/* ---- who holds it ---- */

static long written_by(const char *path, struct stat *facts)
{
    char text[24] = "";
    int file = -1;
    if (eex_fs_open(&file, path) < 0)
        return 0;
    const ssize_t got = pread(file, text, sizeof text - 1, 0);
    const bool known = got > 0 && fstat(file, facts) == 0;
    close(file);
    return known ? strtol(text, NULL, 10) : 0;
}

/* A line of /proc/locks: "1: FLOCK  ADVISORY  WRITE 1234 fe:00:5678 0 EOF". */
static bool is_line_of(const char *line, long pid, unsigned long long inode)
{
    long holder = 0;
    unsigned major, minor;
    unsigned long long held = 0;
    return sscanf(line, "%*d: FLOCK %*s WRITE %ld %x:%x:%llu", &holder, &major, &minor, &held) ==
               4 &&
           holder == pid && held == inode;
}

int eex_lock_holder(long *pid, const char *folder)
{
    struct stat facts;
    char *path = NULL, *line = NULL;
    size_t room = 0;
    *pid = 0;
    EEX_TRY(eex_path_join(&path, folder, ".lock"));
    const long writer = written_by(path, &facts);
    free(path);
    FILE *locks = fopen("/proc/locks", "re");
    if (!locks)
        return eex_fail(EEX_EUNSUPPORTED, "the system does not say who holds a lock");
    while (writer > 0 && !*pid && getline(&line, &room, locks) > 0)
        if (is_line_of(line, writer, (unsigned long long)facts.st_ino))
            *pid = writer;
    free(line);
    fclose(locks);
    return EEX_OK;
}
