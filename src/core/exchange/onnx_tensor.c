/* Names and tensors of ONNX files. */
#include "core/exchange/onnx_file.h"
#include "core/exchange/proto_read.h"

#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* DataType */
enum { FLOAT = 1, INT32 = 6, INT64 = 7, DOUBLE = 11 };

/* ---- texts ---- */

bool eex__text_is(eex__text text, const char *word)
{
    return text.size == strlen(word) && memcmp(text.at, word, text.size) == 0;
}

bool eex__text_same(eex__text a, eex__text b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

const char *eex__text_show(char out[EEX__SHOWN], eex__text text)
{
    snprintf(out, EEX__SHOWN, "%.*s", (int)(text.size < 60 ? text.size : 60),
             text.at ? text.at : "");
    eex_text_disarm(out, "");
    return out;
}

int eex__onnx_check_name(eex__text name)
{
    return name.size < EEX__ONNX_TEXT && (name.size == 0 || !memchr(name.at, 0, name.size))
               ? EEX_OK
               : eex_fail(EEX_EFORMAT, "a name of %zu bytes: expected less than %d, and text",
                          name.size, EEX__ONNX_TEXT);
}

/* ---- tensors ---- */

static size_t element_size(int type)
{
    static const uint8_t sizes[] = {
        [FLOAT] = 4, [2] = 1,  [3] = 1,      [4] = 2,  [5] = 2,  [INT32] = 4, [INT64] = 8,
        [9] = 1,     [10] = 2, [DOUBLE] = 8, [12] = 4, [13] = 8, [14] = 8,    [16] = 2};
    return type >= 0 && (size_t)type < sizeof sizes ? sizes[type] : 0;
}

/* Whose numbers are read. */
static bool is_known(int type)
{
    return type == FLOAT || type == DOUBLE || type == INT64;
}

/* Elements of an unknown size cannot be compared with the bytes: nobody reads them. A dimension of
 * 0 makes no exception of it, or bytes would be there that no shape speaks of. */
static int check_bytes(const eex__onnx_tensor *t, uint64_t size)
{
    char name[EEX__SHOWN];
    if (t->data && size == 0)
        return eex_fail(EEX_EUNSUPPORTED,
                        "tensor \"%s\" is of type %d, whose elements have no known size: weights "
                        "are expected as float32",
                        eex__text_show(name, t->name), t->type);
    if (is_known(t->type) && !t->data && t->list.size == 0 && t->count > 0)
        return eex_fail(EEX_EFORMAT, "tensor \"%s\" has a shape of %llu numbers and none of them",
                        eex__text_show(name, t->name), (unsigned long long)t->count);
    if (t->data && t->count * size != t->bytes)
        return eex_fail(EEX_EFORMAT,
                        "tensor \"%s\" of type %d has a shape of %llu bytes and %zu bytes: weights "
                        "are expected as float32",
                        eex__text_show(name, t->name), t->type,
                        (unsigned long long)(t->count * size), t->bytes);
    return EEX_OK;
}

static int count_elements(eex__onnx_tensor *t)
{
    char name[EEX__SHOWN];
    const uint64_t size = element_size(t->type);
    uint64_t bytes = size ? size : 1;
    t->count = 1;
    for (int d = 0; d < t->rank; d++) {
        if (t->shape[d] < 0 || __builtin_mul_overflow(bytes, (uint64_t)t->shape[d], &bytes))
            return eex_fail(EEX_EFORMAT, "tensor \"%s\" has a shape that cannot be",
                            eex__text_show(name, t->name));
        t->count *= (uint64_t)t->shape[d];
    }
    return check_bytes(t, size);
}

static int add_dimension(eex__onnx_tensor *t, uint64_t size)
{
    if (t->rank == EEX__ONNX_RANK)
        return eex_fail(EEX_EFORMAT, "a tensor of more than %d dimensions", EEX__ONNX_RANK);
    t->shape[t->rank++] = (int64_t)size;
    return EEX_OK;
}

/* Dimensions are packed, or each a field. */
static int read_dimensions(eex__onnx_tensor *t, const eex__proto_field *f)
{
    eex__text packed = f->content;
    uint64_t size = 0;
    int code;
    if (!f->within)
        return add_dimension(t, f->value);
    while ((code = eex__proto_varint(&size, &packed)) == 1)
        EEX_TRY(add_dimension(t, size));
    return code;
}

static void set_data(eex__onnx_tensor *t, eex__text content)
{
    t->data = (const uint8_t *)content.at;
    t->bytes = content.size;
}

static int read_tensor_field(eex__onnx_tensor *t, const eex__proto_field *f)
{
    switch (f->number) {
    case 1:
        return read_dimensions(t, f);
    case 2:
        t->type = f->value < 1000 ? (int)f->value : 0;
        return EEX_OK;
    case 4:  /* float_data */
    case 9:  /* raw_data */
    case 10: /* double_data */
        if (!f->within)
            return eex_fail(EEX_EFORMAT, "a tensor whose numbers are not packed");
        set_data(t, f->content);
        return EEX_OK;
    case 5: /* int32_data */
    case 7: /* int64_data */
        t->list = f->content;
        return EEX_OK;
    case 8:
        t->name = f->content;
        return EEX_OK;
    case 13: /* external_data */
        return eex_fail(EEX_EUNSUPPORTED, "weights in a file beside it: store them in the model");
    default:
        return EEX_OK;
    }
}

int eex__onnx_read_tensor(eex__onnx_tensor *t, eex__text message)
{
    eex__proto_field f;
    int code;
    *t = (eex__onnx_tensor){.type = 0};
    while ((code = eex__proto_next(&f, &message)) == 1)
        EEX_TRY(read_tensor_field(t, &f));
    EEX_TRY(code);
    EEX_TRY(eex__onnx_check_name(t->name));
    return count_elements(t);
}

static double element(const eex__onnx_tensor *t, uint64_t i)
{
    float narrow;
    double wide;
    int64_t whole;
    switch (t->type) {
    case FLOAT:
        memcpy(&narrow, t->data + 4 * i, 4);
        return (double)narrow;
    case DOUBLE:
        memcpy(&wide, t->data + 8 * i, 8);
        return wide;
    default:
        memcpy(&whole, t->data + 8 * i, 8);
        return (double)whole;
    }
}

int eex__onnx_check_floats(const eex__onnx_tensor *t)
{
    char name[EEX__SHOWN];
    if (!is_known(t->type))
        return eex_fail(EEX_EUNSUPPORTED, "tensor \"%s\" is of type %d: expected 1, float32",
                        eex__text_show(name, t->name), t->type);
    if (!t->data && t->count > 0)
        return eex_fail(EEX_EUNSUPPORTED,
                        "tensor \"%s\" has no numbers of type %d: expected raw_data of float32",
                        eex__text_show(name, t->name), t->type);
    return EEX_OK;
}

int eex__onnx_floats_of(float *out, const eex__onnx_tensor *t)
{
    char name[EEX__SHOWN];
    EEX_TRY(eex__onnx_check_floats(t));
    for (uint64_t i = 0; i < t->count; i++) {
        out[i] = (float)element(t, i);
        if (!isfinite(out[i]))
            return eex_fail(EEX_EFORMAT, "tensor \"%s\": element %llu is %g",
                            eex__text_show(name, t->name), (unsigned long long)i, (double)out[i]);
    }
    return EEX_OK;
}

static int64_t whole_element(const eex__onnx_tensor *t, uint64_t i)
{
    int32_t narrow;
    int64_t wide;
    if (t->type == INT64)
        return memcpy(&wide, t->data + 8 * i, 8), wide;
    return memcpy(&narrow, t->data + 4 * i, 4), narrow;
}

int eex__onnx_ints_of(int64_t *out, int most, const eex__onnx_tensor *t)
{
    eex__text list = t->list;
    uint64_t value = 0;
    int count = 0;
    if ((t->type != INT64 && t->type != INT32) || t->count > (uint64_t)most)
        return -1;
    for (; t->data && (uint64_t)count < t->count; count++)
        out[count] = whole_element(t, (uint64_t)count);
    if (t->data)
        return count;
    while ((uint64_t)count < t->count && eex__proto_varint(&value, &list) == 1)
        out[count++] = t->type == INT32 ? (int32_t)value : (int64_t)value;
    return (uint64_t)count == t->count && list.size == 0 ? count : -1;
}
