/* Files written by HDF5's own library, in every form that it has for what we read, are read by it
 * and by us: the same groups, arrays and attributes, byte for byte. */
#include "core/store/store.h"
#include "core/store/store_reader.h"
#include "support/folder.h"

#include "base/fs.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK(call) cr_assert_eq((call), EEX_OK, "%s", eex_error())
#define DONE(call) cr_assert_geq((call), 0, "%s", #call)

/* ---- comparing ---- */

typedef struct comparison {
    eex__reader *reader;
    int count; /* arrays and attributes that were compared */
} comparison;

/* Numbers in this machine's order, strings as they are; negative: neither. */
static hid_t memory_type(hid_t type)
{
    H5T_class_t class = H5Tget_class(type);
    if (class == H5T_STRING && H5Tis_variable_str(type) == 0)
        return H5Tcopy(type);
    if (class != H5T_INTEGER && class != H5T_FLOAT)
        return H5I_INVALID_HID;
    return H5Tget_native_type(type, H5T_DIR_ASCEND);
}

static void compare_array(comparison *c, const char *name, hid_t array)
{
    eex__h5_array *ours;
    hid_t stored = H5Dget_type(array), space = H5Dget_space(array), type = memory_type(stored);
    size_t bytes = (size_t)H5Sget_simple_extent_npoints(space) * H5Tget_size(stored);
    if (type >= 0) {
        char *theirs = calloc(1, bytes + 1), *read = calloc(1, bytes + 1);
        OK(eex__reader_array(&ours, c->reader, name));
        cr_assert_eq(ours->count * ours->type.size, bytes, "%s", name);
        DONE(H5Dread(array, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, theirs));
        OK(eex__reader_read(read, c->reader, ours, name));
        cr_assert_eq(memcmp(theirs, read, bytes), 0, "%s", name);
        free(theirs);
        free(read);
        H5Tclose(type);
        c->count++;
    }
    H5Tclose(stored);
    H5Sclose(space);
}

typedef struct attributes {
    comparison *c;
    const char *name;
    const eex__h5_attributes *ours;
    size_t count;
} attributes;

static herr_t compare_attribute(hid_t object, const char *name, const H5A_info_t *info, void *data)
{
    attributes *a = data;
    const eex__h5_attribute *ours = eex__h5_attributes_find(a->ours, name);
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT), stored = H5Aget_type(attribute);
    hid_t space = H5Aget_space(attribute), type = memory_type(stored);
    cr_assert_not_null(ours, "%s of %s", name, a->name);
    if (type >= 0) {
        size_t bytes = (size_t)H5Sget_simple_extent_npoints(space) * H5Tget_size(stored);
        char *theirs = calloc(1, bytes + 1), *copy = calloc(1, bytes + 1);
        DONE(H5Aread(attribute, type, theirs));
        cr_assert_eq(ours->count * ours->type.size, bytes, "%s of %s", name, a->name);
        memcpy(copy, ours->data, bytes);
        eex__h5_to_little_endian(copy, ours->count, &ours->type);
        cr_assert_eq(memcmp(theirs, copy, bytes), 0, "%s of %s", name, a->name);
        free(theirs);
        free(copy);
        H5Tclose(type);
        a->c->count++;
    }
    H5Tclose(stored);
    H5Sclose(space);
    H5Aclose(attribute);
    a->count++;
    return 0;
}

static herr_t compare_object(hid_t file, const char *name, const H5O_info_t *info, void *data)
{
    comparison *c = data;
    const char *path = strcmp(name, ".") == 0 ? "" : name;
    attributes a = {c, path, NULL, 0};
    hid_t object = H5Oopen(file, name, H5P_DEFAULT);
    if (info->type == H5O_TYPE_DATASET)
        compare_array(c, path, object);
    if (info->type == H5O_TYPE_GROUP) {
        const eex__h5_links *links;
        H5G_info_t theirs;
        OK(eex__reader_links(&links, c->reader, path));
        DONE(H5Gget_info(object, &theirs));
        cr_assert_eq(links->count, theirs.nlinks, "%s", path);
    }
    OK(eex__reader_attributes(&a.ours, c->reader, path));
    DONE(H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, compare_attribute, &a));
    cr_assert_eq(a.count, a.ours->count, "attributes of %s", path);
    H5Oclose(object);
    return 0;
}

