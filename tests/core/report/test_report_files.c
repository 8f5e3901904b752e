/* Runs of files that somebody has made: what of them a report loads. */
#include "core/report/report.h"
#include "core/store/store.h"
#include "support/folder.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

/* Trials that are all on the front, and how many of them the file names there. */
typedef struct made {
    eex_trials trials;
    uint64_t *front, count;
} made;

static int fill_run(eex_store_file *file, const void *context)
{
    static const char *const texts[] = {"name", "device", "dataset", "version", "created"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        EEX_TRY(eex_store_set_string(file, "", texts[i], "made up"));
    return eex_store_set_int(file, "", "seed", 0);
}

static int fill_search(eex_store_file *file, const void *context)
{
    static const char *const points[] = {"here"};
    static const int32_t blocks[1];
    const made *m = context;
    const eex_store_shape one = {1, {1}}, front = {1, {m->count}};
    EEX_TRY(eex_trials_save(&m->trials, 0, m->trials.count, file, "trials"));
    EEX_TRY(eex_store_make_group(file, "space"));
    EEX_TRY(eex_store_write_strings(file, "space/points", points, 1));
    EEX_TRY(eex_store_write(file, "space/blocks", EEX_STORE_I32, &one, blocks));
    EEX_TRY(eex_store_write_packed(file, "front", EEX_STORE_U64, &front, m->front));
    EEX_TRY(eex_store_set_int(file, "", "chosen", 0));
    return eex_store_set_double(file, "", "seconds", 1);
}

static int load(eex_report **out, const char *folder, made *m, uint64_t count)
{
    m->count = count;
    OK(eex_store_write_file(test_path(folder, "search.h5"), "search", 1, fill_search, m));
    return eex_report_load(out, folder);
}

/* Each member of a front is an object of some hundred bytes in JSON. */
Test(report, a_front_that_is_too_long, .timeout = 60)
{
    enum { MOST = 1 << 16, TRIALS = MOST + 1 };
    char folder[TEST_PATH_SIZE];
    eex_report *report;
    made m = {.front = calloc(TRIALS, sizeof *m.front)};
    cr_assert(m.front);
    eex_trials_init(&m.trials, 1);
    for (int i = 0; i < TRIALS; i++) {
        const eex_trial trial = {.accuracy = i / 1e6, .macs = i, .latency = NAN};
        OK(eex_trials_add(&m.trials, (const int[]){i % 2}, &trial));
        m.front[i] = (uint64_t)i;
    }
    test_folder_make(folder);
    OK(eex_store_write_file(test_path(folder, "run.h5"), "run", 1, fill_run, NULL));
    OK(load(&report, folder, &m, MOST));
    cr_expect_eq(report->front_count, MOST);
    eex_report_free(report);
    cr_expect_eq(load(&report, folder, &m, TRIALS), EEX_EFORMAT);
    cr_expect(strstr(eex_error(), "/front"), "%s", eex_error());
    eex_trials_free(&m.trials);
    free(m.front);
    test_folder_remove(folder);
}
