/* Reads the JSON that foreign files have in front of their data, strictly (RFC 8259), and in the
 * order of the text: the caller asks for what has to come next. Nothing is built, so memory is
 * bounded by what the caller keeps. */
#ifndef EEX_BASE_JSON_SCAN_H
#define EEX_BASE_JSON_SCAN_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct eex_json_scan {
    const char *begin, *at, *end; /* the text, where it is read, and its end */
} eex_json_scan;

/* Steps over blanks; whether the next character is `c`, which is stepped over too. */
bool eex_json_scan_char(eex_json_scan *scan, char c);

/* Steps over blanks; whether nothing follows. */
bool eex_json_scan_ended(eex_json_scan *scan);

/* The text of a string in UTF-8, over what `out` held. EEX_EFORMAT: there is none, its escapes or
 * bytes are no text, or it holds control characters, which no name has. */
int eex_json_scan_string(eex_json_scan *scan, eex_buffer *out);

/* Steps over a string that nobody reads: any of JSON, control characters too where they are
 * escaped. EEX_EFORMAT. */
int eex_json_scan_skip(eex_json_scan *scan);

/* A whole number of 0 to 2^64 - 1. EEX_EFORMAT. */
int eex_json_scan_number(eex_json_scan *scan, uint64_t *out);

/* "byte 17: expected `what`, got \"...\"". Returns EEX_EFORMAT. */
int eex_json_scan_fail(const eex_json_scan *scan, const char *what);

#endif
