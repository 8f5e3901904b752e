#include "cli/plot.h"

#include "base/fs.h"
#include "base/status.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
