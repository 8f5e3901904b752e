/* Brings a file of the store into a state that tests of the program want to see refused.
 *
 * store_file_state FILE newer          of the same kind, from a newer version
 * store_file_state FILE damaged NAME   one byte changed in the header of the object of that name
 * store_file_state FILE edited NAME    without its seal, first and last number of int32 array NAME
 *                                      exchanged, as somebody may change a data set
 */
#include "core/store/store_reader.h"

#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
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

/* HDF5's library says on stderr what does not work. */
static int edit(const char *path, const char *name)
{
    enum { MOST = 1 << 16 };
    static int32_t numbers[MOST];
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t array = H5Dopen2(file, name, H5P_DEFAULT), space = H5Dget_space(array);
    const hssize_t count = H5Sget_simple_extent_npoints(space);
    if (H5Ldelete(file, EEX__SEAL_NAME, H5P_DEFAULT) < 0 || H5Adelete(file, EEX__SEAL_NAME) < 0 ||
        count < 2 || count > MOST ||
        H5Dread(array, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers) < 0)
        return eex_fail(EEX_EIO, "cannot change %s", path);
    const int32_t first = numbers[0];
    numbers[0] = numbers[count - 1];
    numbers[count - 1] = first;
    const bool done =
        H5Dwrite(array, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers) >= 0;
    H5Sclose(space);
    H5Dclose(array);
    return H5Fclose(file) >= 0 && done ? EEX_OK : eex_fail(EEX_EIO, "cannot write %s", path);
}

int main(int argc, char **argv)
{
    int code = EEX_EINVAL;
    if (argc == 3 && strcmp(argv[2], "newer") == 0)
        code = make_newer(argv[1]);
    else if (argc == 4 && strcmp(argv[2], "damaged") == 0)
        code = damage(argv[1], argv[3]);
    else if (argc == 4 && strcmp(argv[2], "edited") == 0)
        code = edit(argv[1], argv[3]);
    else
        eex_fail(code, "store_file_state FILE newer|damaged|edited [NAME]");
    if (code < 0)
        fprintf(stderr, "%s\n", eex_error());
    return code < 0;
}
