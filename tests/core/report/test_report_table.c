/* What a report says in words and tables, from figures that are made up. */
#include "core/report/report.h"

#include "base/status.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static eex_report report;
static eex_buffer out;

static eex_report_latency latency(double ms)
{
    return (eex_report_latency){.mean = ms, .p50 = ms, .p95 = ms, .p99 = ms};
}

static void add_trials(size_t count)
{
    const int genome[2] = {0};
    const eex_trial trial = {.accuracy = 0.8, .macs = 4e6, .latency = NAN};
    eex_trials_free(&report.trials);
    eex_trials_init(&report.trials, 2);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(eex_trials_add(&report.trials, genome, &trial), EEX_OK);
}

static void begin(void)
{
    static char name[] = "small", device[] = "cpu", dataset[] = "tiny";
    report = (eex_report){.name = name,
                          .device = device,
                          .dataset = dataset,
                          .precision = EEX_F32,
                          .finished = true,
                          .chosen = 3,
                          .seconds = 40,
                          .tau = NAN};
    report.base.accuracy = 0.84;
    report.base.macs = 8e6;
    report.base.latency = latency(0.2);
    report.base.joules = report.best.joules = NAN;
    report.full.accuracy = 0.878;
    report.full.macs = 8e6;
    report.full.macs_with_gates = 9e6;
    report.full.latency = latency(0.21);
    report.full.speedup = (eex_speedup){0.2 / 0.21, NAN, NAN, false};
    report.best.accuracy = 0.876;
    report.best.ada_macs = 3.9e6;
    report.best.ada_macs_cumulative = 4e6;
    report.best.validation_accuracy = 0.88;
    report.best.latency = latency(0.1);
    report.best.speedup = (eex_speedup){2, NAN, NAN, false};
    report.best.exits = 2;
    report.best.exit[0] =
        (eex_report_exit){"layer2.0.relu_1", 3, 1, 0.7, 0.9, 3e6, 0.8, 0.06, 0.03, 0.91, 0.052};
    report.best.exit[1] =
        (eex_report_exit){"fc", 6, -1, 0.3, 0.8, 9e6, 0.881, 0.02, 0.01, NAN, NAN};
    add_trials(48);
}

static void end(void)
{
    eex_trials_free(&report.trials);
    eex_buffer_free(&out);
}

TestSuite(report_table, .init = begin, .fini = end);

/* The table as one line, with single blanks. */
static char *flat(size_t width)
{
    eex_buffer_clear(&out);
    cr_assert_eq(eex_report_table(&out, &report, width), EEX_OK, "%s", eex_error());
    char *text = calloc(1, out.size + 1);
    size_t used = 0;
    for (const char *at = eex_buffer_text(&out); *at; at++) {
        const char c = *at == '\n' ? ' ' : *at;
        if (c != ' ' || (used > 0 && text[used - 1] != ' '))
            text[used++] = c;
    }
    return text;
}

static void expect(const char *wanted)
{
    char *text = flat(0);
    cr_expect_not_null(strstr(text, wanted), "no \"%s\" in %s", wanted, eex_buffer_text(&out));
    free(text);
}

static void expect_not(const char *unwanted)
{
    char *text = flat(0);
    cr_expect_null(strstr(text, unwanted), "\"%s\" in %s", unwanted, eex_buffer_text(&out));
    free(text);
}

/* The base is another network: exits are judged against the same one run to its end. */
Test(report_table, leaving_early_is_compared_with_the_same_network)
{
    expect("to its end 87.80 % 8.00 M 0.210 0.210 0.210 0.210 0.95x");
    expect("leaving early costs 0.20 points of accuracy on the test split and saves 50.0 % of the "
           "MACs (the trunk alone, without gates: with them to the end it is 9.00 M)");
    expect("training with exits gains 3.80 points of accuracy.");
    report.best.accuracy = 0.88;
    report.best.ada_macs_cumulative = 8.8e6;
    expect("leaving early gains 0.20 points of accuracy on the test split and adds 10.0 % of");
    report.best.accuracy = report.full.accuracy;
    expect("leaving early costs no accuracy on the test split");
    report.base.accuracy = 0.9;
    expect("training with exits costs 2.20 points of accuracy.");
}

