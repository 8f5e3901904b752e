/* safetensors files: what is written is read; what does not fit is refused by what is wrong. */
#include "core/exchange/safetensors.h"
#include "support/devices.h"
#include "support/folder.h"
#include "support/net.h"

#include "base/fs.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static char folder[TEST_PATH_SIZE];

static void setup(void)
{
    test_folder_make(folder);
}

static void teardown(void)
{
    test_folder_remove(folder);
}

TestSuite(safetensors, .init = setup, .fini = teardown);

/* A file with this header and so many bytes behind it, all `fill`. */
static const char *file_of(const char *header, size_t bytes, char fill)
{
    const char *path = test_path(folder, "x.safetensors");
    eex_buffer b = EEX_BUFFER_INIT;
    const size_t length = strlen(header);
    for (int i = 0; i < 8; i++)
        eex_buffer_putc(&b, (char)(length >> (8 * i)));
    eex_buffer_puts(&b, header);
    eex_buffer_fill(&b, fill, bytes);
    OK(eex_fs_write(path, b.data, b.size));
    eex_buffer_free(&b);
    return path;
}

/* ---- what is fine ---- */

Test(safetensors, what_is_written_is_read)
{
    net n = net_open(net_tiny, 1, 1);
    eex_buffer b = EEX_BUFFER_INIT;
    eex_safetensors *f;
    const char *path = test_path(folder, "net.safetensors");
    OK(eex_safetensors_put(&b, n.params, "a \"name\""));
    OK(eex_fs_write(path, b.data, b.size));
    OK(eex_safetensors_open(&f, path));
    cr_expect_eq(eex_safetensors_count(f), eex_graph_params(n.graph));
    for (int i = 0; i < eex_graph_params(n.graph); i++) {
        const eex_param *p = eex_graph_param(n.graph, i);
        const int at = eex_safetensors_find(f, p->name);
        const eex_tensor *t = eex_safetensors_at(f, at);
        cr_assert_not_null(t, "%s", p->name);
        cr_expect_eq(t->rank, p->rank);
        for (int d = 0; d < p->rank; d++)
            cr_expect_eq(t->shape[d], (uint64_t)p->shape[d]);
        float *got = calloc(eex_param_count(p), sizeof *got),
              *want = calloc(eex_param_count(p), sizeof *want);
        OK(eex_safetensors_read(got, f, at));
        OK(eex_params_get(n.params, i, want));
        cr_expect_eq(memcmp(got, want, eex_param_count(p) * sizeof *got), 0, "%s", p->name);
        free(got);
        free(want);
    }
    eex_safetensors_close(f);
    eex_buffer_free(&b);
    net_close(&n);
}

Test(safetensors, numbers_of_all_sizes)
{
    static const uint16_t halves[] = {0x3c00, 0xc000, 0x0001, 0x7bff, 0x8400, 0x3555};
    static const float values[] = {1, -2, 0x1p-24f, 65504, -0x1p-14f, 0.333251953125f};
    eex_buffer b = EEX_BUFFER_INIT;
    eex_safetensors *f;
    float got[6];
    const char header[] = "{\"h\":{\"dtype\":\"F16\",\"shape\":[2,3],\"data_offsets\":[0,12]}} ";
    for (int i = 0; i < 8; i++)
        eex_buffer_putc(&b, (char)(strlen(header) >> (8 * i)));
    eex_buffer_puts(&b, header);
    eex_buffer_append(&b, halves, sizeof halves);
    OK(eex_fs_write(test_path(folder, "h"), b.data, b.size));
    eex_buffer_free(&b);
    OK(eex_safetensors_open(&f, test_path(folder, "h")));
    OK(eex_safetensors_read(got, f, 0));
    for (int i = 0; i < 6; i++)
        cr_expect_eq(got[i], values[i], "%x is %g", halves[i], (double)got[i]);
    eex_safetensors_close(f);
}

Test(safetensors, scalars_empty_tensors_and_escapes)
{
    eex_safetensors *f;
    const char *plain = "{\"__metadata__\":{\"a\":\"x\"},"
                        "\"e\":{\"shape\":[0,4],\"dtype\":\"F32\",\"data_offsets\":[0,0]},"
                        "\"\\u00e4\\ud83d\\ude00\":{\"dtype\":\"F32\",\"shape\":[],"
                        "\"data_offsets\":[0,4]}}   ";
    OK(eex_safetensors_open(&f, file_of(plain, 4, 0)));
    cr_expect_eq(eex_safetensors_count(f), 2);
    const int scalar = eex_safetensors_find(f, "\xc3\xa4\xf0\x9f\x98\x80");
    cr_assert_geq(scalar, 0);
    cr_expect_eq(eex_safetensors_at(f, scalar)->count, 1);
    cr_expect_eq(eex_safetensors_at(f, eex_safetensors_find(f, "e"))->count, 0);
    eex_safetensors_close(f);
    OK(eex_safetensors_open(&f, file_of("{}", 0, 0)));
    cr_expect_eq(eex_safetensors_count(f), 0);
    cr_expect_eq(eex_safetensors_find(f, "x"), -1);
    eex_safetensors_close(f);
}

