/* Messages are what they were when they were written, whole or in pieces; all others are refused,
 * by their header where that tells. */
#include "net/wire.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROW_BYTES = 24, ROOM = 1024 };

static eex_hello some_hello(void)
{
    eex_hello h = {.version = EEX_WIRE_VERSION, .exit = 3, .bits = 8, .row_bytes = 1ull << 33};
    memset(h.predictor, 0x33, sizeof h.predictor);
    memset(h.model, 0xa5, sizeof h.model);
    memset(h.policy, 0x5a, sizeof h.policy);
    return h;
}

/* Reads it from memory of its own size, so that a sanitizer sees what is read beyond. */
static int read_copy(eex_message *out, size_t *used, const unsigned char *bytes, size_t size,
                     eex_sender sender, uint64_t row_bytes)
{
    static unsigned char copy[ROOM];
    unsigned char *own = size ? malloc(size) : copy;
    memcpy(own, bytes, size);
    const int code = eex_wire_read(out, used, own, size, sender, row_bytes);
    if (size)
        free(own);
    return code;
}

/* Needs all of it, and says so until then. */
static eex_message whole(const unsigned char *bytes, size_t size, eex_sender sender)
{
    eex_message m = {0};
    size_t used;
    const uint64_t row_bytes = bytes[4] == EEX_HELLO ? 0 : ROW_BYTES;
    for (size_t some = 0; some < size; some++) {
        cr_assert_eq(read_copy(&m, &used, bytes, some, sender, row_bytes), EEX_OK, "%s",
                     eex_error());
        cr_assert_eq(used, 0, "%zu of %zu bytes", some, size);
    }
    cr_assert_eq(eex_wire_read(&m, &used, bytes, size, sender, row_bytes), EEX_OK, "%s",
                 eex_error());
    cr_assert_eq(used, size);
    return m;
}

Test(wire, hello_and_welcome)
{
    unsigned char bytes[ROOM];
    const eex_hello h = some_hello();
    cr_assert_eq(eex_wire_hello(bytes, &h), EEX_WIRE_HELLO);
    eex_message m = whole(bytes, EEX_WIRE_HELLO, EEX_FROM_DEVICE);
    cr_expect_eq(m.kind, EEX_HELLO);
    cr_expect(m.as.hello.exit == 3 && m.as.hello.bits == 8 && m.as.hello.row_bytes == 1ull << 33);
    cr_expect_eq(memcmp(m.as.hello.model, h.model, sizeof h.model), 0);
    cr_expect_eq(memcmp(m.as.hello.policy, h.policy, sizeof h.policy), 0);
    cr_expect_eq(memcmp(m.as.hello.predictor, h.predictor, sizeof h.predictor), 0);
    cr_assert_eq(eex_wire_welcome(bytes, 64), EEX_WIRE_WELCOME);
    m = whole(bytes, EEX_WIRE_WELCOME, EEX_FROM_SERVER);
    cr_expect(m.kind == EEX_WELCOME && m.as.welcome.window == 64);
}

Test(wire, rows_and_results)
{
    unsigned char bytes[ROOM], payload[ROW_BYTES];
    for (int i = 0; i < ROW_BYTES; i++)
        payload[i] = (unsigned char)(7 * i);
    const size_t size = eex_wire_row(bytes, 1ull << 40, payload, ROW_BYTES);
    cr_assert_eq(size, EEX_WIRE_ROW + ROW_BYTES);
    eex_message m = whole(bytes, size, EEX_FROM_DEVICE);
    cr_expect(m.kind == EEX_ROW && m.as.row.id == 1ull << 40);
    cr_expect_eq(memcmp(m.as.row.payload, payload, ROW_BYTES), 0);
    const eex_result r = {.top = 9,
                          .exit = 4,
                          .decision = EEX_REJECT,
                          .confidence = 0.25f,
                          .margin = -0.0f,
                          .entropy = INFINITY};
    cr_assert_eq(eex_wire_result(bytes, 77, &r), EEX_WIRE_RESULT);
    m = whole(bytes, EEX_WIRE_RESULT, EEX_FROM_SERVER);
    const eex_result *got = &m.as.result.result;
    cr_expect(m.as.result.id == 77 && got->top == 9 && got->exit == 4);
    cr_expect(got->decision == EEX_REJECT && got->confidence == 0.25f);
    cr_expect(signbit(got->margin) && isinf(got->entropy));
}

