#include "core/data/fetch.h"

#include "base/signals.h"
#include "base/status.h"

#include <errno.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>

extern char **environ;

static bool is_zip(const char *path)
{
    size_t length = strlen(path);
    return length > 4 && strcmp(path + length - 4, ".zip") == 0;
}

static int wait_for(pid_t child, const char *program, const char *archive)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return eex_fail(EEX_EIO, "cannot wait for %s: %s", program, strerror(errno));
    if (eex_interrupted())
        return eex_fail(EEX_EINTERRUPTED, "unpacking was interrupted");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return eex_fail(EEX_EIO, "%s could not unpack %s", program, archive);
    return EEX_OK;
}

int eex_unpack(const char *archive, const char *folder)
{
    const char *tar[] = {"tar", "--no-same-owner", "-xf", archive, "-C", folder, NULL};
    const char *zip[] = {"unzip", "-q", "-o", archive, "-d", folder, NULL};
    const char **command = is_zip(archive) ? zip : tar;
    char *arguments[8] = {NULL};
    pid_t child;
    for (int i = 0; command[i]; i++) /* posix_spawn takes no const, and changes nothing */
        memcpy(&arguments[i], &command[i], sizeof arguments[i]);
    int error = posix_spawnp(&child, command[0], NULL, NULL, arguments, environ);
    if (error)
        return eex_fail(error == ENOENT ? EEX_ENOTFOUND : EEX_EIO, "cannot run %s to unpack %s: %s",
                        command[0], archive,
                        error == ENOENT ? "it is not installed" : strerror(error));
    return wait_for(child, command[0], archive);
}
