/* Opening safetensors files and reading their values. */
#include "core/exchange/safetensors_impl.h"
#include "core/store/h5_file.h"

#include "base/fs.h"
#include "base/status.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LENGTH = 8, BLOCK = 1 << 16 };
_Static_assert((int)LENGTH == (int)EEX__H5_SIGNATURE,
               "a file's first bytes are looked at as either");

/* ---- bytes ---- */

static uint64_t little_endian(const uint8_t *bytes, int count)
{
    uint64_t value = 0;
    for (int i = count - 1; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

static int read_at(const eex_safetensors *f, void *out, size_t size, uint64_t at)
{
    for (char *to = out; size > 0;) {
        const ssize_t got = pread(f->fd, to, size, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return eex_fail(EEX_EIO, "cannot read %s: %s", f->path, strerror(errno));
        if (got == 0)
            return eex_fail(EEX_EFORMAT, "%s ends at byte %llu: the file is truncated", f->path,
                            (unsigned long long)at);
        to += got;
        at += (uint64_t)got;
        size -= (size_t)got;
    }
    return EEX_OK;
}

/* ---- opening ---- */

static int check_length(const eex_safetensors *f, uint64_t length, uint64_t held)
{
    if (length > held - LENGTH)
        return eex_fail(EEX_EFORMAT,
                        "%s: a header of %llu bytes in a file of %llu: the file is truncated, or "
                        "no safetensors file",
                        f->path, (unsigned long long)length, (unsigned long long)held);
    if (length > EEX_SAFETENSORS_HEADER)
        return eex_fail(EEX_EFORMAT, "%s: a header of %llu bytes, more than %d", f->path,
                        (unsigned long long)length, EEX_SAFETENSORS_HEADER);
    return EEX_OK;
}

static int read_header(eex_safetensors *f)
{
    uint8_t bytes[LENGTH];
    uint64_t held = 0;
    EEX_TRY(eex_fs_size(&held, f->path));
    if (held < LENGTH)
        return eex_fail(EEX_EFORMAT, "%s has %llu bytes: no safetensors file is so short", f->path,
                        (unsigned long long)held);
    EEX_TRY(read_at(f, bytes, LENGTH, 0));
    if (eex__h5_begins(bytes)) /* what eex itself writes is taken for safetensors now and then */
        return eex_fail(
            EEX_EFORMAT,
            "%s is HDF5, not safetensors: a model of eex needs no import, an experiment "
            "begins with it by --set training.init=%s",
            f->path, f->path);
    const uint64_t length = little_endian(bytes, LENGTH);
    EEX_TRY(check_length(f, length, held));
    f->data = LENGTH + length;
    f->size = held - f->data;
    char *text = malloc((size_t)length + 1);
    if (!text)
        return eex_fail(EEX_ENOMEM, "%s: out of memory for its header", f->path);
    int code = read_at(f, text, (size_t)length, LENGTH);
    if (code == EEX_OK) {
        code = eex__safetensors_header(f, text, (size_t)length);
        if (code < 0)
            eex_fail_in(code, "%s: the header", f->path);
    }
    free(text);
    return code;
}

int eex_safetensors_open(eex_safetensors **out, const char *path)
{
    EEX_NEED(out, "place for the file");
    *out = NULL;
    EEX_NEED(path, "path");
    eex_safetensors *f = calloc(1, sizeof *f);
    if (!f)
        return eex_fail(EEX_ENOMEM, "%s: out of memory", path);
    f->fd = -1;
    f->path = strdup(path);
    int code =
        f->path ? eex_fs_open(&f->fd, path) : eex_fail(EEX_ENOMEM, "%s: out of memory", path);
    if (code == EEX_OK)
        code = read_header(f);
    if (code < 0) {
        eex_safetensors_close(f);
        return code;
    }
    *out = f;
    return EEX_OK;
}

void eex_safetensors_close(eex_safetensors *f)
{
    if (!f)
        return;
    if (f->fd >= 0)
        close(f->fd);
    eex_arena_free(&f->arena);
    free(f->tensor);
    free(f->path);
    free(f);
}

/* ---- looking ---- */

const char *eex_safetensors_path(const eex_safetensors *f)
{
    return f ? f->path : "";
}

int eex_safetensors_count(const eex_safetensors *f)
{
    return f ? f->count : 0;
}

const eex_tensor *eex_safetensors_at(const eex_safetensors *f, int i)
{
    return f && i >= 0 && i < f->count ? &f->tensor[i] : NULL;
}

int eex_safetensors_find(const eex_safetensors *f, const char *name)
{
    int low = 0, high = f && name ? f->count : 0;
    while (low < high) {
        const int middle = low + (high - low) / 2, order = strcmp(f->tensor[middle].name, name);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

/* ---- values ---- */

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* IEEE 754 binary16. */
static float from_half(uint32_t half)
{
    const uint32_t exponent = half >> 10 & 31, fraction = half & 1023;
    float size;
    if (exponent == 31)
        size = fraction ? NAN : INFINITY;
    else
        size = ldexpf((float)(exponent ? fraction + 1024 : fraction),
                      (int)(exponent ? exponent : 1) - 25);
    return half & 0x8000 ? -size : size;
}

static float element(const eex_tensor *t, const uint8_t *bytes)
{
    const uint64_t bits = little_endian(bytes, t->bytes);
    double wide;
    switch (t->bytes) {
    case 8:
        memcpy(&wide, &bits, sizeof wide);
        return (float)wide;
    case 4:
        return from_bits((uint32_t)bits);
    default:
        return t->type[0] == 'B' ? from_bits((uint32_t)bits << 16) : from_half((uint32_t)bits);
    }
}

static int read_block(float *values, const eex_safetensors *f, const eex_tensor *t, uint64_t from,
                      size_t count)
{
    uint8_t block[BLOCK];
    EEX_TRY(read_at(f, block, count * (size_t)t->bytes,
                    f->data + t->begin + from * (uint64_t)t->bytes));
    for (size_t i = 0; i < count; i++) {
        values[i] = element(t, block + i * (size_t)t->bytes);
        if (!isfinite(values[i]))
            return eex_fail(EEX_EFORMAT, "%s: element %llu of \"%s\" is %g: no finite float32",
                            f->path, (unsigned long long)(from + i), t->name, (double)values[i]);
    }
    return EEX_OK;
}

int eex_safetensors_read(float *values, const eex_safetensors *f, int i)
{
    EEX_NEED(values, "place for values");
    EEX_NEED(f, "file");
    const eex_tensor *t = eex_safetensors_at(f, i);
    if (!t)
        return eex_fail(EEX_EINVAL, "%s has tensors 0 to %d, no %d", f->path, f->count - 1, i);
    if (!t->reads)
        return eex_fail(EEX_EINVAL, "%s: \"%s\" is of type %s: expected F32, F16, BF16 or F64",
                        f->path, t->name, t->type);
    const size_t most = BLOCK / (size_t)t->bytes;
    for (uint64_t from = 0; from < t->count; from += most) {
        const uint64_t left = t->count - from;
        EEX_TRY(read_block(values + from, f, t, from, left < most ? (size_t)left : most));
    }
    return EEX_OK;
}
