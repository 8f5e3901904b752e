#include "cli/print.h"

#include "base/fs.h"
#include "base/status.h"
#include "base/terminal.h"
#include "base/text.h"
#include "base/wrap.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- texts ---- */

static void disarm_from(eex_buffer *out, size_t from)
{
    if (eex_buffer_status(out) == EEX_OK && out->size > from)
        eex_text_disarm(out->data + from, "");
}

void eex__put_name(eex_buffer *out, const char *name)
{
    const size_t from = out->size;
    eex_buffer_puts(out, name);
    disarm_from(out, from);
}

void eex__put_line(eex_buffer *out, const char *format, ...)
{
    const size_t from = out->size;
    va_list args;
    va_start(args, format);
    eex_buffer_vprintf(out, format, args);
    va_end(args);
    disarm_from(out, from);
    eex_buffer_putc(out, '\n');
}

/* ---- JSON ---- */

void eex__json_doubles(eex_json *j, const char *key, const double *values, int count)
{
    eex_json_array(j, key);
    for (int i = 0; i < count; i++)
        eex_json_double(j, NULL, values[i]);
    eex_json_end(j);
}

void eex__json_ints(eex_json *j, const char *key, const int *values, int count)
{
    eex_json_array(j, key);
    for (int i = 0; i < count; i++)
        eex_json_int(j, NULL, values[i]);
    eex_json_end(j);
}

/* ---- exits ---- */

const char *eex__exit_node(const eex_graph *graph, int k)
{
    return eex_graph_node(graph, eex_graph_exit(graph, k)->point)->name;
}

const char *eex__exit_name(const eex_graph *graph, int k)
{
    return eex_graph_exit(graph, k)->blocks < 0 ? "the end" : eex__exit_node(graph, k);
}

/* ---- the standard output ---- */

int eex__print_text(eex_buffer *text, int code)
{
    if (code == EEX_OK)
        code = eex_buffer_status(text);
    if (code == EEX_OK)
        fputs(eex_buffer_text(text), stdout); /* main asks whether it has arrived */
    eex_buffer_free(text);
    return code;
}

/* Nobody wants to be told of it. */
static bool reader_is_gone(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return errno == EPIPE || (poll(&out, 1, 0) == 1 && out.revents & POLLERR);
}

/* Of what is lost on the way the stream remembers that much, and not why. */
int eex__print_arrived(bool *unread, bool now)
{
    const bool lost = ferror(stdout) != 0;
    errno = 0;
    const bool failed = now && fflush(stdout) != 0;
    *unread = (lost || failed) && reader_is_gone();
    if ((!lost && !failed) || *unread)
        return EEX_OK;
    if (!eex_fs_has_output())
        return eex_fail(EEX_EIO, "cannot write to the standard output: it is closed; >/dev/null "
                                 "is for what nobody wants to see");
    return failed && errno
               ? eex_fail(EEX_EIO, "cannot write to the standard output: %s", strerror(errno))
               : eex_fail(EEX_EIO, "cannot write to the standard output: not all that "
                                   "was printed has arrived: is its disk full?");
}

int eex__print_report(eex_buffer *text, int code)
{
    eex_buffer out = EEX_BUFFER_INIT;
    if (code == EEX_OK)
        code = eex_buffer_status(text);
    if (code == EEX_OK && text->size > 0) {
        eex_text_disarm(text->data, "\n\t");
        eex_wrap(&out, text->data, eex__terminal_width(STDOUT_FILENO));
    }
    eex_buffer_free(text);
    return eex__print_text(&out, code);
}

int eex__print_paragraphs(eex_buffer *text)
{
    eex_buffer filled = EEX_BUFFER_INIT, out = EEX_BUFFER_INIT;
    const size_t width = eex__terminal_width(STDOUT_FILENO);
    int code = eex_buffer_status(text);
    eex_reflow(&filled, eex_buffer_text(text));
    eex_wrap(&out, eex_buffer_text(&filled),
             width > 0 && width < EEX_WRAP_WIDTH ? width : EEX_WRAP_WIDTH);
    if (code == EEX_OK)
        code = eex_buffer_status(&filled);
    eex_buffer_free(&filled);
    eex_buffer_free(text);
    return eex__print_text(&out, code);
}

void eex__print_line(const char *format, ...)
{
    eex_buffer text = EEX_BUFFER_INIT, out = EEX_BUFFER_INIT;
    va_list args;
    va_start(args, format);
    eex_buffer_vprintf(&text, format, args);
    va_end(args);
    if (eex_buffer_status(&text) == EEX_OK) {
        eex_text_disarm_printed(text.data, format);
        eex_wrap(&out, text.data, eex__terminal_width(STDOUT_FILENO));
    }
    if (eex_buffer_status(&out) == EEX_OK)
        puts(eex_buffer_text(&out));
    eex_buffer_free(&text);
    eex_buffer_free(&out);
}

int eex__put_table(eex_buffer *out, eex_table *t)
{
    int code = eex_table_format(out, t, eex__terminal_width(STDOUT_FILENO));
    eex_table_free(t);
    return code;
}

int eex__print_table(eex_table *t)
{
    int code = eex_table_print(stdout, t);
    eex_table_free(t);
    return code;
}
