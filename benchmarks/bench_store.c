/* What opening and reading files of the store costs, beside HDF5's own library: milliseconds, of
 * opening for each file and for 100 MB of it, and megabytes a second. It takes some seconds.
 *
 *     bench_store [FOLDER]    writes its files there, about 130 MB; /tmp otherwise
 *     bench_store FILE...     opens and reads these instead
 *
 * Files lie in the system's cache: this is about checking and copying, not about disks. */
#include "core/store/store.h"
#include "timing.h"

#include "base/status.h"

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER_BYTES = 256 << 20 };

static char *buffer; /* every array is read into it */

/* ---- files ---- */

/* As of a large model: a few hundred small arrays and as many large ones as make up 100 MB. */
static int write_weights(const char *path)
{
    const eex_store_shape large = {2, {5000, 1000}}, small = {1, {64}};
    eex_store_file *file;
    EEX_TRY(eex_store_create(&file, path, "weights", 1));
    int code = EEX_OK;
    for (int i = 0; code == EEX_OK && i < 305; i++) {
        char name[40];
        snprintf(name, sizeof name, "params/layer%d.weight", i);
        code = eex_store_write(file, name, EEX_STORE_F32, i < 5 ? &large : &small, buffer);
    }
    if (code == EEX_OK)
        return eex_store_commit(&file);
    eex_store_close(file);
    return code;
}

/* As of a trace: one array that is compressed. */
static int write_trace(const char *path)
{
    const eex_store_shape shape = {3, {6, 100000, 10}};
    eex_store_file *file;
    EEX_TRY(eex_store_create(&file, path, "trace", 1));
    int code = eex_store_write_packed(file, "trace/logits", EEX_STORE_F32, &shape, buffer);
    if (code == EEX_OK)
        return eex_store_commit(&file);
    eex_store_close(file);
    return code;
}

/* ---- ours ---- */

static int our_open(void *ctx)
{
    eex_store_file *file;
    int code = eex_store_open(&file, ctx, NULL, 1);
    eex_store_close(file);
    return code;
}

static int our_object(eex_store_file *file, const char *name)
{
    eex_store_type type;
    eex_store_shape shape;
    eex_store_list members;
    if (*name && eex_store_describe(&type, &shape, file, name) == EEX_OK)
        return eex_store_read(buffer, file, name, type, &shape);
    if (eex_store_names(&members, file, name) < 0)
        return EEX_OK; /* strings */
    int code = EEX_OK;
    for (size_t i = 0; code == EEX_OK && i < members.count; i++) {
        char member[1000];
        snprintf(member, sizeof member, "%.400s%s%.500s", name, *name ? "/" : "", members.item[i]);
        code = our_object(file, member);
    }
    eex_store_list_free(&members);
    return code;
}

static int our_read(void *ctx)
{
    eex_store_file *file;
    EEX_TRY(eex_store_open(&file, ctx, NULL, 1));
    int code = our_object(file, "");
    eex_store_close(file);
    return code;
}

/* ---- theirs ---- */

static int their_open(void *ctx)
{
    hid_t file = H5Fopen(ctx, H5F_ACC_RDONLY, H5P_DEFAULT);
    return file < 0 ? -1 : H5Fclose(file);
}

static herr_t their_object(hid_t file, const char *name, const H5O_info_t *info, void *data)
{
    if (info->type != H5O_TYPE_DATASET)
        return 0;
    hid_t array = H5Dopen2(file, name, H5P_DEFAULT), type = H5Dget_type(array);
    herr_t done = 0;
    if (H5Tget_class(type) != H5T_STRING)
        done = H5Dread(array, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer);
    H5Tclose(type);
    H5Dclose(array);
    return done < 0 ? -1 : 0;
}

static int their_read(void *ctx)
{
    hid_t file = H5Fopen(ctx, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0)
        return -1;
    int code = H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, their_object, NULL) < 0 ? -1 : 0;
    H5Fclose(file);
    return code;
}

/* ---- both ---- */

static void print_open(char *path, double bytes)
{
    const double a = best_ns(our_open, path, 1) / 1e6, b = best_ns(their_open, path, 1) / 1e6;
    if (a < 0)
        printf("  open   failed: %s\n", eex_error());
    else
        printf("  open   %10.3f ms %10.3f ms/100 MB   HDF5: %10.3f ms %10.3f ms/100 MB\n", a,
               a * 1e8 / bytes, b, b * 1e8 / bytes);
}

static void print_read(char *path, double bytes)
{
    const double a = best_ns(our_read, path, 1) / 1e6, b = best_ns(their_read, path, 1) / 1e6;
    if (a < 0)
        printf("  read   failed: %s\n", eex_error());
    else
        printf("  read   %10.3f ms %10.0f MB/s        HDF5: %10.3f ms %10.0f MB/s\n", a,
               bytes / a / 1e3, b, bytes / b / 1e3);
}

static void bench(char *path)
{
    struct stat facts;
    if (stat(path, &facts) != 0) {
        printf("%s: there is no such file\n", path);
        return;
    }
    printf("%s, %.1f MB\n", path, (double)facts.st_size / 1e6);
    print_open(path, (double)facts.st_size);
    print_read(path, (double)facts.st_size);
}

static int bench_own(const char *folder)
{
    char path[500];
    for (size_t i = 0; i < BUFFER_BYTES / sizeof(float) / 8; i++)
        ((float *)buffer)[i] = (float)(i % 977) * 0.25F;
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/bench-store-%d.h5", folder, i);
        if ((i ? write_trace(path) : write_weights(path)) < 0) {
            fprintf(stderr, "%s\n", eex_error());
            return 1;
        }
        bench(path);
        unlink(path);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct stat facts;
    bool is_folder = argc < 2 || (stat(argv[1], &facts) == 0 && S_ISDIR(facts.st_mode));
    int code = 0;
    buffer = calloc(1, BUFFER_BYTES);
    if (!buffer)
        return 1;
    if (is_folder)
        code = bench_own(argc < 2 ? "/tmp" : argv[1]);
    for (int i = 1; i < argc && !is_folder; i++)
        bench(argv[i]);
    free(buffer);
    return code;
}
