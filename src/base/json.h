/* Writes JSON into a buffer: commas, indentation and escapes are taken care of, the caller sees to
 * it that begins and ends match and that each member of an object has its key.
 *
 *     eex_json json = EEX_JSON_INIT(&buffer);
 *     eex_json_object(&json, NULL);
 *     eex_json_double(&json, "accuracy", 0.86);
 *     eex_json_end(&json);
 *
 * `key` is NULL for a member of an array and for the outermost value. Memory failures stick in the
 * buffer. */
#ifndef EEX_BASE_JSON_H
#define EEX_BASE_JSON_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

enum { EEX_JSON_DEPTH = 64 };

typedef struct eex_json {
    eex_buffer *out;
    int depth;
    uint64_t arrays; /* bit d: the container at depth d is an array, */
    uint64_t filled; /* and it has a member already */
    bool compact;    /* everything on one line */
} eex_json;

#define EEX_JSON_INIT(buffer)    \
    {                            \
        (buffer), 0, 0, 0, false \
    }

/* Opens a container; at most EEX_JSON_DEPTH - 1 are open at once. */
void eex_json_object(eex_json *json, const char *key);
void eex_json_array(eex_json *json, const char *key);
void eex_json_end(eex_json *json); /* closes the innermost one */

/* Bytes that are not UTF-8 become U+FFFD; a NULL string becomes null. */
void eex_json_string(eex_json *json, const char *key, const char *value);
void eex_json_int(eex_json *json, const char *key, int64_t value);
void eex_json_uint(eex_json *json, const char *key, uint64_t value);
void eex_json_bool(eex_json *json, const char *key, bool value);
void eex_json_null(eex_json *json, const char *key);

/* The fewest digits that read back as the same double; NaN and infinities become null. */
void eex_json_double(eex_json *json, const char *key, double value);

#endif
