/* The subcommands. argv[0] is the subcommand's name. Each returns EEX_OK or a negative code with
 * the message set; main.c prints it on stderr and turns it into the exit status. */
#ifndef EEX_CLI_COMMANDS_H
#define EEX_CLI_COMMANDS_H

int eex_cmd_run(int argc, char **argv);
int eex_cmd_show(int argc, char **argv);
int eex_cmd_infer(int argc, char **argv);
int eex_cmd_prune(int argc, char **argv);
int eex_cmd_stream(int argc, char **argv);
int eex_cmd_profile(int argc, char **argv);
int eex_cmd_data(int argc, char **argv);
int eex_cmd_cost(int argc, char **argv);
int eex_cmd_tune(int argc, char **argv);
int eex_cmd_devices(int argc, char **argv);
int eex_cmd_repl(int argc, char **argv);

#endif
