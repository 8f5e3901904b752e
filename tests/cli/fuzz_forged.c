/* Commands that read files whose author means harm: right in form, checksums and seal, and wrong in
 * one to three of the things that they say (support/forge.h).
 *
 * fuzz_cli_forged [--seed N] [--round N] [--rounds N] [--seconds N] FOLDER LIST
 *
 * A line of LIST is a file below FOLDER, a tab, and the arguments of an eex command. A round takes
 * a line, makes the folder "round" with all that FOLDER has, the file in it another, and goes there
 * to give that command, in a process of its own. It must end within 10 s of the processor's time
 * with status 0, 1 or 2; where it fails it says so; and it takes no more than 256 MB beyond what
 * the right file takes. What does not is kept as forged-SEED-ROUND.h5. */
#include "core/store/store.h"
#include "support/forge.h"
#include "support/rounds.h"

#include "base/fs.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MAX_LINES = 800,
    MAX_WORDS = 40,
    SECONDS = 10,
    RIGHT_SECONDS = 300,
    MAX_MEMORY = 256 << 10 /* KiB */
};

/* The program's main function is called so here, see tests/CMakeLists.txt. */
#undef main
int eex_main(int argc, char **argv);

typedef struct line {
    char *file;
    char *word[MAX_WORDS + 1];
    int words;
    test_forge *forge;
    long memory; /* what the command takes with the right file: KiB, and seconds of the processor's
                  */
    rlim_t seconds;
} line;

typedef struct fuzz {
    const char *folder;
    line line[MAX_LINES];
    int lines, bad, believed;
    bool company; /* whether files must go together: whoever forges one may forge the others too */
    test_rounds rounds;
    eex_rng rng;
} fuzz;

static fuzz state;

int __real_eex__store_check_company(eex_store_file *file);
int __wrap_eex__store_check_company(eex_store_file *file);

int __wrap_eex__store_check_company(eex_store_file *file)
{
    return state.company ? __real_eex__store_check_company(file) : EEX_OK;
}

static void give_up(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, errno ? strerror(errno) : eex_error());
    exit(1);
}

/* Nothing here has to outlive the machine. */
int fsync(int fd)
{
    return 0;
}

/* ---- the folder of a round ---- */

static int link_there(const char *path, const struct stat *s, int type, struct FTW *where)
{
    char to[600];
    if (strcmp(path + where->base, ".lock") == 0)
        return 0; /* which may have one name alone */
    snprintf(to, sizeof to, "round%s", path + strlen(state.folder));
    if (type == FTW_D)
        return mkdir(to, 0777);
    return link(path, to);
}

static int remove_it(const char *path, const struct stat *s, int type, struct FTW *where)
{
    return remove(path);
}

static void make_folder(void)
{
    if (access("round", F_OK) == 0 && nftw("round", remove_it, 10, FTW_DEPTH | FTW_PHYS) != 0)
        give_up("round");
    if (nftw(state.folder, link_there, 10, FTW_PHYS) != 0)
        give_up(state.folder);
}

/* ---- a command ---- */

static void redirect(int to, const char *path)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (fd < 0 || dup2(fd, to) < 0)
        _exit(100);
    close(fd);
}

static void become(const line *l)
{
    const rlim_t seconds = l->forge ? SECONDS + 2 * l->seconds : RIGHT_SECONDS;
    const struct rlimit limit = {seconds, seconds + 5};
    char *argv[MAX_WORDS + 2] = {(char *)"eex"};
    memcpy(argv + 1, l->word, (size_t)(l->words + 1) * sizeof *argv);
    redirect(STDOUT_FILENO, "out");
    redirect(STDERR_FILENO, "err");
    if (!freopen("/dev/null", "r", stdin) || chdir("round") != 0 ||
        setrlimit(RLIMIT_CPU, &limit) != 0)
        _exit(100);
    exit(eex_main(l->words + 1, argv));
}

static int give(const line *l, struct rusage *usage)
{
    int status;
    fflush(NULL);
    const pid_t child = fork();
    if (child < 0)
        give_up("fork");
    if (child == 0)
        become(l);
    if (wait4(child, &status, 0, usage) != child)
        give_up("wait4");
    return status;
}

/* In KiB; a sanitizer keeps what was freed. */
static long memory_of(const struct rusage *usage)
{
#ifdef __SANITIZE_ADDRESS__
    return 0;
#endif
    return usage->ru_maxrss;
}

/* Whether the message says which file it is. What begins with weights that lead nowhere only says
 * that it diverged, a model of a data set that there is not, which one that is, and a run that is
 * another one, its folder. */
static bool names_file(const line *l)
{
    const char *const slash = strrchr(l->file, '/'), *const name = slash ? slash + 1 : l->file;
    const size_t stem = strcspn(name, ".");
    char *text;
    size_t size;
    if (eex_fs_read(&text, &size, "err", 1 << 20) < 0)
        return false;
    const bool named =
        memmem(text, size, name, strncmp(l->file, "data/", 5) == 0 ? stem : strlen(name));
    const bool otherwise = memmem(text, size, "diverged", 8) ||
                           memmem(text, size, "data set \"", 10) ||
                           memmem(text, size, "holds a run of another experiment", 33);
    free(text);
    return named || otherwise;
}

