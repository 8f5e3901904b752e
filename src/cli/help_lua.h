/* eex help lua: the library for scripts, from the same source as help at the prompt. */
#ifndef EEX_CLI_HELP_LUA_H
#define EEX_CLI_HELP_LUA_H

/* For people at a terminal; as the page docs/lua-api.md. */
int eex_help_lua(void);
int eex_help_lua_page(void);

#endif
