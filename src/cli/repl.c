#include "cli/repl_impl.h"

#include "base/buffer.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/status.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether a person gives the lines, who goes on after an error and after Ctrl-C. */
static bool is_typed(void)
{
    return isatty(STDIN_FILENO);
}

/* Adds a line to what is there and evaluates it when it is whole. */
static int take_line(const eex_repl *repl, eex_buffer *text, const char *line)
{
    eex_prompt_remember(line);
    if (text->size)
        eex_buffer_putc(text, '\n');
    eex_buffer_puts(text, line);
    EEX_TRY(eex_buffer_status(text));
    const char *typed = eex_buffer_text(text);
    int code = eex__repl_command(repl, typed);
    if (code == EEX_REPL_OTHER)
        code = eex__repl_question(repl, typed);
    if (code == EEX_REPL_OTHER)
        code = eex__repl_evaluate(repl, typed);
    if (eex_interrupted() && !is_typed())
        code = eex_fail(EEX_EINTERRUPTED, "interrupted");
    else if (!eex_terminated()) /* which is for the prompt, too */
        eex_signals_clear();
    fflush(repl->out);
    if (code != EEX_REPL_INCOMPLETE)
        eex_buffer_clear(text);
    return code < 0 ? code : EEX_OK;
}

void eex__repl_put(lua_State *L, FILE *out, const char *text)
{
    char *clean = !eex_lua_trusts(L) && isatty(fileno(out)) ? strdup(text) : NULL;
    if (clean)
        eex_text_disarm(clean, "\n\t");
    fputs(clean ? clean : text, out);
    free(clean);
}

int eex__repl_protect(const eex_repl *repl, lua_CFunction f, void *data)
{
    const bool before = eex_lua_typed(repl->L, false);
    const int code = eex_lua_protect(repl->L, f, data);
    eex_lua_typed(repl->L, before);
    return code;
}

int eex__repl_wrong(const char *message)
{
    if (!is_typed())
        return eex_fail(EEX_EFORMAT, "%s", message);
    eex_log_error("%s", message);
    return EEX_OK;
}

static int read_lines(const eex_repl *repl, const char *prompt)
{
    eex_buffer text = EEX_BUFFER_INIT;
    char *line = NULL;
    int code = EEX_OK;
    for (;;) {
        eex_prompt_result result = eex_prompt_read(&line, text.size ? "...> " : prompt);
        if (result == EEX_PROMPT_END)
            break;
        if (result == EEX_PROMPT_FAILED)
            code = EEX_EIO;
        if (result == EEX_PROMPT_TERMINATE)
            code = eex_fail(EEX_EINTERRUPTED, "terminated");
        if (result == EEX_PROMPT_INTERRUPT && !is_typed())
            code = eex_fail(EEX_EINTERRUPTED, "interrupted");
        if (code < 0)
            break;
        if (result == EEX_PROMPT_INTERRUPT)
            eex_buffer_clear(&text);
        else
            code = take_line(repl, &text, line);
        free(line);
        if (code < 0)
            break;
    }
    if (text.size && code == EEX_OK)
        code = eex__repl_wrong("the input ends within a statement");
    eex_buffer_free(&text);
    return code;
}

int eex_repl_loop(eex_repl *repl, const char *prompt)
{
    const eex_prompt_user before = eex_prompt_begin(eex__repl_complete, repl);
    const int code = read_lines(repl, prompt);
    eex_prompt_end(before);
    return code;
}

/* ---- eex.repl() ---- */

int eex_repl_stop(lua_State *L, int names, const char *where, const char *locals)
{
    enum { DEEPEST = 8 }; /* each is a loop of its own on this stack */
    static int depth;
    eex_repl repl = {.L = L, .names = names, .trust = eex_lua_trusts(L), .out = eex_lua_out(L)};
    if (depth >= DEEPEST)
        return eex_fail(EEX_ESCRIPT, "eex.repl() within eex.repl(), %d deep", DEEPEST);
    char line[1024];
    snprintf(line, sizeof line, "stopped at %s%s%s; Ctrl-D goes on\n", where,
             *locals ? "; locals: " : "", locals);
    eex__repl_put(L, repl.out, line);
    depth++;
    const int code = eex_repl_loop(&repl, "stop> ");
    depth--;
    return code;
}

eex_lua_stopper *eex_repl_stopper(void)
{
    return isatty(STDIN_FILENO) && isatty(STDERR_FILENO) ? eex_repl_stop : NULL;
}