/* Returns how much was compared. */
static int compare_file(const char *path)
{
    comparison c = {NULL, 0};
    OK(eex__reader_open(&c.reader, path, NULL));
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    DONE(file);
    DONE(H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, compare_object, &c));
    H5Fclose(file);
    eex__reader_close(c.reader);
    return c.count;
}

/* ---- writing ---- */

static hid_t create(const char *path)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_LATEST);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Pclose(access);
    DONE(file);
    return file;
}

typedef struct layout {
    const char *name;
    int rank;
    hsize_t extent[3], most[3], chunk[3]; /* chunk[0] 0: contiguous */
    const char *filters;                  /* letters in order: s, d, f */
    enum { ALL, FIRST_HALF, NOTHING } written;
    bool early, fill;
} layout;

static hid_t creation_list(const layout *l)
{
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    const int32_t fill = -77;
    if (l->chunk[0])
        DONE(H5Pset_chunk(list, l->rank, l->chunk));
    for (const char *f = l->filters; f && *f; f++)
        DONE(*f == 's'   ? H5Pset_shuffle(list)
             : *f == 'd' ? H5Pset_deflate(list, 6)
                         : H5Pset_fletcher32(list));
    if (l->early)
        DONE(H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY));
    if (l->fill)
        DONE(H5Pset_fill_value(list, H5T_NATIVE_INT32, &fill));
    return list;
}

static void write_layout(hid_t file, const layout *l)
{
    hid_t list = creation_list(l);
    hid_t space = H5Screate_simple(l->rank, l->extent, l->most[0] ? l->most : NULL);
    hid_t array = H5Dcreate2(file, l->name, H5T_STD_I32LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    size_t count = (size_t)H5Sget_simple_extent_npoints(space);
    int32_t *data = calloc(count ? count : 1, sizeof *data);
    for (size_t i = 0; i < count; i++)
        data[i] = (int32_t)(i * 2654435761U >> (i % 7));
    DONE(array);
    hsize_t start[3] = {0}, part[3] = {l->extent[0] / 2, l->extent[1], l->extent[2]};
    if (l->written == FIRST_HALF) {
        hid_t memory = H5Screate_simple(l->rank, part, NULL);
        DONE(H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, part, NULL));
        DONE(H5Dwrite(array, H5T_NATIVE_INT32, memory, space, H5P_DEFAULT, data));
        H5Sclose(memory);
    } else if (l->written == ALL) {
        DONE(H5Dwrite(array, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, data));
    }
    free(data);
    H5Dclose(array);
    H5Sclose(space);
    H5Pclose(list);
}

#define FREE H5S_UNLIMITED

/* Each kind of index, small and large enough for all of its structures, with and without filters.
 */
