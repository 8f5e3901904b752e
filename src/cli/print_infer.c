#include "cli/print_infer.h"

#include "cli/print.h"

#include "base/buffer.h"
#include "base/json.h"
#include "base/status.h"
#include "base/terminal.h"
#include "base/text.h"
#include "base/wrap.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NARROWEST_NAME = 12, WIDEST_CLASS = 24, GAP = 2, CELL = 512 };

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
                        const eex_result *r, eex_answerer by, double ms)
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
    if (p->remote)
        eex_json_string(j, "by", eex_answerer_name(by));
    eex_json_double(j, "latency_ms", ms);
    if (right >= 0) {
        eex_json_int(j, "label", frame->label);
        eex_json_bool(j, "right", right > 0);
    }
}

static int json_row(const eex__infer_printer *p, const eex_frame *frame, const eex_result *result,
                    eex_answerer by, double ms)
{
    eex_buffer line = EEX_BUFFER_INIT;
    eex_json json = EEX_JSON_INIT(&line);
    json.compact = true;
    eex_json_object(&json, NULL);
    json_input(&json, p, frame);
    if (result)
        json_result(&json, p, frame, result, by, ms);
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
    int sum = (EEX__INFER_COLUMNS - 1) * GAP;
    for (int i = 0; i < EEX__INFER_COLUMNS; i++)
        sum += p->width[i];
    return sum;
}

/* Where a row has no room for all columns, it goes on in further lines, a little indented. */
static void fold(eex__infer_printer *p, int terminal)
{
    int line = 0, used = 0;
    if (p->width[EEX__INFER_INPUT] > terminal)
        p->width[EEX__INFER_INPUT] = terminal;
    for (int i = 0; i < EEX__INFER_COLUMNS; i++) {
        if (used > 0 && used + GAP + p->width[i] > terminal) {
            line++;
            used = 0;
        }
        used += GAP + p->width[i] - (i == 0 ? GAP : 0);
        p->line[i] = line;
    }
}

/* Texts that are wider than their column, which a file's name may be, stand in full, but on one
 * line: `text` is disarmed. */
static void put_text(eex_buffer *line, const eex__infer_printer *p, eex__infer_column column,
                     char *text)
{
    const int width = p->width[column];
    const bool right = column >= EEX__INFER_CONFIDENCE && column != EEX__INFER_DECISION &&
                       column != EEX__INFER_RIGHT;
    eex_text_disarm(text, "");
    const size_t have = eex_text_width(text);
    const size_t blanks = have < (size_t)width ? (size_t)width - have : 0;
    if (column > 0 && p->line[column] > p->line[column - 1])
        eex_buffer_putc(line, '\n');
    if (column > 0)
        eex_buffer_fill(line, ' ', GAP);
    if (right)
        eex_buffer_fill(line, ' ', blanks);
    eex_buffer_puts(line, text);
    if (!right)
        eex_buffer_fill(line, ' ', blanks);
}

static void put_cell(eex_buffer *line, const eex__infer_printer *p, eex__infer_column column,
                     const char *text)
{
    char *copy = strdup(text);
    if (copy)
        put_text(line, p, column, copy);
    else
        line->failed = true;
    free(copy);
}

/* Blanks at the ends of lines are left out. */
static void trim(eex_buffer *text)
{
    size_t kept = 0, solid = 0;
    for (size_t i = 0; i < text->size; i++) {
        if (text->data[i] == '\n')
            kept = solid;
        text->data[kept++] = text->data[i];
        if (text->data[i] != ' ')
            solid = kept;
    }
    if (text->size > 0)
        text->data[text->size = solid] = '\0';
}

static int put_line(eex_buffer *line)
{
    if (eex_buffer_status(line) == EEX_OK)
        trim(line);
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
                       const eex_result *r, eex_answerer by, double ms)
{
    static const char *const says[] = {"", "no", "yes"};
    char text[32];
    put_cell(line, p, EEX__INFER_CLASS, p->model->input.classes.item[r->top]);
    put_number(line, p, EEX__INFER_CONFIDENCE, 3, (double)r->confidence);
    snprintf(text, sizeof text, "%d/%d", r->exit + 1, eex_graph_exits(p->model->graph));
    put_cell(line, p, EEX__INFER_EXIT, text);
    put_cell(line, p, EEX__INFER_DECISION,
             by == EEX_BY_FALLBACK       ? "fallback"
             : r->decision == EEX_ACCEPT ? "accepted"
                                         : "rejected");
    put_number(line, p, EEX__INFER_MS, 2, ms);
    put_cell(line, p, EEX__INFER_RIGHT, says[eex__infer_right(frame, r) + 1]);
}

int eex__infer_row(const eex__infer_printer *p, const eex_frame *frame, const eex_result *result,
                   eex_answerer by, double ms)
{
    eex_buffer line = EEX_BUFFER_INIT;
    char name[CELL];
    if (p->json)
        return json_row(p, frame, result, by, ms);
    snprintf(name, sizeof name, "%lld", (long long)frame->sample);
    put_cell(&line, p, EEX__INFER_INPUT, p->split ? name : frame->name);
    if (result)
        put_result(&line, p, frame, result, by, ms);
    else
        eex_buffer_puts(&line, "  unreadable"); /* the last cell of its row: as wide as it is */
    return put_line(&line);
}

static void put_note(eex_buffer *line, size_t width)
{
    eex_buffer out = EEX_BUFFER_INIT;
    eex_wrap(&out, eex_buffer_text(line), width);
    eex_buffer_clear(line);
    put_line(&out);
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
    if (terminal > 0 && (size_t)total(out) > terminal) {
        eex_buffer_printf(&line,
                          "(folded: a row has several lines, for the table is %d columns wide)",
                          total(out));
        fold(out, (int)terminal);
        put_note(&line, terminal);
    }
    for (int i = 0; i < EEX__INFER_COLUMNS; i++)
        put_cell(&line, out, (eex__infer_column)i, titles[i]);
    put_line(&line); /* a failure comes again with the first row */
}
