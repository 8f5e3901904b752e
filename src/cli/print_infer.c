#include "cli/print_infer.h"

#include "cli/print.h"

#include "base/buffer.h"
#include "base/json.h"
#include "base/status.h"
#include "base/terminal.h"
#include "base/text.h"
#include "base/utf8.h"

#include <string.h>
#include <unistd.h>

enum { NARROWEST_NAME = 12, WIDEST_CLASS = 24, CELL = 512 };

static const char *const titles[EEX__INFER_COLUMNS] = {"input",    "class", "confidence", "exit",
                                                       "decision", "ms",    "right"};

int eex__infer_right(const eex_frame *frame, const eex_result *result)
{
    if (frame->label < 0)
        return -1;
    return result->decision == EEX_ACCEPT && result->top == frame->label;
}

/* ---- JSON ---- */

static void json_input(eex_json *j, const eex__infer_printer *p, const eex_frame *frame)
{
    if (p->split) {
        eex_json_string(j, "split", p->split);
        eex_json_int(j, "sample", frame->sample);
    } else {
        eex_json_string(j, "file", frame->name);
    }
}

static void json_result(eex_json *j, const eex__infer_printer *p, const eex_frame *frame,
                        const eex_result *r, double ms)
{
    const int right = eex__infer_right(frame, r);
    eex_json_int(j, "class", r->top);
    eex_json_string(j, "name", p->model->input.classes.item[r->top]);
    eex_json_double(j, "confidence", (double)r->confidence);
    eex_json_double(j, "margin", (double)r->margin);
    eex_json_double(j, "entropy", (double)r->entropy);
    eex_json_int(j, "exit", r->exit + 1);
    eex_json_string(j, "node", eex__exit_node(p->model->graph, r->exit));
    eex_json_bool(j, "accepted", r->decision == EEX_ACCEPT);
    eex_json_double(j, "latency_ms", ms);
    if (right >= 0) {
        eex_json_int(j, "label", frame->label);
        eex_json_bool(j, "right", right > 0);
    }
}

static int json_row(const eex__infer_printer *p, const eex_frame *frame, const eex_result *result,
                    double ms)
{
    eex_buffer line = EEX_BUFFER_INIT;
    eex_json json = EEX_JSON_INIT(&line);
    json.compact = true;
    eex_json_object(&json, NULL);
    json_input(&json, p, frame);
    if (result)
        json_result(&json, p, frame, result, ms);
    else
        eex_json_string(&json, "error", frame->problem);
    eex_json_end(&json);
    eex_buffer_putc(&line, '\n');
    return eex__print_text(&line, EEX_OK);
}

/* ---- the table ---- */

static int widest_class(const eex_model *model)
{
    size_t widest = strlen(titles[EEX__INFER_CLASS]);
    for (size_t c = 0; c < model->input.classes.count; c++) {
        const size_t width = eex_text_width(model->input.classes.item[c]);
        widest = width > widest ? width : widest;
    }
    return (int)(widest < WIDEST_CLASS ? widest : WIDEST_CLASS);
}

static int total(const eex__infer_printer *p)
{
    int sum = -2; /* two blanks between columns */
    for (int i = 0; i < EEX__INFER_COLUMNS; i++)
        sum += p->width[i] ? p->width[i] + 2 : 0;
    return sum;
}

/* Drops columns until the rest leaves room for names. */
static void fit(eex__infer_printer *p, int terminal)
{
    static const eex__infer_column least[] = {EEX__INFER_MS, EEX__INFER_RIGHT, EEX__INFER_DECISION,
                                              EEX__INFER_EXIT, EEX__INFER_CONFIDENCE};
    const int name = p->width[EEX__INFER_INPUT];
    const int spare = name > NARROWEST_NAME ? name - NARROWEST_NAME : 0;
    for (size_t i = 0; i < sizeof least / sizeof *least && total(p) - spare > terminal; i++)
        p->width[least[i]] = 0;
    if (total(p) > terminal)
        p->width[EEX__INFER_INPUT] -= total(p) - terminal < spare ? total(p) - terminal : spare;
}

/* Cuts text to some columns and takes out what would move the cursor; keep: the end of it rather
 * than the beginning. */
