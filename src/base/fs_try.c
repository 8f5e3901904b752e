/* Whether something could be written, before it is. */
#include "base/fs.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int eex_fs_try(const char *path)
{
    char *part = NULL;
    if (eex_fs_is_folder(path))
        return eex_fail(EEX_EINVAL, "%s is a folder, expected the name of a file", path);
    EEX_TRY(eex_fs_part_name(&part, path));
    const int file = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666), reason = errno;
    if (file >= 0) {
        close(file);
        unlink(part);
    }
    free(part);
    if (file >= 0)
        return EEX_OK;
    return eex_fail(reason == ENOENT ? EEX_ENOTFOUND : EEX_EIO, "cannot write %s: %s", path,
                    strerror(reason));
}

/* What is there of a path: the folder itself, or the nearest above it. Cuts the text. */
static void cut_to_existing(char *path)
{
    while (!eex_fs_exists(path)) {
        char *slash = strrchr(path, '/');
        if (!slash || slash == path) {
            path[slash ? 1 : 0] = '\0';
            return;
        }
        *slash = '\0';
    }
}

int eex_fs_try_folder(const char *path)
{
    if (eex_fs_is_folder(path))
        return EEX_OK;
    char *above = strdup(path);
    if (!above)
        return eex_fail(EEX_ENOMEM, "out of memory: cannot copy a path");
    cut_to_existing(above);
    const char *there = *above ? above : ".";
    int code = EEX_OK;
    if (!eex_fs_is_folder(there))
        code = eex_fail(EEX_EIO, "cannot make the folder %s: %s is a file", path, there);
    else if (faccessat(AT_FDCWD, there, W_OK | X_OK, AT_EACCESS) != 0)
        code = eex_fail(EEX_EIO, "cannot write into %s: %s: %s", path, there, strerror(errno));
    free(above);
    return code;
}
