#include "cli/manual.h"

#include "eex/eex.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/status.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- text ---- */

/* Text as roff takes it for text: nothing in it is an instruction. */
static void escaped(eex_buffer *out, const char *text)
{
    for (const char *at = text; *at; at++) {
        if ((at == text || at[-1] == '\n') && (*at == '.' || *at == '\''))
            eex_buffer_puts(out, "\\&");
        if (*at == '\\')
            eex_buffer_puts(out, "\\e");
        else if (*at == '-')
            eex_buffer_puts(out, "\\-");
        else
            eex_buffer_putc(out, *at);
    }
}

static void section(eex_buffer *out, const char *name)
{
    eex_buffer_printf(out, ".SH %s\n", name);
}

static void paragraph(eex_buffer *out, const char *text)
{
    escaped(out, text);
    eex_buffer_putc(out, '\n');
}

/* Text whose lines are laid out already. */
static void laid_out(eex_buffer *out, const char *text)
{
    eex_buffer_puts(out, ".PP\n.nf\n");
    paragraph(out, text);
    eex_buffer_puts(out, ".fi\n");
}

/* "eex-data-make" of "data make". */
static void page_name(eex_buffer *out, const eex_cmd *cmd)
{
    eex_buffer_puts(out, "eex-");
    for (const char *at = cmd->name; *at; at++)
        eex_buffer_putc(out, *at == ' ' ? '-' : *at);
}

/* ---- the parts of a page ---- */

static void title(eex_buffer *out, const char *name, const char *brief)
{
    eex_buffer_puts(out, ".TH ");
    for (const char *at = name; *at; at++)
        eex_buffer_putc(out, (char)toupper((unsigned char)*at));
    eex_buffer_printf(out, " 1 \"\" \"eex %s\" \"User Commands\"\n", eex_version());
    section(out, "NAME");
    escaped(out, name);
    eex_buffer_puts(out, " \\- ");
    paragraph(out, brief);
}

static void synopsis(eex_buffer *out, const eex_cmd *cmd)
{
    section(out, "SYNOPSIS");
    eex_buffer_puts(out, ".nf\n");
    eex_buffer_printf(out, "eex %s ", cmd->name);
    for (const char *at = cmd->synopsis; *at; at++)
        if (*at == '\n') { /* other ways to call it stand below, where help has aligned them */
            eex_buffer_putc(out, '\n');
            at += strspn(at + 1, " ");
        } else {
            escaped(out, (const char[]){*at, '\0'});
        }
    eex_buffer_puts(out, "\n.fi\n");
}

static void options(eex_buffer *out, const eex_option *rows)
{
    section(out, "OPTIONS");
    for (const eex_option *o = rows; o->name; o++) {
        eex_buffer_puts(out, ".TP\n");
        if (o->letter)
            eex_buffer_printf(out, "\\-%c, ", o->letter);
        eex_buffer_puts(out, "\\-\\-");
        escaped(out, o->name);
        if (o->value) {
            eex_buffer_putc(out, ' ');
            escaped(out, o->value);
        }
        eex_buffer_putc(out, '\n');
        paragraph(out, o->help);
    }
    eex_buffer_puts(out, ".TP\n\\-\\-help\nshow this\n");
}

/* A list of commands, each with what it is for. */
static void list(eex_buffer *out, const eex_cmd *const *commands)
{
    section(out, "COMMANDS");
    for (const eex_cmd *const *c = commands; *c; c++) {
        eex_buffer_printf(out, ".TP\n.B eex %s\n", (*c)->name);
        paragraph(out, (*c)->brief);
    }
}

/* The pages of these commands; NULL: that of eex. */
static void see_also(eex_buffer *out, const eex_cmd *const *commands)
{
    section(out, "SEE ALSO");
    if (!commands)
        eex_buffer_puts(out, ".BR eex (1)\n");
    for (const eex_cmd *const *c = commands; c && *c; c++)
        if ((*c)->summary) {
            eex_buffer name = EEX_BUFFER_INIT;
            page_name(&name, *c);
            eex_buffer_puts(out, ".BR ");
            escaped(out, eex_buffer_text(&name));
            eex_buffer_puts(out, " (1)\n");
            eex_buffer_free(&name);
        }
}

/* ---- pages ---- */

static void page(eex_buffer *out, const eex_cmd *cmd)
{
    eex_buffer name = EEX_BUFFER_INIT;
    page_name(&name, cmd);
    title(out, eex_buffer_text(&name), cmd->brief);
    eex_buffer_free(&name);
    if (!cmd->commands)
        synopsis(out, cmd);
    section(out, "DESCRIPTION");
    paragraph(out, cmd->summary);
    if (cmd->details)
        laid_out(out, cmd->details);
    if (cmd->commands)
        list(out, cmd->commands);
    else
        options(out, cmd->takes.options);
    see_also(out, cmd->commands);
}

static void overview(eex_buffer *out, const eex_cmd *const *commands)
{
    title(out, "eex", "finds, trains, calibrates and runs early-exit neural networks");
    section(out, "SYNOPSIS");
    eex_buffer_puts(out, "eex COMMAND ...\n");
    list(out, commands);
    section(out, "EXIT STATUS");
    eex_buffer_puts(out,
                    "0 done, 1 failed, 2 wrong usage or a bad experiment, 130 interrupted by "
                    "Ctrl-C or SIGTERM, 129 by SIGHUP, which a terminal sends that closes (what "
                    "was done is kept).\n");
    see_also(out, commands);
}

static int write_page(const char *folder, const char *name, eex_buffer *text)
{
    char *path = NULL;
    int code = eex_buffer_status(text);
    if (code == EEX_OK)
        code = eex_path_join(&path, folder, name);
    if (code == EEX_OK)
        code = eex_fs_write(path, text->data, text->size);
    free(path);
    eex_buffer_free(text);
    return code;
}

static int write_command(const char *folder, const eex_cmd *cmd)
{
    eex_buffer text = EEX_BUFFER_INIT, name = EEX_BUFFER_INIT;
    page(&text, cmd);
    page_name(&name, cmd);
    eex_buffer_puts(&name, ".1");
    int code = write_page(folder, eex_buffer_text(&name), &text);
    eex_buffer_free(&name);
    for (int i = 0; code == EEX_OK && cmd->commands && cmd->commands[i]; i++)
        code = write_command(folder, cmd->commands[i]);
    return code;
}

int eex_manual_write(const char *folder, const eex_cmd *const *commands)
{
    eex_buffer text = EEX_BUFFER_INIT;
    int code = EEX_OK;
    for (int i = 0; code == EEX_OK && commands[i]; i++)
        if (commands[i]->summary) /* help has no page */
            code = write_command(folder, commands[i]);
    if (code < 0)
        return code;
    overview(&text, commands);
    return write_page(folder, "eex.1", &text); /* last, so that it says that all are there */
}
