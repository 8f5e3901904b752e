/* What the printers of all commands share: lists, names of exits, and output that is not lost
 * silently. */
#ifndef EEX_CLI_PRINT_H
#define EEX_CLI_PRINT_H

#include "core/graph/graph.h"

#include "base/buffer.h"
#include "base/json.h"
#include "base/table.h"

#include <stdbool.h>

/* ---- texts ---- */

/* Appends a name as people read it: disarmed, and on one line (eex_text_disarm). */
void eex__put_name(eex_buffer *out, const char *name);

/* Appends a line that printf makes of names, disarmed like one; its end is appended. */
void eex__put_line(eex_buffer *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- members of a JSON object ---- */

void eex__json_doubles(eex_json *j, const char *key, const double *values, int count);
void eex__json_ints(eex_json *j, const char *key, const int *values, int count);

/* ---- exits ---- */

/* What the gate of exit k reads: the node's name. */
const char *eex__exit_node(const eex_graph *graph, int k);

/* The same for people, to whom the last exit is "the end". */
const char *eex__exit_name(const eex_graph *graph, int k);

/* ---- on the standard output ---- */

/* Prints what was filled into the text, unless `code` says that filling failed; frees the text in
 * any case. EEX_EIO when it cannot be written. */
int eex__print_text(eex_buffer *text, int code);

/* Whether what was printed so far has been taken, as far as it was sent off; `now`: all of it is.
 * EEX_EIO says that, and as far as it is known why, it was not. *unread: its reader has gone, which
 * is EEX_OK: nothing more is wanted. For whoever prints for long, and for the end. */
int eex__print_arrived(bool *unread, bool now);

/* The same of what people read: it is disarmed (eex_text_disarm), and lines that are wider than
 * there is room for are broken. */
int eex__print_report(eex_buffer *text, int code);

/* Prints text for reading: its paragraphs are filled anew for the width that there is, of at most
 * EEX_WRAP_WIDTH columns; frees the text. */
int eex__print_paragraphs(eex_buffer *text);

/* Prints a line with texts that come from files, disarmed (eex_text_disarm_printed) and broken
 * where it is wider than there is room for. */
void eex__print_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Appends the table as wide as the standard output has room for, and frees it. */
int eex__put_table(eex_buffer *out, eex_table *t);

/* Prints the table within the terminal's width, and frees it. */
int eex__print_table(eex_table *t);

#endif
