#include "core/model/narrowed.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>

enum { VERSION = 1, MOST = 1 << 28, NAME = 128 };

static const char *const parts[] = {"calibration", "validation"};

void eex_narrowed_free(eex_narrowed *n)
{
    free(n->top[0]);
    free(n->top[1]);
    *n = (eex_narrowed){.count = 0};
}

int eex_narrowed_save(const eex_narrowed *n, eex_store_file *file, const char *group)
{
    char name[NAME];
    int32_t channels[EEX_NARROWINGS];
    const eex_store_shape shape = {1, {(uint64_t)n->count}};
    if (n->count == 0)
        return EEX_OK;
    for (int i = 0; i < n->count; i++)
        channels[i] = n->channels[i];
    EEX_TRY(eex_store_make_group(file, group));
    EEX_TRY(eex_store_set_int(file, group, "of", n->of));
    snprintf(name, sizeof name, "%s/channels", group);
    EEX_TRY(eex_store_write(file, name, EEX_STORE_I32, &shape, channels));
    for (int i = 0; i < 2; i++) {
        const eex_store_shape rows = {2, {(uint64_t)n->count, (uint64_t)n->samples[i]}};
        snprintf(name, sizeof name, "%s/%s", group, parts[i]);
        EEX_TRY(eex_store_write_packed(file, name, EEX_STORE_I32, &rows, n->top[i]));
    }
    return EEX_OK;
}

static int load_channels(eex_narrowed *n, eex_store_file *file, const char *group)
{
    char name[NAME];
    int32_t *channels = NULL;
    int64_t of;
    eex_store_shape shape = {1, {EEX_STORE_ANY}};
    EEX_TRY(eex_store_get_int(&of, file, group, "of"));
    snprintf(name, sizeof name, "%s/channels", group);
    EEX_TRY(eex_store_read_new((void **)&channels, file, name, EEX_STORE_I32, &shape,
                               EEX_NARROWINGS * sizeof *channels));
    n->count = (int)shape.extent[0];
    n->of = (int)of;
    bool fits = of > 0 && of < INT32_MAX && n->count >= 1 && n->count <= EEX_NARROWINGS;
    for (int i = 0; fits && i < n->count; i++) {
        fits = channels[i] >= 1 && channels[i] < (i ? channels[i - 1] : of);
        n->channels[i] = channels[i];
    }
    free(channels);
    return fits
               ? EEX_OK
               : eex_store_refuse(file,
                                  "%s: 1 to %d numbers of channels expected, fewer from one to the "
                                  "next",
                                  name, EEX_NARROWINGS);
}

static int load(eex_narrowed *n, eex_store_file *file, const char *group)
{
    char name[NAME];
    EEX_TRY(load_channels(n, file, group));
    for (int i = 0; i < 2; i++) {
        eex_store_shape shape = {2, {(uint64_t)n->count, EEX_STORE_ANY}};
        snprintf(name, sizeof name, "%s/%s", group, parts[i]);
        EEX_TRY(eex_store_read_new((void **)&n->top[i], file, name, EEX_STORE_I32, &shape, MOST));
        if (shape.extent[1] < 1 || shape.extent[1] > INT32_MAX)
            return eex_store_refuse(file, "%s of %llu images", name,
                                    (unsigned long long)shape.extent[1]);
        n->samples[i] = (int)shape.extent[1];
    }
    return EEX_OK;
}

int eex_narrowed_load(eex_narrowed *out, eex_store_file *file, const char *group)
{
    *out = (eex_narrowed){.count = 0};
    if (!eex_store_has(file, group))
        return EEX_OK;
    const int code = load(out, file, group);
    if (code < 0)
        eex_narrowed_free(out);
    return code;
}

static int use(eex_store_file *file, void *context)
{
    return eex_narrowed_load(context, file, "narrowed");
}

int eex_narrowed_read(eex_narrowed *out, const char *path)
{
    *out = (eex_narrowed){.count = 0};
    return eex_store_read_file(path, "weights", VERSION, use, out);
}
