#include "core/store/h5_object.h"

#include "core/store/h5_bytes.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* An object that eex or h5py writes has one or a few; one that grew by many attributes some more.
 */
enum { MAX_BLOCKS = 1000, MAX_BYTES = 1 << 26 };

/* Of a header's flags. */
enum { SIZE_BITS = 0x03, ATTRIBUTE_ORDER = 0x04, ATTRIBUTE_LIMITS = 0x10, TIMES = 0x20 };

/* Of a message's flags. */
enum { SHARED = 0x02, MUST_BE_KNOWN = 0x80 };

static const char what_header[] = "the object's header";

static int add_block(eex__h5_object *object, const eex__h5_file *file, uint64_t address,
                     uint64_t size, const char *signature)
{
    uint8_t *data;
    for (size_t i = 0; i < object->blocks; i++)
        if (object->block[i].address == address)
            return eex__h5_damaged(file, "its header continues in itself");
    object->bytes += size < MAX_BYTES ? size : MAX_BYTES;
    if (object->bytes > file->size)
        return eex__h5_damaged(file, "its header lies outside of the file");
    if (object->blocks == MAX_BLOCKS || object->bytes >= MAX_BYTES)
        return eex__h5_refused(file, "its header is too large to be read");
    eex__h5_block *block = eex__h5_grown(object->block, object->blocks, sizeof *block);
    if (!block)
        return eex__h5_no_memory(file);
    object->block = block;
    EEX_TRY(eex__h5_read_block(&data, file, address, size, signature, what_header));
    object->block[object->blocks++] = (eex__h5_block){address, size, data};
    return EEX_OK;
}

static int add_message(eex__h5_object *object, const eex__h5_file *file, eex__h5_message message)
{
    if (message.type == EEX__H5_NIL)
        return EEX_OK;
    if (message.type >= EEX__H5_MESSAGE_TYPES) {
        if (message.flags & MUST_BE_KNOWN)
            return eex__h5_refused(file, "its header holds something of a newer HDF5 (%d)",
                                   message.type);
        return EEX_OK;
    }
    eex__h5_message *list = eex__h5_grown(object->message, object->messages, sizeof *list);
    if (!list)
        return eex__h5_no_memory(file);
    object->message = list;
    object->message[object->messages++] = message;
    return EEX_OK;
}

static int add_continuation(eex__h5_object *object, const eex__h5_file *file,
                            eex__h5_message message)
{
    eex__h5_bytes data = eex__h5_bytes_of(message.data, message.size);
    uint64_t address = eex__h5_number(&data, 8), size = eex__h5_number(&data, 8);
    if (data.over)
        return eex__h5_damaged(file, "its header continues nowhere");
    return add_block(object, file, address, size, "OCHK");
}

/* What is left after the last message and too small for another is a gap. */
static int read_messages(eex__h5_object *object, const eex__h5_file *file, eex__h5_bytes bytes,
                         unsigned flags)
{
    size_t head = flags & ATTRIBUTE_ORDER ? 6 : 4;
    while (bytes.left >= head) {
        eex__h5_message message = {.type = eex__h5_byte(&bytes)};
        message.size = (uint16_t)eex__h5_number(&bytes, 2);
        message.flags = eex__h5_byte(&bytes);
        eex__h5_take(&bytes, head - 4);
        message.data = eex__h5_take(&bytes, message.size);
        if (bytes.over)
            return eex__h5_damaged(file, "a message of its header does not end");
        if (message.type == EEX__H5_CONTINUATION)
            EEX_TRY(add_continuation(object, file, message));
        else
            EEX_TRY(add_message(object, file, message));
    }
    return EEX_OK;
}

/* Reads the prefix, which says how large the first block is, then the block with it. */
static int read_first(eex__h5_object *object, const eex__h5_file *file, eex__h5_bytes *messages,
                      unsigned *flags)
{
    enum { LONGEST = 6 + 16 + 4 + 8 };
    uint8_t head[LONGEST] = {0};
    uint64_t address = object->address;
    uint64_t there = address < file->size ? file->size - address : 0;
    EEX_TRY(eex__h5_read(head, file, address, there < LONGEST ? there : LONGEST, what_header));
    if (memcmp(head, "OHDR", 4) != 0)
        return eex__h5_damaged(file, "its header is not where it should be, at byte %llu",
                               (unsigned long long)address);
    if (head[4] != 2)
        return eex__h5_damaged(file, "a header of version %d, expected 2", head[4]);
    *flags = head[5];
    size_t length = 6 + (*flags & TIMES ? 16 : 0) + (*flags & ATTRIBUTE_LIMITS ? 4 : 0);
    size_t width = (size_t)1 << (*flags & SIZE_BITS);
    eex__h5_bytes bytes = eex__h5_bytes_of(head + length, width);
    uint64_t size = eex__h5_number(&bytes, width);
    if (size > file->size)
        return eex__h5_damaged(file, "its header lies outside of the file");
    length += width;
    EEX_TRY(add_block(object, file, address, length + size + 4, "OHDR"));
    *messages = eex__h5_bytes_of(object->block[0].data + length, size);
    return EEX_OK;
}

static void decide_kind(eex__h5_object *object)
{
    bool has[EEX__H5_MESSAGE_TYPES] = {false};
    for (size_t i = 0; i < object->messages; i++)
        has[object->message[i].type] = true;
    object->kind = EEX__H5_NEITHER;
    if (has[EEX__H5_LINK_INFO] || has[EEX__H5_SYMBOL_TABLE])
        object->kind = EEX__H5_GROUP;
    else if (has[EEX__H5_LAYOUT] || has[EEX__H5_DATASPACE])
        object->kind = EEX__H5_ARRAY;
}

static int read_blocks(eex__h5_object *object, const eex__h5_file *file)
{
    eex__h5_bytes messages;
    unsigned flags = 0;
    EEX_TRY(read_first(object, file, &messages, &flags));
    EEX_TRY(read_messages(object, file, messages, flags));
    for (size_t i = 1; i < object->blocks; i++) { /* which may find more of them */
        const eex__h5_block *b = &object->block[i];
        EEX_TRY(read_messages(object, file, eex__h5_bytes_of(b->data + 4, b->size - 8), flags));
    }
    return EEX_OK;
}

int eex__h5_object_read(eex__h5_object *out, const eex__h5_file *file, uint64_t address)
{
    *out = (eex__h5_object){.address = address};
    int code = read_blocks(out, file);
    if (code < 0)
        eex__h5_object_free(out);
    else
        decide_kind(out);
    return code;
}

void eex__h5_object_free(eex__h5_object *object)
{
    for (size_t i = 0; i < object->blocks; i++)
        free(object->block[i].data);
    free(object->block);
    free(object->message);
    *object = (eex__h5_object){0};
}

int eex__h5_object_find(const eex__h5_message **out, const eex__h5_file *file,
                        const eex__h5_object *object, eex__h5_message_type type)
{
    *out = NULL;
    for (size_t i = 0; i < object->messages; i++) {
        if (object->message[i].type != type)
            continue;
        if (*out)
            return eex__h5_damaged(file, "its header says something twice (%d)", type);
        *out = &object->message[i];
    }
    if (*out && (*out)->flags & SHARED)
        return eex__h5_refused(file, "its header keeps a part elsewhere (%s), which is not read",
                               type == EEX__H5_DATATYPE ? "a committed type" : "a shared message");
    return EEX_OK;
}
