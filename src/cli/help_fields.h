/* eex help fields: what an experiment may say. */
#ifndef EEX_CLI_HELP_FIELDS_H
#define EEX_CLI_HELP_FIELDS_H

int eex_help_fields(void);

#endif
