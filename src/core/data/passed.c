#include "core/data/passed.h"

#include "base/fs.h"
#include "base/signals.h"
#include "base/spelling.h"
#include "base/status.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 64 }; /* of folders whose files are counted: what is deeper counts as one */

void eex_passed_free(eex_passed *p)
{
    eex_arena_free(&p->arena);
    *p = (eex_passed){.count = 0};
}

int eex_passed_add(eex_passed *p, const char *why, const char *path)
{
    int i = 0;
    while (i < p->count && strcmp(p->reasons[i].why, why) != 0)
        i++;
    if (i == EEX_PASSED_REASONS)
        i--;
    if (i == p->count) {
        const bool last = i == EEX_PASSED_REASONS - 1;
        p->reasons[i].why = eex_arena_strdup(&p->arena, last ? "for other reasons" : why);
        p->reasons[i].first = eex_arena_strdup(&p->arena, path);
        if (!p->reasons[i].why || !p->reasons[i].first)
            return EEX_ENOMEM;
        p->count++;
    }
    p->reasons[i].count++;
    return EEX_OK;
}

static const char *name_in(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

int eex_passed_add_ending(eex_passed *p, const char *path)
{
    char why[32] = "without an ending";
    const char *dot = strrchr(name_in(path), '.');
    size_t length = dot ? strlen(dot) : 0;
    if (eex_fs_is_link(path) && !eex_fs_exists(path))
        return eex_passed_add(p, "links that lead nowhere", path);
    if (length > 1 && length < 12) {
        snprintf(why, sizeof why, "named %s", dot);
        for (char *c = why; *c; c++)
            *c = (char)(isprint((unsigned char)*c) ? tolower((unsigned char)*c) : '?');
    } else if (length) {
        snprintf(why, sizeof why, "with other endings");
    }
    return eex_passed_add(p, why, path);
}

static int add_tree(eex_passed *p, const char *why, const char *path, int depth);

static int add_inside(eex_passed *p, const char *why, const char *folder, const eex_fs_names *names,
                      int depth)
{
    for (size_t i = 0; i < names->count; i++) {
        char *path;
        if (eex_interrupted())
            return eex_fail(EEX_EINTERRUPTED, "interrupted");
        EEX_TRY(eex_path_join(&path, folder, names->names[i]));
        const int code = add_tree(p, why, path, depth + 1);
        free(path);
        EEX_TRY(code);
    }
    return EEX_OK;
}

/* A folder that cannot be listed counts as one, like a file that cannot be read. */
static int add_tree(eex_passed *p, const char *why, const char *path, int depth)
{
    eex_fs_names names;
    if (depth > MAX_DEPTH || eex_fs_is_link(path) || !eex_fs_is_folder(path))
        return eex_passed_add(p, why, path);
    int code = eex_fs_list(&names, path);
    if (code < 0)
        return code == EEX_ENOMEM ? code : eex_passed_add(p, why, path);
    code = names.count ? add_inside(p, why, path, &names, depth) : eex_passed_add(p, why, path);
    eex_fs_names_free(&names);
    return code;
}

int eex_passed_add_tree(eex_passed *p, const char *why, const char *path)
{
    return add_tree(p, why, path, 0);
}

size_t eex_passed_say(eex_buffer *out, const eex_passed *p, const char *between)
{
    size_t all = 0;
    for (int i = 0; i < p->count; i++) {
        eex_buffer_printf(out, "%s%zu %s (", i ? between : "", p->reasons[i].count,
                          p->reasons[i].why);
        eex_spelling_escape(out, p->reasons[i].first);
        eex_buffer_putc(out, ')');
        all += p->reasons[i].count;
    }
    return all;
}