static const layout layouts[] = {
    {"contiguous", 2, {30, 4}, .written = ALL},
    {"contiguous_none", 2, {30, 4}, .written = NOTHING},
    {"contiguous_fill", 2, {30, 4}, .written = NOTHING, .fill = true},
    {"single", 2, {30, 4}, .chunk = {30, 4}},
    {"single_filtered", 2, {30, 4}, .chunk = {30, 4}, .filters = "sdf"},
    {"single_none", 1, {30}, .chunk = {30}, .written = NOTHING, .fill = true},
    {"implicit", 2, {30, 41}, .chunk = {4, 5}, .early = true},
    {"implicit_may_grow", 2, {30, 41}, .most = {60, 50}, .chunk = {4, 5}, .early = true},
    {"fixed", 2, {30, 41}, .chunk = {4, 5}},
    {"fixed_filtered", 2, {30, 41}, .chunk = {4, 5}, .filters = "sf"},
    {"fixed_pages", 2, {3000, 3}, .chunk = {2, 1}},
    {"fixed_pages_filtered", 2, {3000, 3}, .chunk = {2, 1}, .filters = "f"},
    {"fixed_pages_half", 2, {3000, 3}, .chunk = {1, 1}, .written = FIRST_HALF, .fill = true},
    {"fixed_may_grow", 3, {30, 41, 2}, .most = {50, 90, 3}, .chunk = {4, 5, 1}, .filters = "df"},
    {"extensible_few", 2, {7, 5}, .most = {FREE, 5}, .chunk = {4, 5}},
    {"extensible", 2, {600, 5}, .most = {FREE, 9}, .chunk = {1, 4}},
    {"extensible_filtered", 2, {600, 5}, .most = {FREE, 9}, .chunk = {1, 4}, .filters = "sdf"},
    {"extensible_second", 2, {5, 600}, .most = {9, FREE}, .chunk = {4, 1}, .filters = "f"},
    {"extensible_middle", 3, {5, 100, 3}, .most = {9, FREE, 4}, .chunk = {4, 1, 2}, .filters = "f"},
    {"half", 1, {5000}, .most = {FREE}, .chunk = {3}, .written = FIRST_HALF, .fill = true},
    {"extensible_empty", 2, {0, 5}, .most = {FREE, 5}, .chunk = {4, 5}, .written = NOTHING},
    {"tree", 2, {9, 5}, .most = {FREE, FREE}, .chunk = {4, 4}},
    {"tree_deep", 2, {100, 120}, .most = {FREE, FREE}, .chunk = {2, 1}},
    {"tree_filtered", 2, {100, 60}, .most = {FREE, FREE}, .chunk = {2, 1}, .filters = "df"},
    {"tree2",
     2,
     {100, 60},
     .most = {FREE, FREE},
     .chunk = {3, 4},
     .filters = "sdf",
     .written = FIRST_HALF,
     .fill = true},
    {"sum_first", 1, {1000}, .chunk = {100}, .filters = "fsd"},
    {"deflate", 1, {1000}, .chunk = {100}, .filters = "d"},
    {"shuffle", 1, {1000}, .chunk = {100}, .filters = "s"},
    {"sums", 1, {1000}, .chunk = {100}, .filters = "fdf"},
};

Test(parity, storage)
{
    char folder[TEST_PATH_SIZE];
    test_folder_make(folder);
    hid_t file = create(test_path(folder, "a.h5"));
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        write_layout(file, &layouts[i]);
    H5Fclose(file);
    cr_assert_eq(compare_file(test_path(folder, "a.h5")), sizeof layouts / sizeof *layouts);
    test_folder_remove(folder);
}

/* What eex packs, chunk by chunk, is what HDF5's library reads. */
Test(parity, packed_by_eex)
{
    const eex_store_shape shapes[] = {
        {1, {262145}}, {2, {300001, 3}}, {3, {3, 700, 150}}, {3, {2, 3, 262145}}};
    const int count = sizeof shapes / sizeof *shapes;
    char folder[TEST_PATH_SIZE], name[16];
    eex_store_file *file;
    float *values = calloc(2000000, sizeof *values);
    cr_assert_not_null(values);
    for (int i = 0; i < 2000000; i++)
        values[i] = (float)i * 0.37f;
    test_folder_make(folder);
    OK(eex_store_create(&file, test_path(folder, "a.h5"), "trace", 1));
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "a%d", i);
        OK(eex_store_write_packed(file, name, EEX_STORE_F32, &shapes[i], values));
    }
    OK(eex_store_commit(&file));
    free(values);
    cr_assert_geq(compare_file(test_path(folder, "a.h5")), count);
    test_folder_remove(folder);
}

