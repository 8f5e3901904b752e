#include "base/json.h"
#include "base/rng.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static eex_buffer out;

static void begin(void)
{
    eex_buffer_clear(&out);
}

static void end(void)
{
    eex_buffer_free(&out);
}

TestSuite(json, .init = begin, .fini = end);

static const char *string_as_json(const char *text)
{
    eex_json json = EEX_JSON_INIT(&out);
    eex_buffer_clear(&out);
    eex_json_string(&json, NULL, text);
    return eex_buffer_text(&out);
}

static const char *double_as_json(double value)
{
    eex_json json = EEX_JSON_INIT(&out);
    eex_buffer_clear(&out);
    eex_json_double(&json, NULL, value);
    return eex_buffer_text(&out);
}

static void write_sample(eex_json *json)
{
    eex_json_object(json, NULL);
    eex_json_string(json, "name", "run");
    eex_json_array(json, "exits");
    eex_json_int(json, NULL, -3);
    eex_json_uint(json, NULL, UINT64_MAX);
    eex_json_object(json, NULL);
    eex_json_end(json);
    eex_json_array(json, NULL);
    eex_json_end(json);
    eex_json_end(json);
    eex_json_bool(json, "done", true);
    eex_json_null(json, "none");
    eex_json_end(json);
}

Test(json, containers_commas_and_indentation)
{
    eex_json json = EEX_JSON_INIT(&out);
    write_sample(&json);
    cr_assert_str_eq(eex_buffer_text(&out), "{\n"
                                            "  \"name\": \"run\",\n"
                                            "  \"exits\": [\n"
                                            "    -3,\n"
                                            "    18446744073709551615,\n"
                                            "    {},\n"
                                            "    []\n"
                                            "  ],\n"
                                            "  \"done\": true,\n"
                                            "  \"none\": null\n"
                                            "}");
}

Test(json, compact_is_one_line)
{
    eex_json json = EEX_JSON_INIT(&out);
    json.compact = true;
    write_sample(&json);
    cr_assert_str_eq(eex_buffer_text(&out),
                     "{\"name\": \"run\", \"exits\": [-3, 18446744073709551615, {}, []], "
                     "\"done\": true, \"none\": null}");
}

Test(json, strings_are_escaped)
{
    cr_assert_str_eq(string_as_json("a\"b\\c\n\r\t\x01\x7f/"),
                     "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u007f/\"");
    cr_assert_str_eq(string_as_json("µ \xe6\x97\xa5 \xf0\x9f\x98\x80"),
                     "\"µ \xe6\x97\xa5 \xf0\x9f\x98\x80\"");
    cr_assert_str_eq(string_as_json(NULL), "null");
}

Test(json, bytes_that_are_no_utf8_are_replaced)
{
    const char *const bad[] = {
        "\xff",             /* never valid */
        "\x80",             /* a continuation alone */
        "\xc3",             /* cut off by the end */
        "\xe2\x82",         /* likewise: two bytes, two replacements */
        "\xc0\xaf",         /* overlong */
        "\xed\xa0\x80",     /* a surrogate */
        "\xf4\x90\x80\x80", /* beyond U+10FFFF */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char expected[64] = "\"";
        for (size_t k = 0; k < strlen(bad[i]); k++)
            strcat(expected, "\xef\xbf\xbd");
        strcat(expected, "\"");
        cr_assert_str_eq(string_as_json(bad[i]), expected, "case %zu", i);
    }
}

Test(json, doubles_are_shortest)
{
    cr_assert_str_eq(double_as_json(0.1), "0.1");
    cr_assert_str_eq(double_as_json(0.86), "0.86");
    cr_assert_str_eq(double_as_json(1.0 / 3.0), "0.3333333333333333");
    cr_assert_str_eq(double_as_json(6127594.0), "6127594");
    cr_assert_str_eq(double_as_json(5e-324), "5e-324");
    cr_assert_str_eq(double_as_json(-0.0), "-0");
    cr_assert_str_eq(double_as_json(NAN), "null");
    cr_assert_str_eq(double_as_json(-INFINITY), "null");
}

Test(json, doubles_read_back_exactly)
{
    eex_rng rng;
    eex_rng_seed(&rng, 1, 0);
    for (int i = 0; i < 20000; i++) {
        const uint64_t bits = eex_rng_next(&rng);
        double value;
        memcpy(&value, &bits, sizeof value);
        if (isfinite(value))
            cr_assert_eq(strtod(double_as_json(value), NULL), value, "%a", value);
    }
}

Test(json, too_deep_is_a_failure_not_an_overflow)
{
    eex_json json = EEX_JSON_INIT(&out);
    for (int i = 0; i < 200; i++)
        eex_json_array(&json, NULL);
    cr_assert(eex_buffer_status(&out) < 0);
}
