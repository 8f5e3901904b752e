/* Brings a file of the store into a state that tests of the program want to see refused.
 *
 * store_file_state FILE newer          of the same kind, from a newer version
 * store_file_state FILE damaged NAME   one byte changed in the header of the object of that name
 */
#include "core/store/store_reader.h"

#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NEWER = 101, INTO_HEADER = 12 };

static int make_newer(const char *path)
{
    eex_store_file *file = NULL;
    char *kind = NULL;
    EEX_TRY(eex_store_open(&file, path, NULL, 1));
    int code = eex_store_get_string(&kind, file, "/", "eex_format");
    eex_store_close(file);
    file = NULL;
    if (code == EEX_OK)
        code = eex_store_create(&file, path, kind, NEWER);
    if (code == EEX_OK)
        code = eex_store_commit(&file);
    free(kind);
    return code;
}

static int find(uint64_t *address, const char *path, const char *name)
{
    eex__reader *reader = NULL;
    eex__reader_object *object;
    EEX_TRY(eex__reader_open(&reader, path, NULL));
    int code = eex__reader_find(&object, reader, name);
    if (code == EEX_OK)
        *address = object->header.address;
    eex__reader_close(reader);
    return code;
}

static int change(const char *path, uint64_t at)
{
    char byte;
    const int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0)
        return eex_fail(EEX_EIO, "cannot open %s: %s", path, strerror(errno));
    bool done = pread(file, &byte, 1, (off_t)at) == 1;
    byte ^= 8;
    done = done && pwrite(file, &byte, 1, (off_t)at) == 1;
    close(file);
    return done ? EEX_OK : eex_fail(EEX_EIO, "cannot change %s: %s", path, strerror(errno));
}

static int damage(const char *path, const char *name)
{
    uint64_t address = 0;
    EEX_TRY(find(&address, path, name));
    return change(path, address + INTO_HEADER);
}

int main(int argc, char **argv)
{
    int code = EEX_EINVAL;
    if (argc == 3 && strcmp(argv[2], "newer") == 0)
        code = make_newer(argv[1]);
    else if (argc == 4 && strcmp(argv[2], "damaged") == 0)
        code = damage(argv[1], argv[3]);
    else
        eex_fail(code, "store_file_state FILE newer|damaged [NAME]");
    if (code < 0)
        fprintf(stderr, "%s\n", eex_error());
    return code < 0;
}
