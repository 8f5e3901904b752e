/* What "eex help terms" prints: the words of tables and lines of progress. */
#ifndef EEX_CLI_HELP_TERMS_H
#define EEX_CLI_HELP_TERMS_H

int eex_help_terms(void);

#endif
