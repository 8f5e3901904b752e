/* Words and numbers as people write and read them. */
#ifndef EEX_BASE_TEXT_H
#define EEX_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The word most like `word` (fewest insertions, deletions, replacements and swaps of neighbours),
 * for "did you mean"; NULL when none is near. Borrowed from `words`. */
const char *eex_text_nearest(const char *word, const char *const *words, size_t count);

/* Columns that UTF-8 text takes on a terminal: combining marks 0, East Asian wide ones 2. */
size_t eex_text_width(const char *text);

/* Texts that come from files are shown to people: in place, what would move the cursor or change
 * the terminal becomes '?', but for those in `kept`: control characters, also those of two bytes,
 * and marks of three bytes that end a line or turn the direction of writing. */
void eex_text_disarm(char *text, const char *kept);

/* The same of what printf made of a format. Ends of lines and tabs are kept where the format has
 * some, or is "%s", which passes a whole text on; elsewhere they are those of a name in it, and the
 * line stays one. */
void eex_text_disarm_printed(char *text, const char *format);

/* Like vsnprintf, but what does not fit is left out in the middle, "...": a message begins with
 * what it is about and ends with what was expected, and what is too long is quoted in between.
 * False: nothing was printed. At least 16 bytes. */
bool eex_text_print(char *out, size_t size, const char *format, va_list args);

/* The same for text[0..length), which may be in the place of out. */
void eex_text_shorten(char *out, size_t size, const char *text, size_t length);

/* Copies as much of the text as there is room for, in whole characters: what is no UTF-8 becomes
 * '?'. For texts of people's that are stored, of which readers expect that they are UTF-8. */
void eex_text_clip(char *out, size_t size, const char *text);

/* A number for people, in three digits with SI prefix: "1.23 M", "999", "12.3 k", "0.05". With a
 * unit it follows the prefix: "1.23 MB". Returns `out`. */
enum { EEX_TEXT_SIZE = 48 };
const char *eex_text_number(char out[EEX_TEXT_SIZE], double value, const char *unit);

/* `value`, but 0 where it would be written as "-0" with so many digits behind the point. */
double eex_text_unsigned_zero(double value, int digits);

/* The end of a noun behind a count: "s", but "" behind 1. */
const char *eex_plural(int64_t count);

/* A short time in three digits: "12.3 ms", "1.50 s", "480 us". */
const char *eex_text_time(char out[EEX_TEXT_SIZE], double seconds);

/* A long one: "8 s", "3:05", "1:02:03". */
const char *eex_text_duration(char out[EEX_TEXT_SIZE], double seconds);

/* Strict parsing of a whole decimal number within min..max. EEX_EINVAL says
 * "<what>: an integer from <min> to <max>, got \"<text>\"". Doubles must be finite. */
int eex_text_parse_int(int64_t *out, const char *text, int64_t min, int64_t max, const char *what);
int eex_text_parse_double(double *out, const char *text, double min, double max, const char *what);

#endif
