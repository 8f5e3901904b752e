#include "base/share.h"

#include "base/fs.h"
#include "base/status.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, LEVELS = 4 };

const char *eex_share_beside(void)
{
    return EEX_SHARE_BESIDE;
}

/* By what the folders are, not by their names: a path may lead through links. */
const char *eex_share_tree(const char *folder)
{
    struct stat own, build;
    const bool same = stat(folder, &own) == 0 && stat(EEX_BUILD_PROGRAMS, &build) == 0 &&
                      own.st_dev == build.st_dev && own.st_ino == build.st_ino;
    return same ? EEX_SOURCE_TREE : NULL;
}

/* Leaves *out alone when it is not there. */
static int probe(char **out, const char *folder, const char *inside, const char *name)
{
    char *path = NULL, *joined = NULL;
    EEX_TRY(eex_path_join(&path, folder, inside));
    int code = eex_path_join(&joined, path, name);
    free(path);
    if (code == EEX_OK && eex_fs_exists(joined))
        *out = joined;
    else
        free(joined);
    return code;
}

static int search_upwards(char **out, char *folder, const char *name)
{
    for (int level = 0; level < LEVELS && !*out; level++) {
        EEX_TRY(probe(out, *folder ? folder : "/", "share/eex", name));
        if (!*out)
            EEX_TRY(probe(out, *folder ? folder : "/", "", name));
        char *slash = strrchr(folder, '/');
        if (!slash)
            break;
        *slash = '\0';
    }
    return EEX_OK;
}

/* `folder` is that of the program, and is used up. */
static int search(char **out, char *folder, const char *name)
{
    const char *tree = eex_share_tree(folder);
    EEX_TRY(probe(out, *folder ? folder : "/", EEX_SHARE_BESIDE, name));
    if (!*out)
        EEX_TRY(search_upwards(out, folder, name));
    return *out || !tree ? EEX_OK : probe(out, tree, "", name);
}

int eex_share_find(char **out, const char *name)
{
    const char *chosen = getenv("EEX_SHARE");
    char program[PATH_SIZE], folder[PATH_SIZE];
    *out = NULL;
    if (chosen && *chosen) {
        EEX_TRY(probe(out, chosen, "", name));
        return *out ? EEX_OK : eex_fail(EEX_ENOTFOUND, "%s is not in EEX_SHARE=%s", name, chosen);
    }
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length < 0)
        return eex_fail(EEX_EIO, "cannot find the program's own folder: %s; set EEX_SHARE",
                        strerror(errno));
    program[length] = '\0';
    memcpy(folder, program, (size_t)length + 1);
    *strrchr(folder, '/') = '\0';
    EEX_TRY(search(out, folder, name));
    return *out ? EEX_OK
                : eex_fail(
                      EEX_ENOTFOUND,
                      "%s, which comes with the program, is nowhere near %s: set EEX_SHARE to the "
                      "folder that has it",
                      name, program);
}