/* NULL: it ended as it should. */
static const char *wrong_with(const line *l, int status, const struct rusage *usage)
{
    static char text[80];
    if (WIFSIGNALED(status)) {
        const int number = WTERMSIG(status);
        snprintf(text, sizeof text, "ended by signal %d%s", number,
                 number == SIGXCPU || number == SIGKILL ? " (too long)" : "");
        return text;
    }
    if (WEXITSTATUS(status) > 2) {
        snprintf(text, sizeof text, "status %d", WEXITSTATUS(status));
        return text;
    }
    if (WEXITSTATUS(status) != 0 && !names_file(l))
        return "failed without naming the file";
    if (memory_of(usage) - 2 * l->memory > MAX_MEMORY)
        return "too much memory";
    return NULL;
}

/* Its end. */
static void show_file(const char *path)
{
    enum { MOST = 4000 };
    char *text;
    size_t size;
    if (eex_fs_read(&text, &size, path, 1 << 20) < 0)
        return;
    const size_t skipped = size > MOST ? size - MOST : 0;
    fwrite(text + skipped, 1, size - skipped, stderr);
    free(text);
}

static void name_command(FILE *out, const line *l)
{
    fprintf(out, "%s: eex", l->file);
    for (int i = 0; i < l->words; i++)
        fprintf(out, " %s", l->word[i]);
    fputc('\n', out);
}

static void keep(const char *path)
{
    char to[100];
    snprintf(to, sizeof to, "forged-%" PRIu64 "-%" PRIu64 ".h5", state.rounds.seed,
             state.rounds.round);
    if (link(path, to) != 0)
        give_up(to);
}

/* ---- rounds ---- */

/* Trainings take longer than all the others: they come less often. */
static line *any_line(fuzz *f)
{
    line *l = &f->line[eex_rng_below(&f->rng, (uint64_t)f->lines)];
    if (strcmp(l->word[0], "run") == 0 && eex_rng_below(&f->rng, 4) > 0)
        l = &f->line[eex_rng_below(&f->rng, (uint64_t)f->lines)];
    return l;
}

/* As it is, the command works, and takes what it takes. Where it does not, that is told, and it is
 * tried once more: what is measured on the way is never the same. */
static void try_right_file(line *l)
{
    struct rusage usage;
    char path[600];
    int status = 0;
    snprintf(path, sizeof path, "%s/%s", state.folder, l->file);
    for (int left = 2; left > 0; left--) {
        make_folder();
        status = give(l, &usage);
        if (status == 0)
            break;
        name_command(stderr, l);
        show_file("err");
        fprintf(stderr, "%s: it fails with the right file already, status %#x\n", path,
                (unsigned)status);
    }
    if (status != 0)
        exit(1);
    l->memory = memory_of(&usage);
    l->seconds = (rlim_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec);
    if (test_forge_read(&l->forge, path) < 0) {
        errno = 0;
        give_up(path);
    }
}

static void run_round(fuzz *f)
{
    line *l = any_line(f);
    eex_buffer what = EEX_BUFFER_INIT;
    struct rusage usage;
    char path[600];
    if (!l->forge)
        try_right_file(l);
    make_folder();
    snprintf(path, sizeof path, "round/%s", l->file);
    if (test_forge_write(l->forge, "forged.h5", &f->rng, &what) < 0) {
        eex_buffer_free(&what); /* no author could write that */
        return;
    }
    unlink(path);
    if (link("forged.h5", path) != 0)
        give_up(path);
    f->company = eex_rng_below(&f->rng, 4) == 0;
    const int status = give(l, &usage);
    const char *const wrong = wrong_with(l, status, &usage);
    f->believed += WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (wrong) {
        f->bad++;
        fprintf(stderr, "--seed %" PRIu64 " --round %" PRIu64 ": %s\n", f->rounds.seed,
                f->rounds.round, wrong);
        name_command(stderr, l);
        fputs(eex_buffer_text(&what), stderr);
        show_file("err");
        keep("forged.h5");
    } else if (getenv("EEX_FORGED_TELLS")) {
        name_command(stdout, l);
        fputs(eex_buffer_text(&what), stdout);
        printf("status %d\n", WEXITSTATUS(status));
        fflush(stdout);
        show_file("err");
    }
    eex_buffer_free(&what);
}

static void read_list(fuzz *f, const char *path)
{
    static char text[1000];
    FILE *list = fopen(path, "r");
    if (!list)
        give_up(path);
    while (f->lines < MAX_LINES && fgets(text, sizeof text, list)) {
        line *l = &f->line[f->lines++];
        char *rest = strdup(text);
        l->file = strtok(rest, "\t\n");
        for (char *word; l->words < MAX_WORDS && (word = strtok(NULL, " \n")); l->words++)
            l->word[l->words] = word;
    }
    fclose(list);
}

int main(int argc, char **argv)
{
    fuzz *f = &state;
    const char *list = NULL;
    for (int i = 1; i < argc; i++) {
        if (test_rounds_take(&f->rounds, argc, argv, &i))
            continue;
        if (!f->folder)
            f->folder = argv[i];
        else
            list = argv[i];
    }
    if (!list) {
        fputs("fuzz_cli_forged [--seed N] [--rounds N] [--seconds N] FOLDER LIST\n", stderr);
        return 2;
    }
    read_list(f, list);
    while (test_rounds_next(&f->rounds, &f->rng))
        run_round(f);
    printf("%" PRIu64 " rounds of %d commands, %d bad, %d believed\n", test_rounds_done(&f->rounds),
           f->lines, f->bad, f->believed);
    return f->bad > 0;
}
