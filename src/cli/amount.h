/* Amounts as people write them on a command line. */
#ifndef EEX_CLI_AMOUNT_H
#define EEX_CLI_AMOUNT_H

/* A positive number with an optional k, M or G behind it: "2.5M". `what` is for the message. */
int eex_parse_amount(double *out, const char *text, const char *what);

#endif
