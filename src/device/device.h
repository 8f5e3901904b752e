/* The device interface: what src/core needs of a backend.
 *
 * A backend embeds eex_device as the first member of its own struct and fills `vtable`. Callbacks
 * return EEX_OK or a negative code with the message set. One device is used from one thread at a
 * time: engines and models lock it for as long as they use it (eex_device_lock), so that several of
 * them, each in a thread of its own, may share one. Whoever calls the vtable, plans or trainers
 * himself from more than one thread does the same. Different devices may be used at once.
 *
 * Backends announce themselves by kind (backends.h), so that nothing here knows which were built.
 */
#ifndef EEX_DEVICE_DEVICE_H
#define EEX_DEVICE_DEVICE_H

#include "device/op.h"

#include <pthread.h>
#include <sys/types.h>

typedef struct eex_device eex_device;

typedef struct eex_device_usage {
    size_t bytes, peak_bytes; /* device memory held now and at most */
    double joules;            /* energy since the device was opened; NaN where nobody measures */
} eex_device_usage;

/* A segment and the LEAVE behind it. */
typedef struct eex_link {
    const eex_op *ops;
    void *const *states;
    int count;
    const eex_op *leave;
    void *leave_state;
} eex_link;

/* Runs of a unit with a single input after which a device that learns how to run it has learnt. */
enum { EEX_SETTLING_RUNS = 64 };

typedef struct eex_device_vtable {
    const char *kind; /* "cpu", "cuda" */

    void (*close)(eex_device *dev);

    /* Makes what follows on the calling thread go to this device: called by eex_device_lock. May be
     * NULL: the device does not care for threads. */
    int (*enter)(eex_device *dev);

    /* Device memory, 64-byte aligned at least. *out belongs to the caller, who frees it with
     * `release`. Contents are undefined. release accepts NULL. */
    int (*allocate)(eex_device *dev, void **out, size_t bytes);
    void (*release)(eex_device *dev, void *memory);
    int (*upload)(eex_device *dev, void *to, const void *from_host, size_t bytes);
    int (*download)(eex_device *dev, void *to_host, const void *from, size_t bytes);
    int (*zero)(eex_device *dev, void *memory, size_t bytes);

    /* What the functions eex_device_ahead and the next three ask for; all of them or none. */
    int (*ahead)(eex_device *dev, const void *from_host, size_t bytes);
    int (*withdraw)(eex_device *dev, const void *from_host);
    int (*host_allocate)(eex_device *dev, void **out, size_t bytes);
    void (*host_release)(eex_device *dev, void *memory);

    /* Creates whatever the op needs to run with up to max_batch samples. *state may stay NULL. The
     * op is kept by pointer and must outlive the state. A device that tries several ways here reads
     * the op's residual for max_batch samples. `finish` accepts NULL state. */
    int (*prepare)(eex_device *dev, void **state, const eex_op *op, int max_batch);
    int (*run)(eex_device *dev, const eex_op *op, void *state, const eex_step *step);
    void (*finish)(eex_device *dev, const eex_op *op, void *state);

    /* Runs ops[0..count) in order, as one unit that will come again with the same pointers: the
     * device may record it, one recording a batch, and replay it, or learn how it runs fastest.
     * *recording starts as NULL, belongs to the caller and goes back with `forget` (which accepts
     * NULL) before any op, state or memory it knows changes. Both may be NULL: then the ops are run
     * one by one. */
    int (*run_unit)(eex_device *dev, void **recording, const eex_op *ops, void *const *states,
                    int count, const eex_step *step);
    void (*forget)(eex_device *dev, void *recording);

    /* Runs links one after the other for a single sample, as long as LEAVE leaves somebody, without
     * the host in between. Recordings as above, with forget_chain. *done = false: it cannot, and
     * nothing was run; the caller goes link by link. For devices with `chains`. */
    int (*run_chain)(eex_device *dev, void **recording, const eex_link *links, int count,
                     const eex_step *step, bool *done);
    void (*forget_chain)(eex_device *dev, void *recording);

    /* What each of ops[0..count) takes among the others, in the way that run_unit runs them:
     * ms[i * rounds + r] in round r, by the device's own clock. May be NULL: the host's clock times
     * ops then, and waits for each. */
    int (*time_unit)(eex_device *dev, double *ms, const eex_op *ops, void *const *states, int count,
                     const eex_step *step, int rounds);

    /* Names what happens until the matching range_end, for profilers. May be NULL. */
    void (*range_begin)(eex_device *dev, const char *name);
    void (*range_end)(eex_device *dev);

    /* Fills what the device can tell. May be NULL. */
    int (*usage)(eex_device *dev, eex_device_usage *out);

    /* Waits until everything that was submitted has happened. */
    int (*sync)(eex_device *dev);
} eex_device_vtable;

