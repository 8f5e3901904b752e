/* Lua texts in tests of what scripts see: what they return, or how they fail. */
#ifndef EEX_TESTS_SUPPORT_SCRIPT_H
#define EEX_TESTS_SUPPORT_SCRIPT_H

#include "lua/sandbox.h"

/* From now on texts run in the state that *L is at the time, each behind the prelude, which makes
 * globals for them; both are borrowed. */
void script_in(lua_State *const *L, const char *prelude);

/* Leaves what the text, "a.lua" in messages, returns alone on the stack; what does not compile
 * fails the test. Returns what eex_lua_call does. */
int script_run(const char *text);

/* It returns what Lua's tostring shows like this. */
void gives(const char *text, const char *wanted);

/* It fails, as a script does, with this in the message. */
void fails(const char *text, const char *part);

#endif
