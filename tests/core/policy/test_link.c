/* Split inference in milliseconds, and bandwidths from text. */
#include "core/policy/link.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

/* VGG16-BN with two exits on CIFAR-10 (Table V of the paper on early exit prediction, the exact
 * integers): FLOPs of the parts. */
static const double l1 = 1966080, e1 = 16695306, l2 = 56983552, e2 = 14233610, all = 333082634;

static eex_parts vgg(void)
{
    return (eex_parts){
        .exits = 3, .trunk = {l1, l2}, .gate = {e1, e2}, .server = all - l1 - l2, .bytes = 2048};
}

/* Section III: 66.62 %, 19.81 % and 13.57 % leave at the three exits. */
Test(link, the_worked_example)
{
    static const double share[] = {0.6662, 0.1981, 0.1357};
    const eex_parts s = vgg();
    double device = 0, oracle = 0;
    OK(eex_parts_check(&s));
    for (int k = 0; k < 3; k++) {
        double skipped = 0;
        for (int i = 0; i < k; i++) /* the oracle computes the gate alone where a sample leaves */
            skipped += s.gate[i];
        device += share[k] * eex_parts_device(&s, k) / 1e6;
        oracle += share[k] * (eex_parts_device(&s, k) - skipped) / 1e6;
    }
    const double server = share[2] * s.server / 1e6;
    cr_expect_float_eq(device, 42.44, 0.01, "%.4f", device);
    cr_expect_float_eq(device + server, 79.64, 0.01, "%.4f", device + server);
    cr_expect_float_eq(oracle, 34.93, 0.01, "%.4f", oracle);
    cr_expect_float_eq(oracle + server, 72.13, 0.01, "%.4f", oracle + server);
}

/* Equation 11 with a Raspberry Pi 3 at 1 Mbit/s. */
Test(link, latencies_are_equation_11)
{
    const eex_parts s = vgg();
    eex_line link = {.device = 3.62e9, .server = INFINITY, .bits = 1e6};
    double ms[3];
    OK(eex_line_costs(ms, &s, &link));
    cr_expect_float_eq(ms[0], (l1 + e1) / 3.62e6, 1e-9);
    cr_expect_float_eq(ms[1], (l1 + e1 + l2 + e2) / 3.62e6, 1e-9);
    cr_expect_float_eq(ms[2], ms[1] + 2048 * 8 / 1e3, 1e-9);
    link.server = 3.62e11;
    link.round_trip_ms = 2;
    OK(eex_line_costs(ms, &s, &link));
    cr_expect_float_eq(ms[2], ms[1] + 2048 * 8 / 1e3 + s.server / 3.62e8 + 2, 1e-9);
}

Test(link, a_predictor_is_in_front_and_an_encoder_behind)
{
    eex_parts s = vgg();
    const eex_line link = {.device = 1e9, .server = INFINITY, .bits = INFINITY};
    double plain[3], more[3];
    OK(eex_line_costs(plain, &s, &link));
    s.predictor = 398224;
    s.trunk[2] = 2e6;
    OK(eex_line_costs(more, &s, &link));
    cr_expect_float_eq(more[0] - plain[0], 0.398224, 1e-9);
    cr_expect_float_eq(more[1] - plain[1], 0.398224, 1e-9);
    cr_expect_float_eq(more[2] - plain[2], 2.398224, 1e-9);
}

Test(link, nonsense_is_refused)
{
    double ms[3];
    const eex_line good = {.device = 1e9, .server = INFINITY, .bits = 1e6};
    const eex_line bad[] = {{.device = 0, .server = 1e9, .bits = 1e6},
                            {.device = 1e9, .server = NAN, .bits = 1e6},
                            {.device = 1e9, .server = 1e9, .bits = -1},
                            {.device = 1e9, .server = 1e9, .bits = 1e6, .round_trip_ms = -1}};
    eex_parts s = vgg();
    for (int i = 0; i < 4; i++)
        cr_expect_eq(eex_line_costs(ms, &s, &bad[i]), EEX_EINVAL, "%d", i);
    s.gate[0] = NAN;
    cr_expect_eq(eex_line_costs(ms, &s, &good), EEX_EINVAL);
    s = vgg();
    s.exits = 1;
    cr_expect_eq(eex_line_costs(ms, &s, &good), EEX_EINVAL);
}

/* ---- bandwidths ---- */

Test(bandwidths, are_read_with_headings_and_comments)
{
    eex_bandwidths t;
    OK(eex_bandwidths_parse(&t, "seconds,mbit\n0,1.5\r\n\n# a tunnel\n10, 0.1\n12.5,20",
                            "walk.csv"));
    cr_assert_eq(t.count, 3);
    cr_expect_float_eq(eex_bandwidths_at(&t, -1), 1.5e6, 1e-3);
    cr_expect_float_eq(eex_bandwidths_at(&t, 9.99), 1.5e6, 1e-3);
    cr_expect_float_eq(eex_bandwidths_at(&t, 10), 0.1e6, 1e-3);
    cr_expect_float_eq(eex_bandwidths_at(&t, 1e6), 20e6, 1e-3);
    eex_bandwidths_free(&t);
    cr_assert_eq(t.count, 0);
}

static void refused(const char *text, const char *part)
{
    eex_bandwidths t;
    cr_assert_eq(eex_bandwidths_parse(&t, text, "walk.csv"), EEX_EFORMAT, "\"%s\"", text);
    cr_expect(strstr(eex_error(), part) && strstr(eex_error(), "walk.csv"),
              "\"%s\" does not say \"%s\"", eex_error(), part);
    cr_assert_eq(t.count, 0);
}

Test(bandwidths, bad_lines_are_named)
{
    refused("", "no line");
    refused("seconds,mbit\n", "no line");
    refused("0,1\nnonsense\n", "line 2");
    refused("0,1\n1\n", "line 2");
    refused("0,1\n1,2,3\n", "line 2");
    refused("0,1\n0,2\n", "later");
    refused("0,1\n2,1\n1,2\n", "line 3");
    refused("0,0\n", "Mbit/s");
    refused("0,-3\n", "Mbit/s");
    refused("0,nan\n1,nan\n", "line 1");
    refused("0,1\n1,inf\n", "line 2");
    refused("-1,1\n", "seconds");
    /* the first is a heading only where no number is in front */
    static const char *const first[] = {"0,nan", "0;1",   "0,1,2",  "0",
                                        " 0,x",  "-1,",   "1e9x,1", ".5.5,1",
                                        "5,",    "nan,1", "-inf,1", "\"0\",\"1\""};
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s\n1,2\n", first[i]);
        refused(text, "line 1");
    }
}

Test(bandwidths, a_mark_in_front_hides_no_line)
{
    eex_bandwidths t;
    OK(eex_bandwidths_parse(&t,
                            "\xef\xbb\xbf"
                            "0,1\n1,2\n",
                            "walk.csv"));
    cr_expect_eq(t.count, 2);
    eex_bandwidths_free(&t);
    OK(eex_bandwidths_parse(&t,
                            "\xef\xbb\xbf"
                            "time,rate\n1,2\n",
                            "walk.csv"));
    cr_expect_eq(t.count, 1);
    eex_bandwidths_free(&t);
    OK(eex_bandwidths_parse(&t, "information,rate\n1,2\n", "walk.csv"));
    cr_expect_eq(t.count, 1);
    eex_bandwidths_free(&t);
}