struct eex_device {
    const eex_device_vtable *vtable;
    pid_t process;        /* that opened it: a forked child cannot use it */
    pthread_mutex_t lock; /* recursive; see eex_device_lock */
    char name[128];       /* "cpu (AMD EPYC, 2 threads, avx512)": for reports */
    int threads;          /* host threads used by a CPU device, else 1 */
    bool host_memory;     /* the host may read and write device memory after sync */
    unsigned precisions;  /* bit 1 << p for each eex_precision it has; EEX_F32 always */
    bool conv_stats;      /* its convolutions leave the sums that batch norm needs */
    bool chains;          /* run_chain may be used */
    size_t cache_bytes;   /* activations worth keeping together between layers; 0: any amount */
    int fused_head;       /* largest features * classes of a classifier in HEAD; 0: none */

    /* What the device holds at most (bytes; 0: no limit), what it holds, and whether memory was
     * refused for that limit's sake. Weights that ops of a CPU device pack anew are not counted. */
    size_t memory, held;
    bool full;
};

typedef struct eex_device_options {
    int threads;        /* 0: all that the process may use */
    bool deterministic; /* bit-identical twice; the CPU always is */
    size_t memory;      /* bytes that the device may hold; 0: no limit */
} eex_device_options;

/* Opens "cpu", "cuda" or "cuda:N". EEX_ENOTFOUND names what is missing and what there is. */
int eex_device_open(eex_device **out, const char *spec, const eex_device_options *options);
/* Accepts NULL. In a forked child it does nothing to what the parent opened. */
void eex_device_close(eex_device *dev);

/* EEX_OK when the device calculates in this precision; else EEX_EUNSUPPORTED naming both. */
int eex_device_calculates(const eex_device *dev, eex_precision precision);

/* Waits until no other thread uses the device and keeps others out until the matching unlock. The
 * thread that holds it may lock it again. EEX_EDEVICE, without the lock: the device cannot be used
 * from this thread, or was opened by the process from which this one was forked. */
int eex_device_lock(eex_device *dev);
void eex_device_unlock(eex_device *dev);

/* For backends: the part of a device that is the same for all, made before anything can fail and
 * destroyed by `close`. */
int eex_device_init(eex_device *dev, const eex_device_vtable *vtable);
void eex_device_destroy(eex_device *dev);

/* For backends, before they allocate: counts the bytes as held. EEX_ENOMEM, and dev->full, where
 * the limit does not allow them. What goes is taken off dev->held. */
int eex_device_hold(eex_device *dev, size_t bytes);

/* ---- uploads beside what runs ----
 *
 * Begins to bring host memory to the device while that calculates something else. Uploads from the
 * same place, of so many bytes or fewer, find it there, as often as they come; it must not change
 * until it is withdrawn. Only a hint: where a device has no such way, or no room for more of it, an
 * upload does all when it comes. Withdrawing waits until the memory has been read, so that it may
 * change; what was not announced may be withdrawn too. Both lock the device. */
int eex_device_ahead(eex_device *dev, const void *from_host, size_t bytes);
int eex_device_withdraw(eex_device *dev, const void *from_host);

/* Host memory for what is to be announced: of the kind from which the device copies by itself.
 * *out belongs to the caller, who gives it back before the device closes; contents are undefined.
 * release accepts NULL. */
int eex_device_host_allocate(eex_device *dev, void **out, size_t bytes);
void eex_device_host_release(eex_device *dev, void *memory);

/* What runs until the matching end is called `name` (printf-style) in profiles; nothing happens on
 * devices without such names. */
void eex_device_range(eex_device *dev, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void eex_device_range_end(eex_device *dev);

#endif