static void cut(eex_buffer *out, const char *text, int columns, bool keep_end)
{
    size_t width = eex_text_width(text);
    const bool whole = width <= (size_t)columns;
    const char *from = text;
    while (keep_end && width + 2 > (size_t)columns && !whole && *from)
        width -= (size_t)eex__utf8_columns(eex__utf8_next(&from));
    if (keep_end && !whole)
        eex_buffer_puts(out, "..");
    int room = keep_end && !whole ? columns - 2 : columns;
    while (*from) {
        char bytes[4];
        const uint32_t c = eex__utf8_next(&from);
        room -= eex__utf8_columns(c);
        if (room < 0)
            break;
        if (c < 32 || (c >= 127 && c < 160))
            eex_buffer_putc(out, '?');
        else
            eex_buffer_append(out, bytes, eex__utf8_encode(bytes, c));
    }
}

static void put_cell(eex_buffer *line, const eex__infer_printer *p, eex__infer_column column,
                     const char *text)
{
    const int width = p->width[column];
    const bool right = column >= EEX__INFER_CONFIDENCE && column != EEX__INFER_DECISION &&
                       column != EEX__INFER_RIGHT;
    eex_buffer cell = EEX_BUFFER_INIT;
    if (width == 0)
        return;
    cut(&cell, text, width, column == EEX__INFER_INPUT);
    const size_t have = eex_text_width(eex_buffer_text(&cell));
    const size_t blanks = have < (size_t)width ? (size_t)width - have : 0;
    if (line->size > 0)
        eex_buffer_puts(line, "  ");
    if (right)
        eex_buffer_fill(line, ' ', blanks);
    eex_buffer_puts(line, eex_buffer_text(&cell));
    if (!right)
        eex_buffer_fill(line, ' ', blanks);
    eex_buffer_free(&cell);
}

static int put_line(eex_buffer *line)
{
    while (line->size > 0 && line->data[line->size - 1] == ' ')
        line->data[--line->size] = '\0';
    eex_buffer_putc(line, '\n');
    return eex__print_text(line, EEX_OK);
}

static void put_number(eex_buffer *line, const eex__infer_printer *p, eex__infer_column column,
                       int digits, double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.*f", digits, value);
    put_cell(line, p, column, text);
}

static void put_result(eex_buffer *line, const eex__infer_printer *p, const eex_frame *frame,
                       const eex_result *r, double ms)
{
    static const char *const says[] = {"", "no", "yes"};
    char text[32];
    put_cell(line, p, EEX__INFER_CLASS, p->model->input.classes.item[r->top]);
    put_number(line, p, EEX__INFER_CONFIDENCE, 3, (double)r->confidence);
    snprintf(text, sizeof text, "%d/%d", r->exit + 1, eex_graph_exits(p->model->graph));
    put_cell(line, p, EEX__INFER_EXIT, text);
    put_cell(line, p, EEX__INFER_DECISION, r->decision == EEX_ACCEPT ? "accepted" : "rejected");
    put_number(line, p, EEX__INFER_MS, 2, ms);
    put_cell(line, p, EEX__INFER_RIGHT, says[eex__infer_right(frame, r) + 1]);
}

int eex__infer_row(const eex__infer_printer *p, const eex_frame *frame, const eex_result *result,
                   double ms)
{
    eex_buffer line = EEX_BUFFER_INIT;
    char name[CELL];
    if (p->json)
        return json_row(p, frame, result, ms);
    snprintf(name, sizeof name, "%lld", (long long)frame->sample);
    put_cell(&line, p, EEX__INFER_INPUT, p->split ? name : frame->name);
    if (result)
        put_result(&line, p, frame, result, ms);
    else
        eex_buffer_puts(&line, "  unreadable"); /* the last cell of its row: as wide as it is */
    return put_line(&line);
}

void eex__infer_begin(eex__infer_printer *out, const eex_model *model, const char *split, bool json,
                      size_t widest)
{
    eex_buffer line = EEX_BUFFER_INIT;
    const size_t terminal = eex__terminal_width(STDOUT_FILENO), least = NARROWEST_NAME;
    *out = (eex__infer_printer){.model = model, .split = split, .json = json};
    if (json)
        return;
    for (int i = 0; i < EEX__INFER_COLUMNS; i++)
        out->width[i] = (int)strlen(titles[i]);
    out->width[EEX__INFER_CLASS] = widest_class(model);
    out->width[EEX__INFER_INPUT] = (int)(split ? 10 : widest < least ? least : widest);
    out->width[EEX__INFER_EXIT] = 5;
    out->width[EEX__INFER_MS] = 8;
    if (terminal > 0)
        fit(out, (int)terminal);
    for (int i = 0; i < EEX__INFER_COLUMNS; i++)
        put_cell(&line, out, (eex__infer_column)i, titles[i]);
    put_line(&line); /* a failure comes again with the first row */
}