/* A table of a long front says what it leaves out. */
Test(report_table, a_front_that_is_longer_than_its_table_says_so)
{
    size_t front[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    report.front = front;
    report.front_count = 8;
    expect_not("on the front;");
    report.front_count = 11;
    expect("(8 of the 11 on the front; eex show --json has all of them)");
}

/* Of both splits, less is a minus; runs that do not know it say nothing. */
Test(report_table, the_network_is_compared_with_its_cuts)
{
    report.best.cut_saved = report.best.validation_cut_saved = NAN;
    expect_not("gainst the cut");
    report.best.validation_cut_saved = 0.2834;
    expect("Against the cut: -28.3 % MACs at the same accuracy on the validation split. ");
    report.best.cut_saved = -0.051;
    expect("Against the cut: +5.1 % MACs at the same accuracy on the test split (-28.3 % on the "
           "validation split). ");
    expect("against the cut: the network cut after one of its exits, where everybody leaves");
    report.best.cut_beyond = true;
    expect("(-28.3 % on the validation split); no cut is so accurate there, and the best one is "
           "meant. ");
}

Test(report_table, without_gates_nobody_is_said_to_leave)
{
    report.best.exits = 1;
    report.best.exit[0] = report.best.exit[1];
    expect("The chosen network has no gates: nobody leaves early. The base is the backbone");
    expect_not("leaving early");
    expect_not("Against the cut");
}

Test(report_table, trials_that_overstep_limits_are_not_said_to_go_on)
{
    static char folder[] = "runs/x";
    report.finished = false;
    report.folder = folder;
    report.state = "the shared network is trained";
    expect_not("search.limits");
    expect("not finished: the shared network is trained; the same \"eex run\" goes on from there");
    for (size_t i = 0; i < report.trials.count; i++)
        report.trials.at[i].violation = 0.5;
    expect(
        "not finished: the shared network is trained, and none of 48 trials keeps search.limits");
    expect_not("goes on from there");
    expect("--from runs/x it takes over what is trained");
    report.trials.at[7].violation = -0.1;
    expect_not("search.limits");
}

Test(report_table, what_a_run_did_not_keep_is_a_dash_with_a_reason)
{
    report.full.accuracy = report.full.macs = report.full.macs_with_gates = NAN;
    report.full.latency = latency(NAN);
    report.full.speedup = EEX_SPEEDUP_UNKNOWN;
    expect("to its end - - - - - - - ");
    expect("did not keep what the same network does when it is run to its end");
    expect("On the validation split its end is right for 88.10 %, and 88.00 % are right when they "
           "leave early");
    expect_not("nan");
}

Test(report_table, says_when_nothing_is_left_to_try)
{
    expect("48 trials, ");
    expect_not("structures tried");
    report.structures = 60;
    expect("48 trials of 60 structures");
    report.structures = 48;
    expect("48 trials: all 48 structures tried");
    add_trials(1);
    report.structures = 1;
    expect("1 trial: the only 1 structure tried");
    expect_not("1 trials");
}

Test(report_table, words_are_explained_once)
{
    static const char *const words[] = {"ECE: expected calibration error on the validation split",
                                        "test: right of the test split",
                                        "leave, right: of the test", "\"eex help terms\""};
    char *text = flat(0);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *at = strstr(text, words[i]);
        cr_assert_not_null(at, "no \"%s\" in %s", words[i], text);
        cr_expect_null(strstr(at + 1, words[i]), "\"%s\" twice", words[i]);
    }
    free(text);
}

/* All of its titles and cells, whatever the width, down to 20 columns; no line is wider. */
Test(report_table, loses_nothing_in_few_columns)
{
    static const char *const parts[] = {
        "network", "test",     "MACs",   "p95",    "p99",   "speed-up",        "84.00%",
        "87.60%",  "87.80%",   "0.95x",  "blocks", "leave", "right",           "ECE",
        "after",   "point",    "0.060",  "AUROC",  "AURC",  "0.910",           "0.0520",
        "0.030",   "70.00%",   "90.00%", "3.00M",  "9.00M", "layer2.0.relu_1", "trials",
        "saves",   "earlyexit"};
    for (size_t width = 20; width < 120; width++) {
        char *text = flat(width), *dense = text;
        for (char *at = text; *at; at++)
            if (*at != ' ')
                *dense++ = *at;
        *dense = '\0';
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
            cr_assert_not_null(strstr(text, parts[i]), "no %s in %zu columns: %s", parts[i], width,
                               eex_buffer_text(&out));
        free(text);
        for (char *line = strtok(out.data, "\n"); line; line = strtok(NULL, "\n"))
            cr_assert(eex_text_width(line) <= width, "\"%s\" in %zu", line, width);
    }
}

