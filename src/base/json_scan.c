#include "base/json_scan.h"

#include "base/status.h"
#include "base/text.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

static void skip_blanks(eex_json_scan *s)
{
    while (s->at < s->end && strchr(" \t\r\n", *s->at) && *s->at)
        s->at++;
}

bool eex_json_scan_char(eex_json_scan *s, char c)
{
    skip_blanks(s);
    if (s->at == s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

bool eex_json_scan_ended(eex_json_scan *s)
{
    skip_blanks(s);
    return s->at == s->end;
}

int eex_json_scan_fail(const eex_json_scan *s, const char *what)
{
    char near[24];
    const size_t left = (size_t)(s->end - s->at);
    snprintf(near, sizeof near, "%.*s", (int)(left < 20 ? left : 20), s->at);
    eex_text_disarm(near, "");
    return eex_fail(EEX_EFORMAT, "byte %td: expected %s, got %s%s%s", s->at - s->begin, what,
                    left ? "\"" : "the end", left ? near : "", left ? "\"" : "");
}

/* ---- strings ---- */

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;
    if (!at)
        return -1;
    return (int)(at - digits) - (at - digits > 15 ? 6 : 0);
}

/* The four digits of "\uXXXX"; -1. */
static int32_t hex_four(eex_json_scan *s)
{
    int32_t code = 0;
    if (s->end - s->at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        const int digit = hex_digit(s->at[i]);
        if (digit < 0)
            return -1;
        code = code * 16 + digit;
    }
    s->at += 4;
    return code;
}

/* A character behind "\u", of two such escapes beyond U+FFFF; -1. */
static int32_t escaped_code(eex_json_scan *s)
{
    const int32_t first = hex_four(s);
    if (first < 0xd800 || first > 0xdfff)
        return first;
    if (first > 0xdbff || s->end - s->at < 2 || s->at[0] != '\\' || s->at[1] != 'u')
        return -1;
    s->at += 2;
    const int32_t second = hex_four(s);
    if (second < 0xdc00 || second > 0xdfff)
        return -1;
    return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

/* A character behind a backslash; -1. */
static int32_t escaped(eex_json_scan *s)
{
    static const char letters[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
    if (s->at == s->end)
        return -1;
    const char c = *s->at++;
    if (c == 'u')
        return escaped_code(s);
    const char *at = c ? strchr(letters, c) : NULL;
    return at ? means[at - letters] : -1;
}

/* A character as it stands; -1 where the bytes are no UTF-8. */
static int32_t plain(eex_json_scan *s)
{
    char bytes[5] = "";
    const size_t left = (size_t)(s->end - s->at);
    const char *next = bytes;
    memcpy(bytes, s->at, left < 4 ? left : 4);
    if (!*bytes)
        return -1;
    const uint32_t code = eex__utf8_next(&next);
    if (code == 0xfffd && memcmp(bytes, "\xef\xbf\xbd", 3) != 0)
        return -1;
    s->at += next - bytes;
    return (int32_t)code;
}

/* Without a place for it, control characters may be escaped: nobody prints them. */
static int read_character(eex_json_scan *s, eex_buffer *out)
{
    char bytes[4];
    const bool backslash = *s->at == '\\';
    const char *const begin = s->at;
    s->at += backslash;
    const int32_t code = backslash ? escaped(s) : plain(s);
    const bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    if (code < 0 || (control && (out || (!backslash && code < 0x20)))) {
        s->at = begin;
        return eex_json_scan_fail(s, out ? "a printable character of a string"
                                         : "a character of a string");
    }
    if (out)
        eex_buffer_append(out, bytes, eex__utf8_encode(bytes, (uint32_t)code));
    return EEX_OK;
}

static int read_string(eex_json_scan *s, eex_buffer *out)
{
    if (!eex_json_scan_char(s, '"'))
        return eex_json_scan_fail(s, "a string");
    while (s->at < s->end && *s->at != '"')
        EEX_TRY(read_character(s, out));
    if (s->at == s->end)
        return eex_json_scan_fail(s, "the end of a string");
    s->at++;
    return EEX_OK;
}

int eex_json_scan_string(eex_json_scan *s, eex_buffer *out)
{
    eex_buffer_clear(out);
    EEX_TRY(read_string(s, out));
    return eex_buffer_status(out);
}

int eex_json_scan_skip(eex_json_scan *s)
{
    return read_string(s, NULL);
}

/* ---- numbers ---- */

int eex_json_scan_number(eex_json_scan *s, uint64_t *out)
{
    uint64_t value = 0;
    skip_blanks(s);
    const char *const begin = s->at;
    for (; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++) {
        const uint64_t digit = (uint64_t)(*s->at - '0');
        if (value > (UINT64_MAX - digit) / 10) {
            s->at = begin;
            return eex_json_scan_fail(s, "a number below 2^64");
        }
        value = value * 10 + digit;
    }
    const bool fraction = s->at < s->end && strchr(".eE", *s->at) && *s->at;
    if (s->at == begin || (*begin == '0' && s->at - begin > 1) || fraction) {
        s->at = begin;
        return eex_json_scan_fail(s, "a whole number, not below 0");
    }
    *out = value;
    return EEX_OK;
}
