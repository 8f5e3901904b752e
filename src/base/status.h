/* Status codes and the per-thread error message.
 *
 * Every fallible eex function returns EEX_OK (0) or a negative EEX_E... code. The message that goes
 * with the code is kept per thread until the next failure there; it names the object, what was
 * found, what was expected and the remedy. */
#ifndef EEX_BASE_STATUS_H
#define EEX_BASE_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

enum {
    EEX_OK = 0,
    EEX_EINVAL = -1,       /* a wrong argument, field or configuration (exit status 2) */
    EEX_ENOMEM = -2,       /* out of memory, on the host or the device */
    EEX_EIO = -3,          /* the system refused a file operation: disk full, permission, ... */
    EEX_EFORMAT = -4,      /* a file's content is truncated, corrupt or hostile */
    EEX_ENOTFOUND = -5,    /* a file, data set, name or device does not exist */
    EEX_EUNSUPPORTED = -6, /* valid, but not something this build or device can do */
    EEX_EDEVICE = -7,      /* the device or its library failed */
    EEX_EDIVERGED = -8,    /* training produced NaN or exploded */
    EEX_EINTERRUPTED = -9, /* SIGINT, SIGTERM or SIGHUP; state is saved (exit status 130, 129) */
    EEX_EBUSY = -10,       /* another process holds the run folder */
    EEX_EVERSION = -11,    /* a file was written by a newer eex */
    EEX_ESCRIPT = -12      /* a Lua script failed (exit status 2) */
};

/* Sets this thread's message (printf-style, at most 2047 bytes kept) and returns `code`, so that
 * `return eex_fail(EEX_EIO, "...")` reads as one thought. */
int eex_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "context: " in front of this thread's message and returns `code` unchanged. */
int eex_fail_in(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* This thread's last message; "" when nothing failed yet. Borrowed until the next failure. */
const char *eex_error(void);

/* "invalid argument" and the like; never NULL. */
const char *eex_status_name(int code);

/* Returns from the calling function with the code of a failed expression. */
#define EEX_TRY(expression)              \
    do {                                 \
        int eex_try_code = (expression); \
        if (eex_try_code < 0)            \
            return eex_try_code;         \
    } while (0)

/* Refuses a call without something that it needs: "eex_engine_run: no results". */
#define EEX_NEED(pointer, what)                                              \
    do {                                                                     \
        if (!(pointer))                                                      \
            return eex_fail(EEX_EINVAL, "%s: no %s (NULL)", __func__, what); \
    } while (0)

#ifdef __cplusplus
}
#endif
#endif
