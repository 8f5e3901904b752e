#include "core/store/h5_type.h"

#include "core/store/h5_bytes.h"

#include "base/status.h"

#include <string.h>

static const char *const class_names[] = {
    "integers",     "floats",    "times",      "strings",      "bit fields",
    "opaque bytes", "compounds", "references", "enumerations", "elements of variable length",
    "arrays",
};

static bool is_whole_word(uint32_t size)
{
    return size == 1 || size == 2 || size == 4 || size == 8;
}

/* All bits of the element, from the first on. */
static bool integer_fits(const eex__h5_type *type, eex__h5_bytes *bytes)
{
    uint64_t offset = eex__h5_number(bytes, 2), bits = eex__h5_number(bytes, 2);
    return is_whole_word(type->size) && offset == 0 && bits == 8ULL * type->size;
}

/* Sign, exponent and mantissa as IEEE 754 has them. */
static bool float_fits(const eex__h5_type *type, uint32_t flags, eex__h5_bytes *bytes)
{
    static const uint8_t exponent[9] = {[2] = 5, [4] = 8, [8] = 11};
    uint64_t bits = 8ULL * type->size;
    bool fits = type->size <= 8 && exponent[type->size] > 0;
    uint64_t mantissa = fits ? bits - 1 - exponent[type->size] : 0;
    fits = fits && eex__h5_number(bytes, 2) == 0 && eex__h5_number(bytes, 2) == bits;
    fits = fits && eex__h5_number(bytes, 1) == mantissa;
    fits = fits && eex__h5_number(bytes, 1) == exponent[type->size];
    fits = fits && eex__h5_number(bytes, 1) == 0 && eex__h5_number(bytes, 1) == mantissa;
    fits = fits && eex__h5_number(bytes, 4) == (1ULL << (exponent[type->size] - 1)) - 1;
    bool implied_bit = (flags >> 4 & 3) == 2, vax = flags >> 6 & 1;
    return fits && implied_bit && !vax && (flags >> 8 & 0xff) == bits - 1;
}

int eex__h5_type_parse(eex__h5_type *out, const eex__h5_file *file, const uint8_t *data,
                       size_t size)
{
    eex__h5_bytes bytes = eex__h5_bytes_of(data, size);
    unsigned head = eex__h5_byte(&bytes), class = head & 15, version = head >> 4;
    uint32_t flags = (uint32_t)eex__h5_number(&bytes, 3);
    *out = (eex__h5_type){.class = EEX__H5_OTHER, .size = (uint32_t)eex__h5_number(&bytes, 4)};
    if (bytes.over || version == 0 || out->size == 0)
        return eex__h5_damaged(file, "its type is cut off, or empty");
    out->other = class < sizeof class_names / sizeof *class_names ? class_names[class] : "unknown";
    out->big_endian = flags & 1;
    out->has_sign = class == EEX__H5_INTEGER && flags >> 3 & 1;
    if (class == EEX__H5_INTEGER && integer_fits(out, &bytes))
        out->class = EEX__H5_INTEGER;
    else if (class == EEX__H5_FLOAT && float_fits(out, flags, &bytes))
        out->class = EEX__H5_FLOAT;
    else if (class == EEX__H5_STRING)
        out->class = EEX__H5_STRING;
    out->pads_with_spaces = out->class == EEX__H5_STRING && (flags & 15) == 2;
    return EEX_OK;
}

int eex__h5_space_parse(eex__h5_space *out, const eex__h5_file *file, const uint8_t *data,
                        size_t size)
{
    enum { SIMPLE = 1, NONE = 2 };
    eex__h5_bytes bytes = eex__h5_bytes_of(data, size);
    uint8_t version = eex__h5_byte(&bytes), rank = eex__h5_byte(&bytes);
    bool grows = eex__h5_byte(&bytes) & 1;
    uint8_t kind = eex__h5_byte(&bytes);
    *out = (eex__h5_space){.rank = rank};
    if (version == 1) {
        kind = SIMPLE;
        eex__h5_take(&bytes, 4);
    }
    if (version < 1 || version > 2 || rank > EEX__H5_MAX_RANK || kind > NONE)
        return eex__h5_damaged(file, "its extents are of an unknown kind");
    for (int i = 0; i < rank; i++)
        out->extent[i] = out->most[i] = eex__h5_number(&bytes, 8);
    for (int i = 0; i < rank && grows; i++) {
        out->most[i] = eex__h5_number(&bytes, 8);
        if (out->most[i] < out->extent[i])
            return eex__h5_damaged(file, "its extents are larger than they may become");
    }
    if (bytes.over)
        return eex__h5_damaged(file, "its extents are cut off");
    if (kind == NONE)
        out->rank = -1;
    return EEX_OK;
}

int eex__h5_space_count(uint64_t *out, const eex__h5_file *file, const eex__h5_space *space)
{
    *out = space->rank >= 0;
    for (int i = 0; i < space->rank; i++)
        if (space->extent[i] == 0)
            *out = 0;
    for (int i = 0; i < space->rank && *out; i++) {
        if (*out > (UINT64_MAX >> 4) / space->extent[i])
            return eex__h5_refused(file, "its extents are out of range");
        *out *= space->extent[i];
    }
    return EEX_OK;
}

void eex__h5_to_little_endian(void *data, uint64_t count, const eex__h5_type *type)
{
    uint8_t *at = data;
    if (!type->big_endian || (type->class != EEX__H5_INTEGER && type->class != EEX__H5_FLOAT))
        return;
    for (; count > 0; count--, at += type->size)
        for (uint32_t i = 0; i < type->size / 2; i++) {
            uint8_t kept = at[i];
            at[i] = at[type->size - 1 - i];
            at[type->size - 1 - i] = kept;
        }
}
