#include "cli/out_file.h"

#include "core/run/experiment.h"
#include "core/store/store.h"

#include "base/fs.h"
#include "base/status.h"

#include <limits.h>
#include <sys/stat.h>

/* A version that this program cannot read is the same kind nonetheless. */
static bool is_of(const char *path, const char *kind, const char *object)
{
    eex_store_file *file = NULL;
    bool opened = eex_store_open(&file, path, kind, INT_MAX) == EEX_OK;
    bool same = kind ? opened && (!object || eex_store_has(file, object) > 0) : !opened;
    eex_store_close(file);
    return same;
}

int eex_check_out(const char *path, bool force, const char *kind, const char *object)
{
    struct stat facts;
    if (!path)
        return EEX_OK;
    if (eex_run_owns(path))
        return eex_fail(EEX_EINVAL, "%s: a file of that name belongs to the run: choose another",
                        path);
    if (eex_fs_is_stream(path))
        return kind ? eex_fail(EEX_EINVAL, "%s: an HDF5 file is not written in one go: name a file",
                               path)
                    : EEX_OK;
    if (lstat(path, &facts) != 0 || eex_fs_is_folder(path))
        return eex_fs_try(path);
    if (!is_of(path, kind, object))
        return eex_fail(EEX_EINVAL,
                        "%s is there already, and not what this command writes: it is never "
                        "replaced, choose another name",
                        path);
    if (!force)
        return eex_fail(EEX_EINVAL, "%s is there already: --force replaces it", path);
    return eex_fs_try(path);
}