/* More than 131,000 chunks, so that data blocks of the extensible array have pages. */
Test(parity, pages_of_an_extensible_array)
{
    const layout all = {"all", 1, {139000}, .most = {FREE}, .chunk = {1}};
    char folder[TEST_PATH_SIZE];
    test_folder_make(folder);
    hid_t file = create(test_path(folder, "a.h5"));
    write_layout(file, &all);
    H5Fclose(file);
    cr_assert_eq(compare_file(test_path(folder, "a.h5")), 1);
    test_folder_remove(folder);
}

/* Chunks outside of the extents are still in the index. */
Test(parity, arrays_that_shrank)
{
    const layout shrinking[] = {
        {"extensible", 2, {60, 5}, .most = {FREE, 9}, .chunk = {1, 4}},
        {"fixed", 2, {60, 5}, .most = {60, 5}, .chunk = {7, 2}},
        {"tree", 2, {60, 50}, .most = {FREE, FREE}, .chunk = {7, 2}, .filters = "f"}};
    const hsize_t smaller[2] = {17, 3};
    char folder[TEST_PATH_SIZE];
    test_folder_make(folder);
    hid_t file = create(test_path(folder, "a.h5"));
    for (int i = 0; i < 3; i++) {
        write_layout(file, &shrinking[i]);
        hid_t array = H5Dopen2(file, shrinking[i].name, H5P_DEFAULT);
        DONE(H5Dset_extent(array, smaller));
        H5Dclose(array);
    }
    H5Fclose(file);
    cr_assert_eq(compare_file(test_path(folder, "a.h5")), 3);
    test_folder_remove(folder);
}

/* ---- types and extents ---- */

static void write_typed(hid_t file, const char *name, hid_t type, int rank)
{
    const hsize_t extent[8] = {3, 2, 1, 2, 1, 1, 1, 2};
    static const uint8_t bytes[24 * 16] = {1, 0, 0xff, 3, 0x7f, 5, 6, 0x80, 9, 'a', ' ', 'b'};
    hid_t space = rank ? H5Screate_simple(rank, extent, NULL) : H5Screate(H5S_SCALAR);
    hid_t array = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t attribute = H5Acreate2(array, "same", type, space, H5P_DEFAULT, H5P_DEFAULT);
    DONE(H5Dwrite(array, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes));
    DONE(H5Awrite(attribute, type, bytes));
    H5Aclose(attribute);
    H5Dclose(array);
    H5Sclose(space);
}

Test(parity, types)
{
    char folder[TEST_PATH_SIZE];
    test_folder_make(folder);
    hid_t file = create(test_path(folder, "a.h5"));
    const hid_t types[] = {H5T_STD_U8LE,   H5T_STD_I8BE,   H5T_STD_U16BE,  H5T_STD_I16LE,
                           H5T_STD_I32BE,  H5T_STD_U32LE,  H5T_STD_I64LE,  H5T_STD_U64BE,
                           H5T_IEEE_F32LE, H5T_IEEE_F32BE, H5T_IEEE_F64BE, H5T_IEEE_F64LE};
    enum { TYPES = sizeof types / sizeof *types };
    char name[40];
    for (int i = 0; i < TYPES; i++) {
        snprintf(name, sizeof name, "number%d", i);
        write_typed(file, name, types[i], i % 9 == 5 ? 0 : i % 9);
    }
    for (int i = 0; i < 3; i++) { /* the three ways to end a string */
        hid_t type = H5Tcopy(H5T_C_S1);
        H5Tset_size(type, 4);
        H5Tset_strpad(type, (H5T_str_t)i);
        snprintf(name, sizeof name, "string%d", i);
        write_typed(file, name, type, i);
        H5Tclose(type);
    }
    H5Fclose(file);
    cr_assert_eq(compare_file(test_path(folder, "a.h5")), 2 * (TYPES + 3));
    test_folder_remove(folder);
}

/* ---- groups and attributes ---- */