/* What a file says of itself may be of several lines, and is skipped; what it is called may not. */
Test(safetensors, metadata_of_any_text)
{
    static const char *const texts[] = {"\\n", "line 1\\r\\nline 2\\t{\\\"a\\\": 1}",
                                        "\\b\\f\\u0000\\u001b[2J\\u007f\\u009f", "\x7f\xc2\x9f",
                                        "\\u00e9\\ud83d\\ude00\xc3\xa9"};
    static const char *const wrong[] = {"\n",      "\t",   "\x1b",  "\\x",
                                        "\\ud800", "\xff", "\\u12", "\\"};
    char header[200];
    eex_safetensors *f;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        snprintf(header, sizeof header, " { \"__metadata__\" : {\"a\":\"%s\", \"%s\":\"\"} \n}",
                 texts[i], texts[i]);
        OK(eex_safetensors_open(&f, file_of(header, 0, 0)));
        eex_safetensors_close(f);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(header, sizeof header, "{\"__metadata__\":{\"a\":\"%s\"}}", wrong[i]);
        cr_expect_eq(eex_safetensors_open(&f, file_of(header, 0, 0)), EEX_EFORMAT, "%zu", i);
    }
}

/* ---- what is not ---- */

#define F32(name, shape, from, to) \
    "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" #from "," #to "]}"

static const struct {
    const char *header, *says;
    size_t bytes;
    int code; /* 0: EEX_EFORMAT */
} hostile[] = {
    {"", "expected {", 0, 0},
    {"[]", "expected {", 0, 0},
    {"{", "expected a string", 0, 0},
    {"{\"a\"", "expected :", 0, 0},
    {"{} x", "expected the end", 0, 0},
    {"{\"a\":{}}", "expected a string", 0, 0},
    {"{\"a\":1}", "expected {", 0, 0},
    {"{" F32("a", "[1]", 0, 4) ",}", "expected a string", 4, 0},
    {"{" F32("a", "[1]", 0, 4) "," F32("a", "[1]", 4, 8) "}", "two tensors are called \"a\"", 8, 0},
    {"{" F32("a", "[1]", 0, 4) "," F32("b", "[1]", 0, 4) "}", "within another", 4, 0},
    {"{" F32("a", "[2]", 0, 8) "," F32("b", "[1]", 4, 8) "}", "within another", 8, 0},
    {"{" F32("a", "[1]", 0, 4) "," F32("b", "[1]", 8, 12) "}", "with a gap", 12, 0},
    {"{" F32("a", "[1]", 4, 8) "}", "with a gap", 8, 0},
    {"{" F32("a", "[1]", 0, 4) "}", "end at byte 4 of 5", 5, 0},
    {"{" F32("a", "[2]", 0, 8) "}", "bytes 0 to 8 of 7", 7, 0},
    {"{" F32("a", "[1]", 8, 4) "}", "bytes 8 to 4", 8, 0},
    {"{" F32("a", "[2]", 0, 4) "}", "a shape of 8 bytes and a place of 4", 4, 0},
    {"{" F32("a", "[4294967296,4294967296]", 0, 0) "}", "more than 2^64", 0, 0},
    {"{" F32("a", "[4611686018427387904]", 0, 0) "}", "more than 2^64", 0, 0},
    {"{" F32("a", "[0,18446744073709551615,18446744073709551615]", 0, 4) "}", "a place of 4", 4, 0},
    {"{" F32("a", "[18446744073709551616]", 0, 4) "}", "below 2^64", 4, 0},
    {"{" F32("a", "[1]", 0, 18446744073709551615) "}", "bytes 0 to 18446744073709551615", 4, 0},
    {"{" F32("a", "[-1]", 0, 4) "}", "a whole number", 4, 0},
    {"{" F32("a", "[1.0]", 0, 4) "}", "a whole number", 4, 0},
    {"{" F32("a", "[1e0]", 0, 4) "}", "a whole number", 4, 0},
    {"{" F32("a", "[01]", 0, 4) "}", "a whole number", 4, 0},
    {"{" F32("a", "[1,1,1,1,1,1,1,1,1]", 0, 4) "}", "too many numbers", 4, 0},
    {"{" F32("", "[1]", 0, 4) "}", "name has 0 bytes", 4, 0},
    {"{" F32("a\\u001b[2J", "[1]", 0, 4) "}", "a printable character", 4, 0},
    {"{" F32("a\\u0000b", "[1]", 0, 4) "}", "a printable character", 4, 0},
    {"{" F32("a\\ud800", "[1]", 0, 4) "}", "a printable character", 4, 0},
    {"{" F32("a\\x", "[1]", 0, 4) "}", "a printable character", 4, 0},
    {"{" F32("\xc0\x80", "[1]", 0, 4) "}", "a printable character", 4, 0},
    {"{" F32("\xff", "[1]", 0, 4) "}", "a printable character", 4, 0},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", "lacks its", 4, 0},
    {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", "two of member \"dtype\"", 4, 0},
    {"{\"a\":{\"x\":1}}", "an unknown member \"x\"", 4, 0},
    {"{\"a\":{\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,4]}}", "does not exist", 4, 0},
    {"{\"a\":{\"dtype\":\"F4\",\"shape\":[8],\"data_offsets\":[0,4]}}", "no whole bytes", 4,
     EEX_EUNSUPPORTED},
    {"{\"a\":{\"dtype\":\"F6_E2M3\",\"shape\":[4],\"data_offsets\":[0,3]}}", "no whole bytes", 3,
     EEX_EUNSUPPORTED},
    {"{\"__metadata__\":{\"a\":1}}", "expected a string", 0, 0},
    {"{\"__metadata__\":[]}", "expected {", 0, 0},
};

