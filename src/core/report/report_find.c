/* Whether a folder holds a run, before a report of it is read. */
#include "core/report/report_load_impl.h"

#include "base/fs.h"
#include "base/shell.h"
#include "base/status.h"

#include <stdlib.h>

bool eex__report_holds(const char *folder, const char *name)
{
    char *path = NULL;
    bool there = eex_path_join(&path, folder, name) == EEX_OK && eex_fs_exists(path);
    free(path);
    return there;
}

int eex_report_find(const char *folder)
{
    char word[EEX_SHELL_WORD];
    if (eex__report_holds(folder, "run.h5"))
        return EEX_OK;
    if (eex_fs_is_file(folder))
        return eex_fail(EEX_ENOTFOUND, "%s is a file, expected the folder of a run", folder);
    if (eex__report_holds(folder, "sweep.h5"))
        return eex_fail(EEX_ENOTFOUND, "%s holds a sweep, expected a run: its runs are in %s/runs",
                        folder, folder);
    return eex_fail(EEX_ENOTFOUND, "%s holds no run: \"eex run FILE.lua --out %s\" makes one",
                    folder, eex_shell_text(word, folder));
}

int eex_report_find_all(const char *const *folders, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        EEX_TRY(eex_report_find(folders[i]));
        for (size_t k = 0; k < i; k++)
            if (eex_fs_is_same(folders[k], folders[i]))
                return eex_fail(EEX_EINVAL, "%s is named twice: it would count for two runs",
                                folders[i]);
    }
    return EEX_OK;
}
