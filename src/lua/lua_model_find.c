/* Where a script may read models and runs from, and eex.open. */
#include "lua/args.h"
#include "lua/lua_model.h"
#include "lua/lua_model_impl.h"

#include "base/fs.h"
#include "base/status.h"

#include <dirent.h>
#include <errno.h>
#include <lauxlib.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The files that a model's own are read with lie beside it, and may be links to somewhere else. */
static int check_folder(lua_State *L, const char *folder)
{
    static const char *const members[] = {
        "run.h5", "split.h5", "final.h5", "base.h5", "final-calibration.h5", "final-validation.h5"};
    char path[PATH_MAX], real[PATH_MAX];
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        if (snprintf(path, sizeof path, "%s/%s", folder, members[i]) >= (int)sizeof path)
            return eex_fail(EEX_EINVAL, "\"%.60s...\": the path is too long", folder);
        int code = eex__lua_readable(L, real, path);
        if (code < 0 && code != EEX_ENOTFOUND)
            return code;
    }
    return EEX_OK;
}

/* Where the script may read a model from, links resolved. */
static int find_model(lua_State *L, char *real, const char *path)
{
    char *folder = NULL;
    EEX_TRY(eex__lua_readable(L, real, path));
    if (eex_fs_is_folder(real))
        return check_folder(L, real);
    EEX_TRY(eex_path_folder(&folder, real));
    int code = check_folder(L, folder);
    free(folder);
    return code;
}

/* Every file that a run's folder has may be one that a report reads. */
static int check_files(lua_State *L, const char *folder)
{
    char path[PATH_MAX], real[PATH_MAX];
    int code = EEX_OK;
    DIR *d = opendir(folder);
    if (!d)
        return eex_fail(EEX_EIO, "cannot read the folder %s: %s", folder, strerror(errno));
    for (const struct dirent *e; code == EEX_OK && (e = readdir(d));) {
        const char *dot = strrchr(e->d_name, '.');
        if (!dot || strcmp(dot, ".h5") != 0)
            continue;
        if (snprintf(path, sizeof path, "%s/%s", folder, e->d_name) >= (int)sizeof path)
            code = eex_fail(EEX_EINVAL, "\"%.60s...\": the path is too long", folder);
        else
            code = eex__lua_readable(L, real, path);
        if (code == EEX_ENOTFOUND)
            code = EEX_OK; /* it has gone meanwhile, or is a link to nothing */
    }
    closedir(d);
    return code;
}

int eex__lua_find_run(lua_State *L, char *real, const char *path)
{
    EEX_TRY(eex__lua_readable(L, real, path));
    if (!eex_fs_is_folder(real))
        return eex_fail(EEX_EINVAL, "\"%s\" is a file: expected the folder of a run", path);
    return check_files(L, real);
}

int eex_lua_model_open(lua_State *L)
{
    char real[PATH_MAX];
    if (find_model(L, real, eex_lua_text(L, 1)) < 0)
        eex_lua_raise(L);
    lua_settop(L, 2);
    eex_lua_push_model(L, real, 2);
    return 1;
}
