#include "cli/completion.h"

#include "cli/print.h"

#include "base/status.h"

#include <string.h>

static const char *const shells[] = {"bash", "zsh"};

/* ---- what there is: a case a command ---- */

static void put_options(eex_buffer *out, const eex_cmd *cmd)
{
    eex_buffer_printf(out, "    \"%s\") words='", cmd->name);
    for (const eex_option *o = cmd->takes.options; o && o->name; o++) {
        eex_buffer_printf(out, "--%s ", o->name);
        if (o->letter)
            eex_buffer_printf(out, "-%c ", o->letter);
    }
    eex_buffer_puts(out, "--help'; valued='");
    for (const eex_option *o = cmd->takes.options; o && o->name; o++) {
        if (o->kind != EEX_OPTION_FLAG)
            eex_buffer_printf(out, " --%s ", o->name);
        if (o->kind != EEX_OPTION_FLAG && o->letter)
            eex_buffer_printf(out, " -%c ", o->letter);
    }
    eex_buffer_puts(out, "' ;;\n");
}

/* The part of the name behind the group's. */
static const char *own_name(const eex_cmd *cmd)
{
    const char *blank = strrchr(cmd->name, ' ');
    return blank ? blank + 1 : cmd->name;
}

static void put_names(eex_buffer *out, const eex_cmd *const *list)
{
    for (; *list; list++)
        eex_buffer_printf(out, "%s%s", own_name(*list), list[1] ? " " : "");
}

static void put_cases(eex_buffer *out, const eex_cmd *const *commands)
{
    eex_buffer_puts(out, "    \"\") words='");
    put_names(out, commands);
    eex_buffer_puts(out, " --help --version' ;;\n    help) words='");
    put_names(out, commands);
    eex_buffer_puts(out, " fields lua terms' ;;\n");
    for (const eex_cmd *const *c = commands; *c; c++) {
        if ((*c)->commands) {
            eex_buffer_printf(out, "    \"%s\") words='", (*c)->name);
            put_names(out, (*c)->commands);
            eex_buffer_puts(out, " --help' ;;\n");
            for (const eex_cmd *const *own = (*c)->commands; *own; own++)
                put_options(out, *own);
        } else if (strcmp((*c)->name, "help") != 0) {
            put_options(out, *c);
        }
    }
}

static void put_groups(eex_buffer *out, const eex_cmd *const *commands)
{
    for (; *commands; commands++)
        if ((*commands)->commands)
            eex_buffer_printf(out, " %s ", (*commands)->name);
}

/* ---- the script ---- */

/* zsh runs the same one by its own bashcompinit. */
int eex_completion_print(const char *shell, const eex_cmd *const *commands)
{
    eex_buffer out = EEX_BUFFER_INIT;
    int which;
    EEX_TRY(eex_options_choice(&which, "shell", shell, shells, 2));
    if (which == 1)
        eex_buffer_puts(&out, "#compdef eex\nautoload -U +X bashcompinit && bashcompinit\n");
    eex_buffer_puts(&out,
                    "_eex_complete() {\n"
                    "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
                    "  local command='' words='' valued=''\n"
                    "  if [ \"$COMP_CWORD\" -gt 1 ]; then command=${COMP_WORDS[1]}; fi\n"
                    "  case '");
    put_groups(&out, commands);
    eex_buffer_puts(&out, "' in *\" $command \"*)\n"
                          "    if [ \"$COMP_CWORD\" -gt 2 ]; then command=\"$command "
                          "${COMP_WORDS[2]}\"; fi ;;\n"
                          "  esac\n"
                          "  case \"$command\" in\n");
    put_cases(&out, commands);
    eex_buffer_puts(&out, "  esac\n"
                          "  COMPREPLY=()\n"
                          "  case \"$valued\" in *\" $before \"*) return ;; esac\n"
                          "  case \"$word\" in\n"
                          "    -*) ;;\n"
                          "    *) case \"$words\" in -*) return ;; esac ;;\n"
                          "  esac\n"
                          "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
                          "}\n"
                          "complete -o default -F _eex_complete eex\n");
    return eex__print_text(&out, EEX_OK);
}
