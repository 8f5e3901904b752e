/* Where the Lua library is. */
#include "lua/sandbox.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/share.h"
#include "base/status.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEVELS = 4 }; /* folders above the program that may be the root of a source tree */

/* Whether the folder has the library; hands it over if so, else adds it to those searched. */
static bool try_folder(char **out, int *code, eex_buffer *searched, const char *folder)
{
    char *file = NULL;
    bool found = false;
    *code = eex_path_join(&file, folder, "eex/init.lua");
    if (*code == EEX_OK && eex_fs_exists(file)) {
        found = true;
        *out = strdup(folder);
        if (!*out)
            *code = eex_fail(EEX_ENOMEM, "Lua: out of memory");
    }
    free(file);
    eex_buffer_printf(searched, "%s\"%s\"", searched->size ? ", " : "", folder);
    return found || *code < 0;
}

/* The folder of the running program, without links. */
static int program_folder(char out[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", out, PATH_MAX - 1);
    if (length < 0)
        return eex_fail(EEX_EIO, "cannot find out where the program is: set EEX_LUA_DIR to the "
                                 "folder that holds eex/init.lua");
    out[length] = 0;
    *strrchr(out, '/') = 0;
    return EEX_OK;
}

/* Beside the program, then in the folders above it, then where it was built from. Returns true when
 * the search is over. */
static bool search(char **out, int *code, eex_buffer *searched, char *folder)
{
    char place[2 * PATH_MAX + 8];
    const char *tree = eex_share_tree(folder);
    snprintf(place, sizeof place, "%s/%s/lua", folder, eex_share_beside());
    if (try_folder(out, code, searched, place))
        return true;
    for (int i = 0; i < LEVELS && *folder; i++) {
        snprintf(place, sizeof place, "%s/lua", folder);
        if (try_folder(out, code, searched, place))
            return true;
        *strrchr(folder, '/') = 0;
    }
    snprintf(place, sizeof place, "%s/lua", tree ? tree : "");
    return tree && try_folder(out, code, searched, place);
}

int eex_lua_library(char **out)
{
    char folder[PATH_MAX];
    eex_buffer searched = EEX_BUFFER_INIT;
    const char *set = getenv("EEX_LUA_DIR");
    bool over = false;
    int code = EEX_OK;
    if (set && *set) {
        over = try_folder(out, &code, &searched, set);
    } else {
        code = program_folder(folder);
        over = code < 0 || search(out, &code, &searched, folder);
    }
    if (!over)
        code = eex_fail(EEX_ENOTFOUND,
                        "the Lua library (eex/init.lua) is in none of %s: set EEX_LUA_DIR to the "
                        "folder that holds it%s",
                        eex_buffer_text(&searched), set && *set ? ", or unset it" : "");
    eex_buffer_free(&searched);
    return code;
}