Test(wire, refusals_are_disarmed_and_cut)
{
    unsigned char bytes[ROOM];
    char text[2 * EEX_WIRE_TEXT];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    memcpy(text, "\033[2J", 4);
    const size_t size = eex_wire_refused(bytes, EEX_REFUSED_MODEL, text);
    cr_assert_eq(size, EEX_WIRE_REFUSED_MOST);
    const eex_message m = whole(bytes, size, EEX_FROM_SERVER);
    cr_expect(m.kind == EEX_REFUSED && m.as.refused.why == EEX_REFUSED_MODEL);
    cr_expect_eq(strlen(m.as.refused.text), EEX_WIRE_TEXT);
    cr_expect_null(strchr(m.as.refused.text, '\033'));
    cr_assert_eq(eex_wire_goodbye(bytes), EEX_WIRE_GOODBYE);
    cr_expect_eq(whole(bytes, EEX_WIRE_GOODBYE, EEX_FROM_SERVER).kind, EEX_GOODBYE);
}

Test(wire, other_versions_are_told_apart)
{
    unsigned char bytes[ROOM];
    eex_hello h = some_hello();
    h.version = 9;
    eex_wire_hello(bytes, &h);
    eex_message m = whole(bytes, EEX_WIRE_HELLO, EEX_FROM_DEVICE);
    cr_expect(m.as.hello.version == 9 && m.as.hello.row_bytes == 0);
    bytes[0] = 200; /* longer than ours */
    m = whole(bytes, 208, EEX_FROM_DEVICE);
    cr_expect_eq(m.as.hello.version, 9);
}

/* A header alone is enough to refuse it. */
static void refuse_header(const char *what, uint32_t body, unsigned char kind, unsigned char zero,
                          eex_sender sender, uint64_t row_bytes)
{
    const unsigned char bytes[8] = {(unsigned char)body,
                                    (unsigned char)(body >> 8),
                                    (unsigned char)(body >> 16),
                                    (unsigned char)(body >> 24),
                                    kind,
                                    zero,
                                    0,
                                    0};
    eex_message m;
    size_t used;
    cr_expect_eq(read_copy(&m, &used, bytes, 8, sender, row_bytes), EEX_EFORMAT, "%s", what);
}

Test(wire, headers_that_lie_are_refused_at_once)
{
    refuse_header("no kind", 0, 0, 0, EEX_FROM_DEVICE, 0);
    refuse_header("no such kind", 0, 7, 0, EEX_FROM_SERVER, 0);
    refuse_header("zeros that are none", 88, EEX_HELLO, 1, EEX_FROM_DEVICE, 0);
    refuse_header("a server's from a device", 8, EEX_WELCOME, 0, EEX_FROM_DEVICE, 0);
    refuse_header("a device's from a server", 88, EEX_HELLO, 0, EEX_FROM_SERVER, 0);
    refuse_header("a small hello", 9, EEX_HELLO, 0, EEX_FROM_DEVICE, 0);
    refuse_header("a huge hello", UINT32_MAX, EEX_HELLO, 0, EEX_FROM_DEVICE, 0);
    refuse_header("a row too early", 8 + ROW_BYTES, EEX_ROW, 0, EEX_FROM_DEVICE, 0);
    refuse_header("a short row", 7 + ROW_BYTES, EEX_ROW, 0, EEX_FROM_DEVICE, ROW_BYTES);
    refuse_header("a long row", 9 + ROW_BYTES, EEX_ROW, 0, EEX_FROM_DEVICE, ROW_BYTES);
    refuse_header("a long refusal", 405, EEX_REFUSED, 0, EEX_FROM_SERVER, 0);
    refuse_header("a result of nothing", 0, EEX_RESULT, 0, EEX_FROM_SERVER, 0);
}
