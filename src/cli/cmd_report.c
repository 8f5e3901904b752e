/* eex report: a page of runs, or of a sweep. */
#include "cli/commands.h"
#include "cli/out_file.h"
#include "page/report.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/status.h"
#include "base/text.h"

typedef struct arguments {
    const char *out;
    bool force;
} arguments;

static const arguments defaults = {.out = "report.html"};

static const eex_option options[] = {
    EEX_OUT("FILE", out, "the page (report.html); /dev/stdout: print it"),
    EEX_FLAG("force", force, "replace the file where it is there already"),
    {0},
};

static int write_page(const eex_buffer *page, const char *path, bool drawn)
{
    char size[EEX_TEXT_SIZE];
    EEX_TRY(eex_fs_write(path, page->data, page->size));
    if (!drawn)
        eex_log_warn("gnuplot is not installed: the page has tables, but no charts");
    if (!eex_fs_is_stream(path))
        eex_log_info("%s: %s, one file that needs no network", path,
                     eex_text_number(size, (double)page->size, "B"));
    return EEX_OK;
}

static int run(const void *given, const eex_words *words)
{
    const arguments *a = given;
    eex_buffer page = EEX_BUFFER_INIT;
    bool drawn = false;
    EEX_TRY(eex_page_find(words->at, (size_t)words->count));
    EEX_TRY(eex_check_out(a->out, a->force, NULL, NULL));
    int code = eex_page_report(&page, &drawn, words->at, (size_t)words->count);
    if (code == EEX_OK)
        code = write_page(&page, a->out, drawn);
    eex_buffer_free(&page);
    return code;
}

const eex_cmd eex_cmd_report = {
    .name = "report",
    .brief = "write a page about runs, or about a sweep",
    .synopsis = "RUN... | SWEEP [-o FILE.html]",
    .summary =
        "Writes one HTML file about a run, finished or not; about several runs, on the same\n"
        "axes; or about a sweep: figures, charts, images, the experiment. It needs no\n"
        "network and no script, and gnuplot draws its charts.",
    .details = "Under the pointer a point says what it is; the table behind each chart has all of\n"
               "them. Images come from the run's data set, where that is still there.\n"
               "docs/reports.md says what is shown.",
    .words = {1, 64},
    .takes = {sizeof(arguments), &defaults, options},
    .run = run,
};
