#include "device/backends.h"

#include "base/status.h"

#include <stdio.h>
#include <string.h>

enum { MAX_KINDS = 8 };

static struct {
    const char *kind;
    eex_device_opener open;
} backends[MAX_KINDS];
static int backend_count;

/* Index of the backend whose name is the first `length` characters of `kind`, or -1. */
static int backend_find(const char *kind, size_t length)
{
    for (int i = 0; i < backend_count; i++)
        if (strlen(backends[i].kind) == length && memcmp(backends[i].kind, kind, length) == 0)
            return i;
    return -1;
}

int eex_device_register(const char *kind, eex_device_opener open)
{
    if (!kind || !*kind || !open)
        return eex_fail(EEX_EINVAL, "a device backend needs a name and a function that opens it");
    int i = backend_find(kind, strlen(kind));
    if (i < 0) {
        if (backend_count == MAX_KINDS)
            return eex_fail(EEX_EINVAL, "device backend \"%s\": the table of %d backends is full",
                            kind, MAX_KINDS);
        i = backend_count++;
    }
    backends[i].kind = kind;
    backends[i].open = open;
    return EEX_OK;
}

const char *eex_device_kind(int i)
{
    return i >= 0 && i < backend_count ? backends[i].kind : NULL;
}

static int backend_missing(const char *spec)
{
    char have[256] = "";
    for (int i = 0; i < backend_count; i++) {
        size_t used = strlen(have);
        snprintf(have + used, sizeof have - used, "%s%s", i ? ", " : "", backends[i].kind);
    }
    return eex_fail(EEX_ENOTFOUND, "no device \"%s\": this build has %s", spec,
                    backend_count ? have : "none");
}

int eex_device_open(eex_device **out, const char *spec, const eex_device_options *options)
{
    static const eex_device_options defaults;
    EEX_NEED(out, "place for the device");
    *out = NULL;
    if (!spec)
        return eex_fail(EEX_EINVAL, "no device named: \"cpu\" is always there");
    const char *colon = strchr(spec, ':');
    int i = backend_find(spec, colon ? (size_t)(colon - spec) : strlen(spec));
    if (i < 0)
        return backend_missing(spec);
    return backends[i].open(out, colon ? colon + 1 : NULL, options ? options : &defaults);
}
