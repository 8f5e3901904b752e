/* The HDF5 file driver through which files are written.
 *
 * HDF5 cannot close a file that it fails to write: identifiers stay behind and the program crashes
 * when it ends. So this driver remembers the first failure and then pretends, HDF5 tidies up in
 * peace, and the store finds the failure in eex_store_file.error and removes the part. */
#include "core/store/store_hdf5.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef H5FD_CLASS_VERSION
#include <H5FDdevelop.h>
#endif

typedef struct driver_file {
    H5FD_t base;
    int fd;
    int *error; /* errno of the first failure, owned by the eex_store_file */
    haddr_t eoa, eof;
} driver_file;

typedef struct driver_info {
    int *error;
    bool *made;
} driver_info;

static driver_file *file_of(H5FD_t *base)
{
    return (driver_file *)base;
}

static void remember(driver_file *file, int error)
{
    if (!*file->error)
        *file->error = error;
}

static H5FD_t *driver_open(const char *name, unsigned flags, hid_t access, haddr_t most)
{
    const driver_info *info = H5Pget_driver_info(access);
    bool create = flags & H5F_ACC_CREAT; /* HDF5 first tries whether the file is there */
    driver_file *file = info ? calloc(1, sizeof *file) : NULL;
    if (!file) {
        if (info && create)
            *info->error = ENOMEM;
        return NULL;
    }
    file->error = info->error;
    file->fd = open(name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT | O_EXCL : 0), 0666);
    if (file->fd < 0) {
        if (create)
            remember(file, errno);
        free(file);
        return NULL;
    }
    *info->made = *info->made || create;
    return &file->base;
}

static herr_t driver_close(H5FD_t *base)
{
    driver_file *file = file_of(base);
    if (close(file->fd) != 0)
        remember(file, errno);
    free(file);
    return 0;
}

static int driver_compare(const H5FD_t *a, const H5FD_t *b)
{
    return a < b ? -1 : a > b;
}

static herr_t driver_query(const H5FD_t *base, unsigned long *flags)
{
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
}

static haddr_t driver_get_eoa(const H5FD_t *base, H5FD_mem_t type)
{
    return ((const driver_file *)base)->eoa;
}

static herr_t driver_set_eoa(H5FD_t *base, H5FD_mem_t type, haddr_t address)
{
    file_of(base)->eoa = address;
    return 0;
}

static haddr_t driver_get_eof(const H5FD_t *base, H5FD_mem_t type)
{
    return ((const driver_file *)base)->eof;
}

/* What was never written, or got lost, reads as zeros. */
static herr_t driver_read(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t address,
                          size_t size, void *buffer)
{
    driver_file *file = file_of(base);
    char *to = buffer;
    while (size > 0) {
        ssize_t got = pread(file->fd, to, size, (off_t)address);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            remember(file, errno);
        if (got <= 0)
            break;
        to += got;
        size -= (size_t)got;
        address += (haddr_t)got;
    }
    memset(to, 0, size);
    return 0;
}

static herr_t driver_write(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t address,
                           size_t size, const void *buffer)
{
    driver_file *file = file_of(base);
    const char *from = buffer;
    if (address + size > file->eof)
        file->eof = address + size;
    while (size > 0 && !*file->error) {
        ssize_t put = pwrite(file->fd, from, size, (off_t)address);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            remember(file, put < 0 ? errno : ENOSPC);
            break;
        }
        from += put;
        size -= (size_t)put;
        address += (haddr_t)put;
    }
    return 0;
}

static herr_t driver_truncate(H5FD_t *base, hid_t transfer, hbool_t closing)
{
    driver_file *file = file_of(base);
    if (file->eof == file->eoa)
        return 0;
    if (!*file->error && ftruncate(file->fd, (off_t)file->eoa) != 0)
        remember(file, errno);
    file->eof = file->eoa;
    return 0;
}

static const H5FD_class_t driver = {
#ifdef H5FD_CLASS_VERSION
    .version = H5FD_CLASS_VERSION,
    .value = (H5FD_class_value_t)401, /* the range for drivers of one's own starts at 256 */
#endif
    .name = "eex",
    .maxaddr = INT64_MAX,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(driver_info),
    .open = driver_open,
    .close = driver_close,
    .cmp = driver_compare,
    .query = driver_query,
    .get_eoa = driver_get_eoa,
    .set_eoa = driver_set_eoa,
    .get_eof = driver_get_eof,
    .read = driver_read,
    .write = driver_write,
    .truncate = driver_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

int eex__store_use_driver(hid_t access, int *error, bool *made)
{
    static hid_t id = H5I_INVALID_HID;
    const driver_info info = {error, made};
    if (id < 0)
        id = H5FDregister(&driver);
    return id < 0 ? -1 : H5Pset_driver(access, id, &info);
}
