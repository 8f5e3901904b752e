/* Writing a file's seal, and comparing a file with it. */
#include "core/store/store_hdf5.h"

#include "base/status.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_SEAL_BYTES = 1 << 26,
    LEAST_OBJECT = 16 /* bytes of the smallest header; a seal may be packed a thousandfold */
};

int eex__store_seal(eex_store_file *file)
{
    char sum[EEX__SEAL_HEX];
    eex_store_list list;
    EEX_TRY(eex__sealing_list(&list, &file->sealing));
    eex__seal_sum(sum, &list);
    int code =
        eex_store_write_strings(file, EEX__SEAL_NAME, (const char *const *)list.item, list.count);
    if (code == EEX_OK)
        code = eex_store_set_string(file, "/", EEX__SEAL_NAME, sum);
    eex_store_list_free(&list);
    return code;
}

/* ---- checking ---- */

/* "float32", "string[4]"; whatever else has no name that a seal could have. */
static void type_name(char out[EEX__SEAL_TYPE], const eex__h5_type *type)
{
    const char *sign = type->has_sign || type->class != EEX__H5_INTEGER ? "" : "u";
    if (type->class == EEX__H5_STRING)
        eex__seal_string_type(out, type->size);
    else if (type->class == EEX__H5_OTHER || type->big_endian)
        snprintf(out, EEX__SEAL_TYPE, "other");
    else
        snprintf(out, EEX__SEAL_TYPE, "%s%s%" PRIu32, sign,
                 type->class == EEX__H5_INTEGER ? "int" : "float", 8 * type->size);
}

static int add_attributes(eex__seal_lines *lines, const eex__reader *reader,
                          const eex__h5_attributes *attributes, bool is_root)
{
    for (size_t i = 0; i < attributes->count; i++) {
        const eex__h5_attribute *a = &attributes->attribute[i];
        char type[EEX__SEAL_TYPE];
        eex_store_shape shape;
        if (is_root && strcmp(a->name, EEX__SEAL_NAME) == 0)
            continue;
        type_name(type, &a->type);
        EEX_TRY(eex__reader_shape(&shape, reader, &a->space));
        EEX_TRY(
            eex__seal_lines_add(lines, a->name, type, &shape, a->data, a->count * a->type.size));
    }
    return EEX_OK;
}

static int head_of(uint64_t *out, eex__reader *reader, const char *name)
{
    char type[EEX__SEAL_TYPE] = "group";
    eex_store_shape shape = {0, {0}};
    eex__reader_object *object;
    const eex__h5_attributes *attributes;
    eex__seal_lines lines = {0};
    EEX_TRY(eex__reader_find(&object, reader, name));
    if (object->header.kind != EEX__H5_GROUP) {
        eex__h5_array *array;
        EEX_TRY(eex__reader_array(&array, reader, name));
        type_name(type, &array->type);
        EEX_TRY(eex__reader_shape(&shape, reader, &array->space));
    }
    EEX_TRY(eex__reader_attributes(&attributes, reader, name));
    int code = add_attributes(&lines, reader, attributes, *name == '\0');
    if (code == EEX_OK)
        code = eex__seal_head(out, type, &shape, &lines);
    eex__seal_lines_free(&lines);
    return code;
}

static int check_object(eex__reader *reader, const eex__seal_entry *entry)
{
    uint64_t head;
    const int code = head_of(&head, reader, entry->name);
    if (code == EEX_ENOTFOUND)
        return eex__h5_damaged(&reader->file, "it is missing, although the file's seal names it");
    EEX_TRY(code);
    if (head != entry->head)
        return eex__h5_damaged(&reader->file,
                               "its type, extents or attributes are not those of the file's seal");
    return EEX_OK;
}

/* Names a member that the seal does not know. */
static int check_members(eex__reader *reader, const char *group)
{
    const eex__h5_links *links;
    char name[EEX__STORE_MAX_NAME + 1];
    EEX_TRY(eex__reader_links(&links, reader, group));
    for (size_t i = 0; i < links->count; i++) {
        const char *member = links->link[i].name;
        if (*group == '\0' && strcmp(member, EEX__SEAL_NAME) == 0)
            continue;
        snprintf(name, sizeof name, "%s%s%s", group, *group ? "/" : "", member);
        if (!eex__seal_find(&reader->seal, name))
            return eex__h5_damaged(&reader->file, "it holds %.100s, which its seal does not name",
                                   member);
    }
    return EEX_OK;
}

typedef struct place {
    uint64_t address;
    size_t entry;
} place;

static int compare_place(const void *a, const void *b)
{
    const place *x = a, *y = b;
    if (x->address != y->address)
        return x->address < y->address ? -1 : 1;
    return x->entry < y->entry ? -1 : x->entry > y->entry;
}

/* Those that are missing are left out: that is said of them elsewhere. */
static int find_places(size_t *found, place *list, eex__reader *reader)
{
    *found = 0;
    for (size_t i = 0; i < reader->seal.count; i++) {
        place *p = &list[*found];
        const int code = eex__reader_address(&p->address, reader, reader->seal.entry[i].name);
        if (code == EEX_ENOTFOUND)
            continue;
        EEX_TRY(code);
        p->entry = i;
        ++*found;
    }
    return EEX_OK;
}