Test(report_table, programs_get_the_figures_too)
{
    cr_assert_eq(eex_report_json(&out, &report), EEX_OK, "%s", eex_error());
    const char *text = eex_buffer_text(&out);
    const char *full = strstr(text, "\"full\"");
    cr_assert_not_null(full, "%s", text);
    cr_expect_not_null(strstr(full, "\"accuracy\": 0.878"), "%s", full);
    cr_expect_not_null(strstr(full, "\"macs\": 8000000"), "%s", full);
    cr_expect_not_null(strstr(full, "\"macs_with_gates\": 9000000"), "%s", full);
    cr_expect_null(strstr(text, "eex help"), "legends are for people");
}

/* ---- the front, and how the search came to it ---- */

static void add_front(void)
{
    static eex_front_exit exits[] = {{.node = "a",
                                      .threshold = 0.25,
                                      .utilisation = 0.75,
                                      .alone_accuracy = 0.7,
                                      .alone_macs = 2e6,
                                      .alone_validation = 0.71},
                                     {.node = "fc",
                                      .blocks = -1,
                                      .threshold = NAN,
                                      .utilisation = 0.25,
                                      .alone_accuracy = 0.9,
                                      .alone_macs = 8e6}};
    static eex_front_member members[] = {{.trial = 3,
                                          .gates = 1,
                                          .spread = true,
                                          .best = true,
                                          .accuracy = 0.86,
                                          .macs = 4e6,
                                          .macs_taken = 3.5e6,
                                          .validation_macs = 4e6,
                                          .exits = 2},
                                         {.trial = 9,
                                          .gates = 2,
                                          .best = true,
                                          .status = EEX_EDIVERGED,
                                          .reason = "the loss is NaN",
                                          .accuracy = NAN,
                                          .macs = NAN,
                                          .macs_taken = NAN,
                                          .first = 2}};
    report.tested = (eex_front){2, members, 2, exits};
}

Test(report_table, members_of_the_front_stand_beside_their_static_rivals)
{
    expect_not("backbone its MACs");
    add_front();
    expect("1 trial 3 1 86.00 % 4.00 M 3.50 M 75 25 front, best, chosen");
    expect("1 trial 3 90.00 % 8.00 M a 70.00 % 2.00 M 0.25");
    report.tested.exits[0].threshold = INFINITY;
    expect("a 70.00 % 2.00 M none");
    report.tested.exits[0].threshold = -INFINITY;
    expect("a 70.00 % 2.00 M all");
    expect("thresholds: all, none: so many leave there");
    report.tested.exits[0].threshold = 0.25;
    expect("2 trial 9 2 - - - best, failed: the loss is NaN");
    expect("2 trial 9 - - - - -");
    expect("front: networks of the search's Pareto front");
    report.tested = (eex_front){0};
}

Test(report_table, a_search_on_surrogates_tells_what_its_models_were_worth)
{
    eex_models_batch batches[] = {
        {8, {"rbf", "ridge"}, {0.5, 0.875}, -0.25, 1e6},
        {16, {"gp", "cart"}, {NAN, 1}, 0.5, 1.5e6},
    };
    report.models = (eex_models){2, 2, batches, {0.9, 8e6}};
    report.hypervolume = 2e6;
    report.front_count = 0;
    expect("8 trials rbf 0.50 ridge 0.88 -0.25 1.00 M");
    expect("16 trials gp - cart 1.00 0.50 1.50 M");
    expect("48 trials, all 2.00 M");
    expect("up to 0.9 and 8.00 M;");
    report.models = (eex_models){0};
}