static void write_attributes(hid_t object, int count, size_t bytes)
{
    hsize_t extent = bytes;
    char *data = malloc(bytes), name[300];
    hid_t space = H5Screate_simple(1, &extent, NULL);
    for (int i = 0; i < count; i++) {
        memset(data, i, bytes);
        snprintf(name, sizeof name, "n%d_%0*d", i, i % 60 + 1, 0);
        hid_t a = H5Acreate2(object, name, H5T_STD_U8LE, space, H5P_DEFAULT, H5P_DEFAULT);
        DONE(H5Awrite(a, H5T_NATIVE_UINT8, data));
        H5Aclose(a);
    }
    H5Sclose(space);
    free(data);
}

/* Group number i, whose members and attributes are in the header, or many and elsewhere. */
static void write_group(hid_t file, const char *name, int members, int count, size_t bytes,
                        unsigned order)
{
    char member[300];
    hid_t list = H5Pcreate(H5P_GROUP_CREATE);
    DONE(H5Pset_link_creation_order(list, order));
    DONE(H5Pset_attr_creation_order(list, order));
    DONE(H5Pset_obj_track_times(list, order > 0));
    if (order > 0)
        DONE(H5Pset_attr_phase_change(list, 20, 10));
    hid_t group = H5Gcreate2(file, name, H5P_DEFAULT, list, H5P_DEFAULT);
    DONE(group);
    for (int i = 0; i < members; i++) {
        snprintf(member, sizeof member, "m%d_%0*d", i, i % 230 + 1, 0);
        DONE(H5Olink(file, group, member, H5P_DEFAULT, H5P_DEFAULT));
    }
    write_attributes(group, count, bytes);
    H5Gclose(group);
    H5Pclose(list);
}

Test(parity, groups_and_attributes)
{
    const unsigned orders[] = {0, H5P_CRT_ORDER_TRACKED,
                               H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED};
    char folder[TEST_PATH_SIZE], name[40];
    int expected = 0;
    test_folder_make(folder);
    hid_t file = create(test_path(folder, "a.h5"));
    for (int i = 0; i < 3; i++)
        for (int size = 0; size < 6; size++) {
            const struct {
                int members, attributes;
                size_t bytes;
            } s[6] = {{0, 0, 1},     {3, 3, 30000},    {40, 25, 7},
                      {0, 30, 5000}, {2000, 300, 100}, {1, 1, 9}};
            snprintf(name, sizeof name, "group%d_%d", i, size);
            write_group(file, name, s[size].members, s[size].attributes, s[size].bytes, orders[i]);
            expected += s[size].attributes;
        }
    /* Grown bit by bit, with what was taken away in between. */
    hid_t group = H5Gcreate2(file, "changed", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    for (int round = 0; round < 3; round++) {
        write_attributes(group, 7, 100 * (size_t)(round + 1));
        DONE(H5Fflush(file, H5F_SCOPE_LOCAL));
        for (int i = 0; i < 7 && round < 2; i++)
            DONE(H5Adelete_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, 0, H5P_DEFAULT));
    }
    H5Gclose(group);
    H5Fclose(file);
    cr_assert_eq(compare_file(test_path(folder, "a.h5")), expected + 7);
    test_folder_remove(folder);
}

/* ---- files that others made ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t a = strlen(text), b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

/* EEX_PARITY: a folder with files to compare, a run for instance. */
Test(parity, a_folder_of_files)
{
    const char *folder = getenv("EEX_PARITY");
    eex_fs_names names;
    if (!folder)
        cr_skip_test("EEX_PARITY names no folder");
    OK(eex_fs_list(&names, folder));
    for (size_t i = 0; i < names.count; i++) {
        char path[TEST_PATH_SIZE];
        snprintf(path, sizeof path, "%s/%s", folder, names.names[i]);
        if (ends_with(path, ".h5"))
            printf("%s: %d arrays and attributes\n", path, compare_file(path));
    }
    eex_fs_names_free(&names);
}