Test(safetensors, hostile_headers)
{
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        eex_safetensors *f = NULL;
        const int code = eex_safetensors_open(&f, file_of(hostile[i].header, hostile[i].bytes, 0));
        cr_expect_eq(code, hostile[i].code ? hostile[i].code : EEX_EFORMAT, "%s: %d",
                     hostile[i].header, code);
        cr_expect(strstr(eex_error(), hostile[i].says), "%s: %s", hostile[i].header, eex_error());
        cr_expect(strstr(eex_error(), "x.safetensors"), "%s", eex_error());
        cr_expect_null(f);
        eex_safetensors_close(f);
    }
}

/* Headers that claim, or have, more than anybody needs. */
Test(safetensors, large_headers)
{
    eex_safetensors *f = NULL;
    const char *path = test_path(folder, "large");
    static const uint64_t lengths[] = {UINT64_MAX, 1ULL << 63, 100 << 20, 1000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char bytes[16] = "";
        memcpy(bytes, &lengths[i], 8);
        OK(eex_fs_write(path, bytes, sizeof bytes));
        cr_expect_eq(eex_safetensors_open(&f, path), EEX_EFORMAT);
        cr_expect(strstr(eex_error(), "in a file of 16"), "%s", eex_error());
    }
    eex_buffer b = EEX_BUFFER_INIT;
    const uint64_t length = EEX_SAFETENSORS_HEADER + 1;
    eex_buffer_append(&b, &length, 8);
    eex_buffer_fill(&b, ' ', length);
    OK(eex_fs_write(path, b.data, b.size));
    eex_buffer_free(&b);
    cr_expect_eq(eex_safetensors_open(&f, path), EEX_EFORMAT);
    cr_expect(strstr(eex_error(), "more than"), "%s", eex_error());
    OK(eex_fs_write(path, "short", 5));
    cr_expect_eq(eex_safetensors_open(&f, path), EEX_EFORMAT);
    cr_expect_eq(eex_safetensors_open(&f, test_path(folder, "absent")), EEX_ENOTFOUND);
    cr_expect_lt(eex_safetensors_open(&f, folder), 0);
}

Test(safetensors, too_many_tensors)
{
    eex_buffer b = EEX_BUFFER_INIT;
    eex_safetensors *f = NULL;
    for (int i = 0; i <= EEX_SAFETENSORS_TENSORS; i++)
        eex_buffer_printf(&b, "%s\"%d\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}",
                          i ? "," : "{", i);
    eex_buffer_puts(&b, "}");
    cr_expect_eq(eex_safetensors_open(&f, file_of(eex_buffer_text(&b), 0, 0)), EEX_EFORMAT);
    cr_expect(strstr(eex_error(), "more than 65536 tensors"), "%s", eex_error());
    eex_buffer_free(&b);
}

Test(safetensors, values_that_cannot_be)
{
    eex_safetensors *f;
    float values[2] = {0};
    OK(eex_safetensors_open(&f, file_of("{" F32("a", "[2]", 0, 8) "}", 8, (char)0xff)));
    cr_expect_eq(eex_safetensors_read(values, f, 0), EEX_EFORMAT);
    cr_expect(strstr(eex_error(), "element 0 of \"a\""), "%s", eex_error());
    eex_safetensors_close(f);
    OK(eex_safetensors_open(
        &f, file_of("{\"a\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8, 0)));
    cr_expect_eq(eex_safetensors_read(values, f, 0), EEX_EINVAL);
    cr_expect(strstr(eex_error(), "of type I64"), "%s", eex_error());
    cr_expect_eq(eex_safetensors_read(values, f, 1), EEX_EINVAL);
    eex_safetensors_close(f);
}
