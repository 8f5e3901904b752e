/* Files that were made with others of their folder. Somebody restores a backup, or copies half a
 * run over another one: traces, thresholds and figures of one network would be believed of another.
 *
 * A file says it in the attributes of a group: what it is called itself (under another name it is
 * one that somebody has put there, and its company is elsewhere), and a line for each of the
 * others, its name and a sum of what it held. */
#include "core/store/store_hdf5.h"
#include "core/store/store_reader.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define GROUP "made_with"

enum { MOST = 16 /* others */ };

/* ---- one of the others ---- */

/* Nothing is said of one that cannot be read, nor of a link: that may lead anywhere. */
static bool sum_of(char out[EEX_STORE_SUM], const char *path)
{
    struct stat facts;
    eex__reader *reader = NULL;
    bool known = false;
    if (lstat(path, &facts) != 0 || !S_ISREG(facts.st_mode) ||
        eex__reader_open(&reader, path, NULL) < 0)
        return false;
    known = reader->is_sealed;
    if (known)
        eex__seal_held(out, &reader->seal, "");
    eex__reader_close(reader);
    return known;
}

/* The same of a name beside the file at `path`. */
static int sum_beside(bool *known, char out[EEX_STORE_SUM], const char *path, const char *name)
{
    char *folder = NULL, *other = NULL;
    int code = eex_path_folder(&folder, path);
    if (code == EEX_OK)
        code = eex_path_join(&other, folder, name);
    if (code == EEX_OK)
        *known = sum_of(out, other);
    free(other);
    free(folder);
    return code;
}

/* ---- saying it ---- */

int eex_store_made_with(eex_store_file *file, const char *const *names, int count)
{
    EEX_NEED(file, "file");
    EEX_NEED(names, "names");
    EEX_TRY(eex__store_check_writing(file, GROUP));
    eex_buffer text = EEX_BUFFER_INIT;
    int code = EEX_OK;
    for (int i = 0; i < count && code == EEX_OK; i++) {
        char sum[EEX_STORE_SUM];
        bool known = false;
        code = sum_beside(&known, sum, file->path, names[i]);
        if (code == EEX_OK && known)
            eex_buffer_printf(&text, "%s %s\n", names[i], sum);
    }
    if (code == EEX_OK)
        code = eex_buffer_status(&text);
    if (code == EEX_OK && text.size > 0)
        code = eex_store_make_group(file, GROUP);
    if (code == EEX_OK && text.size > 0)
        code = eex_store_set_string(file, GROUP, "name", eex_path_base(file->path));
    if (code == EEX_OK && text.size > 0)
        code = eex_store_set_string(file, GROUP, "files", eex_buffer_text(&text));
    eex_buffer_free(&text);
    return code;
}

/* ---- comparing ---- */

static int check_line(eex_store_file *file, const char *name, const char *sum)
{
    char now[EEX_STORE_SUM];
    bool known = false;
    EEX_TRY(sum_beside(&known, now, file->path, name));
    return !known || strcmp(now, sum) == 0
               ? EEX_OK
               : eex_store_refuse(file,
                                  "it was made with another %.60s than the one that is beside it "
                                  "now: put that one back",
                                  name);
}

/* "NAME SUM", the line's end cut off. */
static int check_text(eex_store_file *file, char *line)
{
    int lines = 0;
    for (char *end; *line; line = end + 1) {
        end = strchr(line, '\n');
        if (!end)
            return eex_store_refuse(file, GROUP ": its last line has no end");
        *end = '\0';
        char *blank = strchr(line, ' ');
        if (!blank || blank == line || strchr(line, '/') || ++lines > MOST)
            return eex_store_refuse(file, GROUP ": \"%.60s\" is no file with a sum", line);
        *blank = '\0';
        EEX_TRY(check_line(file, line, blank + 1));
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
        code = check_text(file, files);
    free(files);
    free(name);
    return code;
}
