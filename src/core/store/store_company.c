/* Files that were made with others of their folder. Somebody restores a backup, or copies half a
 * run over another one: traces, thresholds and figures of one network would be believed of another.
 *
 * A file says it in the attributes of a group: what it is called itself (under another name it is
 * one that somebody has put there, and its company is elsewhere), and a line for each of the
 * others: its name, its kind with the version, and a sum of what it held. */
#include "core/store/store_hdf5.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define GROUP "made_with"

enum { MOST = 16, MAX_NAME = 64, MAX_KIND = 32, ANY_VERSION = 1 << 20 };

/* What is said of another one: a line "NAME KIND VERSION SUM". */
typedef struct other {
    char name[MAX_NAME], kind[MAX_KIND], sum[EEX_STORE_SUM];
    int version;
} other;

static int path_beside(char **out, const char *path, const char *name)
{
    char *folder = NULL;
    EEX_TRY(eex_path_folder(&folder, path));
    const int code = eex_path_join(out, folder, name);
    free(folder);
    return code;
}

/* A link may lead anywhere, and a pipe waits. */
static bool is_plain(const char *path)
{
    struct stat facts;
    return lstat(path, &facts) == 0 && S_ISREG(facts.st_mode);
}

/* ---- saying it ---- */

static int describe(eex_buffer *text, const char *path, const char *name)
{
    eex_store_file *file = NULL;
    char sum[EEX_STORE_SUM], *kind = NULL;
    if (!is_plain(path) || eex__store_open_alone(&file, path, NULL, ANY_VERSION) < 0)
        return EEX_OK;
    const int code = eex_store_get_string(&kind, file, "/", "eex_format");
    if (code == EEX_OK && eex_store_sum(sum, file, ""))
        eex_buffer_printf(text, "%s %s %d %s\n", name, kind, file->version, sum);
    free(kind);
    eex_store_close(file);
    return code;
}

static int save(eex_store_file *file, const eex_buffer *text)
{
    if (text->size == 0)
        return EEX_OK;
    EEX_TRY(eex_store_make_group(file, GROUP));
    EEX_TRY(eex_store_set_string(file, GROUP, "name", eex_path_base(file->path)));
    return eex_store_set_string(file, GROUP, "files", eex_buffer_text(text));
}

int eex_store_made_with(eex_store_file *file, const char *const *names, int count)
{
    EEX_NEED(file, "file");
    EEX_NEED(names, "names");
    EEX_TRY(eex__store_check_writing(file, GROUP));
    eex_buffer text = EEX_BUFFER_INIT;
    int code = EEX_OK;
    for (int i = 0; i < count && code == EEX_OK; i++) {
        char *path = NULL;
        code = path_beside(&path, file->path, names[i]);
        if (code == EEX_OK)
            code = describe(&text, path, names[i]);
        free(path);
    }
    if (code == EEX_OK)
        code = eex_buffer_status(&text);
    if (code == EEX_OK)
        code = save(file, &text);
    eex_buffer_free(&text);
    return code;
}

/* ---- comparing ---- */

/* What is of another kind, or from a newer eex, is not what it was either; its own reader says so
 * better. */
static int compare(eex_store_file *file, const other *o)
{
    eex_store_file *now = NULL;
    char sum[EEX_STORE_SUM], *path = NULL;
    EEX_TRY(path_beside(&path, file->path, o->name));
    const bool opened =
        is_plain(path) && eex__store_open_alone(&now, path, o->kind, o->version) == EEX_OK;
    const bool same = !opened || !eex_store_sum(sum, now, "") || strcmp(sum, o->sum) == 0;
    eex_store_close(now);
    free(path);
    return same ? EEX_OK
                : eex_store_refuse(file,
                                   "it was made with another %s than the one that is beside it "
                                   "now: put that one back",
                                   o->name);
}

static int read_line(other *o, eex_store_file *file, const char *line)
{
    int end = -1;
    if (sscanf(line, "%63[^ /] %31[^ ] %7d %16[0-9a-f]%n", o->name, o->kind, &o->version, o->sum,
               &end) == 4 &&
        end > 0 && !line[end] && strlen(o->sum) == EEX_STORE_SUM - 1)
        return EEX_OK;
    return eex_store_refuse(file, GROUP ": \"%.60s\" is no file with a sum", line);
}

static int check_lines(eex_store_file *file, char *line)
{
    int lines = 0;
    for (char *end; *line; line = end + 1) {
        other o;
        end = strchr(line, '\n');
        if (!end || ++lines > MOST)
            return eex_store_refuse(file, GROUP ": more than %d files, or a line without its end",
                                    MOST);
        *end = '\0';
        EEX_TRY(read_line(&o, file, line));
        EEX_TRY(compare(file, &o));
    }
    return EEX_OK;
}

int eex__store_check_company(eex_store_file *file)
{
    char *name = NULL, *files = NULL;
    const int has = eex_store_has(file, GROUP);
    if (has <= 0)
        return has;
    int code = eex_store_get_string(&name, file, GROUP, "name");
    if (code == EEX_OK)
        code = eex_store_get_string(&files, file, GROUP, "files");
    if (code == EEX_OK && strcmp(name, eex_path_base(file->path)) == 0)
        code = check_lines(file, files);
    free(files);
    free(name);
    return code;
}
