/* The folder lock of fs.h: flock on a file in the folder. The kernel lets go of it when the process
 * ends, so a killed run never blocks the next one. The file itself stays: removing it would let two
 * processes lock two files of the same name. */
#include "base/fs.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct eex_lock {
    int file;
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

static int lock_file(int file, const char *folder)
{
    while (flock(file, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return fail_busy(file, folder);
        if (errno != EINTR)
            return eex_fail(EEX_EIO, "cannot lock %s: %s", folder, strerror(errno));
    }
    if (ftruncate(file, 0) != 0 || dprintf(file, "%ld\n", (long)getpid()) < 0)
        return eex_fail(EEX_EIO, "cannot write to %s: %s", folder, strerror(errno));
    return EEX_OK;
}

static int open_lock(eex_lock *lock, const char *folder)
{
    char *path = NULL;
    EEX_TRY(eex_path_join(&path, folder, ".lock"));
    lock->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    int code = EEX_OK;
    if (lock->file < 0)
        code = eex_fail(errno == ENOENT ? EEX_ENOTFOUND : EEX_EIO, "cannot lock %s: %s", folder,
                        strerror(errno));
    free(path);
    return code;
}

int eex_lock_acquire(eex_lock **out, const char *folder)
{
    eex_lock *lock = malloc(sizeof *lock);
    if (!lock)
        return eex_fail(EEX_ENOMEM, "out of memory: cannot lock %s", folder);
    lock->file = -1;
    int code = open_lock(lock, folder);
    if (code == EEX_OK)
        code = lock_file(lock->file, folder);
    if (code != EEX_OK) {
        eex_lock_release(lock);
        return code;
    }
    *out = lock;
    return EEX_OK;
}

void eex_lock_release(eex_lock *lock)
{
    if (!lock)
        return;
    if (lock->file >= 0)
        close(lock->file);
    free(lock);
}
