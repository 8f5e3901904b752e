/* Lua's patterns (manual, 6.4.1), matched so that Ctrl-C ends it: backtracking may take longer than
 * anybody waits. What matches, and what is an error, is what Lua 5.4 says. */
#ifndef EEX_LUA_PATTERN_H
#define EEX_LUA_PATTERN_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

enum { EEX__CAPTURES = 32 };

/* The length of a capture that is none. */
enum { EEX__CAPTURE_UNFINISHED = -1, EEX__CAPTURE_POSITION = -2 };

typedef struct eex__capture {
    const char *at;
    ptrdiff_t length;
} eex__capture;

/* Subject and pattern are Lua strings that somebody holds: a NUL follows each. */
typedef struct eex__matcher {
    lua_State *L;
    const char *begin, *end;      /* of the subject */
    const char *pattern, *behind; /* what is to match, without '^', and where it ends */
    unsigned steps;
    int depth; /* of recursion that is left */
    int level; /* captures, finished or not */
    eex__capture capture[EEX__CAPTURES];
} eex__matcher;

/* Matches the whole pattern at `at` in the subject: where the match ends, or NULL. Raises: a
 * malformed pattern, one too complex, an interrupt. */
const char *eex__matcher_run(eex__matcher *m, const char *at);

/* Pushes capture i (from 0) of the match [at, end); without captures capture 0 is the match. */
void eex__matcher_push(const eex__matcher *m, int i, const char *at, const char *end);

/* Pushes all of them and returns how many; `at` may be NULL where the match does not count. */
int eex__matcher_push_all(const eex__matcher *m, const char *at, const char *end);

#endif
