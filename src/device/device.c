/* What all devices have in common. */
#include "device/device.h"

#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Recursive, so that what is built on engines need not know whether they lock. */
static int make_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;
    if (pthread_mutexattr_init(&attributes) != 0)
        return eex_fail(EEX_ENOMEM, "out of memory for a device's lock");
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    const int error = pthread_mutex_init(lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    return error == 0 ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for a device's lock");
}

int eex_device_init(eex_device *dev, const eex_device_vtable *vtable)
{
    EEX_NEED(dev, "device");
    EEX_NEED(vtable, "functions");
    dev->vtable = vtable;
    dev->process = getpid();
    return make_lock(&dev->lock);
}

void eex_device_destroy(eex_device *dev)
{
    if (dev)
        pthread_mutex_destroy(&dev->lock);
}

int eex_device_hold(eex_device *dev, size_t bytes)
{
    EEX_NEED(dev, "device");
    dev->full = dev->memory && (dev->held > dev->memory || bytes > dev->memory - dev->held);
    if (dev->full)
        return eex_fail(EEX_ENOMEM, "%s: %zu MiB and %zu more are above its limit of %zu MiB",
                        dev->name, dev->held >> 20, (bytes >> 20) + 1, dev->memory >> 20);
    dev->held += bytes;
    return EEX_OK;
}

int eex_device_calculates(const eex_device *dev, eex_precision precision)
{
    EEX_NEED(dev, "device");
    if ((unsigned)precision < EEX_PRECISIONS && (dev->precisions & 1u << precision))
        return EEX_OK;
    return eex_fail(EEX_EUNSUPPORTED, "%s does not calculate in %s; float32 works everywhere",
                    dev->name,
                    (unsigned)precision < EEX_PRECISIONS ? eex_precision_name(precision)
                                                         : "a precision that there is none of");
}

/* A forked child has neither the threads of its parent's devices nor their contexts, and perhaps a
 * lock that nobody will open. */
static bool is_here(const eex_device *dev)
{
    return dev->process == getpid();
}

int eex_device_lock(eex_device *dev)
{
    EEX_NEED(dev, "device");
    if (!is_here(dev))
        return eex_fail(
            EEX_EDEVICE,
            "%s was opened by process %ld, from which this one was forked: it cannot be "
            "used here; open a device and what runs on it in this process",
            dev->name, (long)dev->process);
    pthread_mutex_lock(&dev->lock);
    const int code = dev->vtable->enter ? dev->vtable->enter(dev) : EEX_OK;
    if (code < 0)
        pthread_mutex_unlock(&dev->lock);
    return code;
}

void eex_device_unlock(eex_device *dev)
{
    if (dev)
        pthread_mutex_unlock(&dev->lock);
}

void eex_device_close(eex_device *dev)
{
    if (!dev || !is_here(dev))
        return;
    if (dev->vtable->enter)
        (void)dev->vtable->enter(dev); /* whichever thread this is */
    dev->vtable->close(dev);
}

/* ---- uploads beside what runs ---- */

int eex_device_ahead(eex_device *dev, const void *from_host, size_t bytes)
{
    EEX_NEED(dev, "device");
    EEX_NEED(from_host, "memory");
    if (!dev->vtable->ahead || bytes == 0)
        return EEX_OK;
    EEX_TRY(eex_device_lock(dev));
    const int code = dev->vtable->ahead(dev, from_host, bytes);
    eex_device_unlock(dev);
    return code;
}

int eex_device_withdraw(eex_device *dev, const void *from_host)
{
    EEX_NEED(dev, "device");
    EEX_NEED(from_host, "memory");
    if (!dev->vtable->withdraw)
        return EEX_OK;
    EEX_TRY(eex_device_lock(dev));
    const int code = dev->vtable->withdraw(dev, from_host);
    eex_device_unlock(dev);
    return code;
}

int eex_device_host_allocate(eex_device *dev, void **out, size_t bytes)
{
    EEX_NEED(dev, "device");
    EEX_NEED(out, "place for the memory");
    *out = NULL;
    if (!dev->vtable->host_allocate) {
        *out = malloc(bytes ? bytes : 1);
        return *out ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for %zu bytes", bytes);
    }
    EEX_TRY(eex_device_lock(dev));
    const int code = dev->vtable->host_allocate(dev, out, bytes);
    eex_device_unlock(dev);
    return code;
}

void eex_device_host_release(eex_device *dev, void *memory)
{
    if (!dev || !memory)
        return;
    if (!dev->vtable->host_release) {
        free(memory);
    } else if (eex_device_lock(dev) == EEX_OK) {
        dev->vtable->host_release(dev, memory);
        eex_device_unlock(dev);
    }
}

/* ---- names for profilers ---- */

void eex_device_range(eex_device *dev, const char *format, ...)
{
    if (!dev || !format || !dev->vtable->range_begin)
        return;
    char name[160];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    dev->vtable->range_begin(dev, name);
}

void eex_device_range_end(eex_device *dev)
{
    if (dev && dev->vtable->range_end)
        dev->vtable->range_end(dev);
}
