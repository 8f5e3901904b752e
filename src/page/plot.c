#include "page/plot.h"

#include "base/fs.h"
#include "base/signals.h"
#include "base/status.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const struct {
    const char *suffix, *terminal;
} kinds[] = {{".png", "pngcairo size 900,560"}, {".svg", "svg size 900,560"}};

static const char *terminal_of(const char *path)
{
    const size_t length = strlen(path);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t suffix = strlen(kinds[i].suffix);
        if (length > suffix && strcmp(path + length - suffix, kinds[i].suffix) == 0)
            return kinds[i].terminal;
    }
    return NULL;
}

static int not_installed(void)
{
    return eex_fail(EEX_ENOTFOUND, "no picture: gnuplot is not installed (or not in $PATH)");
}

/* In any folder of $PATH, as posix_spawnp looks for it. */
static bool is_installed(void)
{
    const char *path = getenv("PATH");
    char file[PATH_MAX];
    for (const char *at = path ? path : "/bin:/usr/bin";; at++) {
        const int length = (int)strcspn(at, ":");
        snprintf(file, sizeof file, "%.*s%sgnuplot", length, at, length ? "/" : "");
        if (access(file, X_OK) == 0)
            return true;
        at += length;
        if (!*at)
            return false;
    }
}

int eex_plot_check(const char *path)
{
    if (!terminal_of(path))
        return eex_fail(EEX_EINVAL, "%s: expected a name that ends in .png or .svg", path);
    return is_installed() ? EEX_OK : not_installed();
}

/* gnuplot reads the script from a file, so that nobody waits on a pipe. */
static int start(pid_t *child, char *script)
{
    char name[] = "gnuplot";
    char *arguments[] = {name, script, NULL};
    int error = posix_spawnp(child, name, NULL, NULL, arguments, environ);
    if (error == ENOENT)
        return not_installed();
    return error ? eex_fail(EEX_EIO, "cannot run gnuplot: %s", strerror(error)) : EEX_OK;
}

static int run(char *script)
{
    pid_t child;
    int status = 0;
    EEX_TRY(start(&child, script));
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return eex_fail(EEX_EIO, "cannot wait for gnuplot: %s", strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return not_installed();
    if (status && eex_interrupted()) /* a terminal tells all of its processes */
        return eex_fail(EEX_EINTERRUPTED, "interrupted");
    return status ? eex_fail(EEX_EIO, "gnuplot ended with status %d", WEXITSTATUS(status)) : EEX_OK;
}

static void quoted(eex_buffer *out, const char *text)
{
    eex_buffer_putc(out, '\'');
    for (; *text; text++)
        eex_buffer_puts(out, *text == '\'' ? "''" : (const char[]){*text, '\0'});
    eex_buffer_putc(out, '\'');
}

static int draw(const char *picture, const char *terminal, const char *script, char *file)
{
    eex_buffer text = EEX_BUFFER_INIT;
    eex_buffer_printf(&text, "set terminal %s\nset output ", terminal);
    quoted(&text, picture);
    eex_buffer_printf(&text, "\n%s\nset output\n", script);
    int code = eex_buffer_status(&text);
    if (code == EEX_OK)
        code = eex_fs_write(file, text.data, text.size);
    eex_buffer_free(&text);
    return code == EEX_OK ? run(file) : code;
}

int eex_plot(const char *path, const char *script)
{
    char *picture = NULL, *file = NULL;
    EEX_TRY(eex_plot_check(path));
    int code = eex_fs_part_make(&picture, path); /* gnuplot would follow a link */
    if (code == EEX_OK)
        code = eex_fs_part_name(&file, path);
    if (code == EEX_OK)
        code = draw(picture, terminal_of(path), script, file);
    if (code == EEX_OK)
        code = eex_fs_commit(picture, path);
    if (file)
        remove(file);
    if (code < 0 && picture)
        remove(picture);
    free(picture);
    free(file);
    return code;
}

/* ---- as texts ---- */

enum { DEVICE = 64, TEXT_LIMIT = 64 << 20 };

/* A file without a name that gnuplot opens as /dev/fd/N. */
static int open_memory(int *out)
{
    *out = memfd_create("eex-plot", 0);
    return *out < 0
               ? eex_fail(EEX_EIO, "cannot open a file in memory for a plot: %s%s", strerror(errno),
                          errno == EMFILE ? ": ulimit -n says how many may be open" : "")
               : EEX_OK;
}

static const char *device(char out[DEVICE], int descriptor)
{
    snprintf(out, DEVICE, "/dev/fd/%d", descriptor);
    return out;
}

static int put(int descriptor, const eex_buffer *text)
{
    EEX_TRY(eex_buffer_status(text));
    for (size_t at = 0; at < text->size;) {
        const ssize_t wrote = write(descriptor, text->data + at, text->size - at);
        if (wrote < 0 && errno != EINTR)
            return eex_fail(EEX_EIO, "cannot hand a plot to gnuplot: %s%s", strerror(errno),
                            errno == EFBIG ? ": what is drawn is a file in memory, and no file may "
                                             "be so large: ulimit -f unlimited"
                                           : "");
        at += wrote > 0 ? (size_t)wrote : 0;
    }
    return EEX_OK;
}

static int get(eex_buffer *out, int descriptor)
{
    char block[16384];
    off_t at = 0;
    for (ssize_t got = 1; got > 0; at += got) {
        got = pread(descriptor, block, sizeof block, at);
        if (got < 0 || at > TEXT_LIMIT)
            return eex_fail(EEX_EIO, "cannot read what gnuplot drew");
        eex_buffer_append(out, block, (size_t)got);
    }
    return at > 0 ? eex_buffer_status(out) : eex_fail(EEX_EIO, "gnuplot drew nothing");
}

/* One script of all of them, each into a file of its own. */
static int draw_texts(int to, const int *file, const eex_buffer *scripts, size_t count, int width,
                      int height)
{
    char name[DEVICE];
    eex_buffer all = EEX_BUFFER_INIT;
    for (size_t i = 0; i < count; i++) {
        eex_buffer_printf(&all,
                          "reset\nset terminal svg size %d,%d noenhanced rounded font "
                          "'sans-serif,14'\nset output '%s'\n",
                          width, height, device(name, file[i]));
        eex_buffer_append(&all, scripts[i].data, scripts[i].size);
        eex_buffer_puts(&all, "\nset output\n");
    }
    int code = put(to, &all);
    eex_buffer_free(&all);
    device(name, to);
    return code == EEX_OK ? run(name) : code;
}

int eex_plot_texts(eex_buffer *out, const eex_buffer *scripts, size_t count, int width, int height)
{
    int script = -1, code = is_installed() ? open_memory(&script) : not_installed();
    int *file = malloc((count + 1) * sizeof *file);
    size_t opened = 0;
    if (code == EEX_OK && !file)
        code = eex_fail(EEX_ENOMEM, "out of memory for %zu plots", count);
    while (code == EEX_OK && opened < count) {
        code = open_memory(&file[opened]);
        opened += code == EEX_OK;
    }
    if (code == EEX_OK)
        code = draw_texts(script, file, scripts, count, width, height);
    for (size_t i = 0; code == EEX_OK && i < count; i++)
        code = get(&out[i], file[i]);
    while (opened > 0)
        close(file[--opened]);
    if (script >= 0)
        close(script);
    free(file);
    return code;
}