static int compare_places(place *list, eex__reader *reader)
{
    size_t count;
    EEX_TRY(find_places(&count, list, reader));
    qsort(list, count, sizeof *list, compare_place);
    for (size_t i = 1; i < count; i++)
        if (list[i - 1].address == list[i].address) {
            reader->file.name = reader->seal.entry[list[i].entry].name;
            return eex__h5_damaged(&reader->file, "it is /%.200s once more",
                                   reader->seal.entry[list[i - 1].entry].name);
        }
    return EEX_OK;
}

/* No object has two names in a file that eex wrote. Elsewhere a few of them could have so many that
 * comparing each would not end. */
static int check_places(eex__reader *reader)
{
    size_t count = reader->seal.count;
    reader->file.name = EEX__SEAL_NAME;
    if (count == 0 || count > reader->file.size / LEAST_OBJECT)
        return eex__h5_damaged(&reader->file, "it names %zu objects, which the file cannot hold",
                               count);
    place *list = malloc(count * sizeof *list);
    if (!list)
        return eex__h5_no_memory(&reader->file);
    const int code = compare_places(list, reader);
    free(list);
    return code;
}

static int check_objects(eex__reader *reader)
{
    EEX_TRY(check_places(reader));
    for (size_t i = 0; i < reader->seal.count; i++) {
        eex__reader_object *object;
        const char *name = reader->seal.entry[i].name;
        EEX_TRY(check_object(reader, &reader->seal.entry[i]));
        EEX_TRY(eex__reader_find(&object, reader, name));
        if (object->header.kind == EEX__H5_GROUP)
            EEX_TRY(check_members(reader, name));
    }
    return EEX_OK;
}

static int read_seal(eex__reader *reader, const char *expected)
{
    char sum[EEX__SEAL_HEX];
    eex_store_list list;
    int code = eex__reader_strings(&list, reader, EEX__SEAL_NAME, MAX_SEAL_BYTES);
    if (code == EEX_ENOTFOUND)
        return eex__h5_damaged(&reader->file, "it is missing, although the file has been sealed");
    EEX_TRY(code);
    eex__seal_sum(sum, &list);
    if (strcmp(sum, expected) != 0)
        code = EEX_EFORMAT;
    else
        code = eex__seal_parse(&reader->seal, &list);
    eex_store_list_free(&list);
    return code == EEX_EFORMAT
               ? eex__h5_damaged(&reader->file, "the seal is not the one that the root names")
               : code;
}

int eex__reader_check_seal(eex__reader *reader)
{
    char expected[EEX__SEAL_HEX] = "";
    const eex__h5_attributes *attributes;
    EEX_TRY(eex__reader_attributes(&attributes, reader, ""));
    const eex__h5_attribute *a = eex__h5_attributes_find(attributes, EEX__SEAL_NAME);
    if (!a)
        return EEX_OK;
    if (a->type.class != EEX__H5_STRING || a->count != 1 || a->type.size != EEX__SEAL_HEX - 1)
        return eex__h5_damaged(&reader->file, "the sum of its seal is none");
    memcpy(expected, a->data, EEX__SEAL_HEX - 1);
    EEX_TRY(read_seal(reader, expected));
    EEX_TRY(check_objects(reader));
    reader->is_sealed = true;
    return EEX_OK;
}

/* What is packed more than so many times counts against what the file may unpack to, once. */
static int check_unpacking(eex__reader *reader, eex__h5_array *array)
{
    enum { USUAL = 64 };
    const uint64_t stored = array->chunks.stored, bytes = array->count * array->type.size;
    if (array->counted || array->layout.storage != EEX__H5_CHUNKED || bytes / USUAL <= stored)
        return EEX_OK;
    const uint64_t beyond = bytes - USUAL * stored;
    if (beyond > reader->unpacked_left)
        return eex__h5_refused(&reader->file,
                               "its %llu bytes are packed in %llu: with what was read before, more "
                               "than is unpacked from a file of %llu bytes; write it without "
                               "compression",
                               (unsigned long long)bytes, (unsigned long long)stored,
                               (unsigned long long)reader->file.size);
    reader->unpacked_left -= beyond;
    array->counted = true;
    return EEX_OK;
}

int eex__reader_read(void *out, eex__reader *reader, eex__h5_array *array, const char *name)
{
    uint64_t rows = array->space.rank > 0 ? array->space.extent[0] : 1;
    EEX_TRY(eex__h5_array_locate(array, &reader->file));
    EEX_TRY(check_unpacking(reader, array));
    EEX_TRY(eex__h5_array_read(out, &reader->file, array, &reader->chunk, 0, rows));
    const eex__seal_entry *entry = reader->is_sealed ? eex__seal_find(&reader->seal, name) : NULL;
    if (entry && entry->content != eex_xxh64_of(out, array->count * array->type.size))
        return eex__h5_damaged(&reader->file, "its content is not that of the file's seal");
    return EEX_OK;
}
