#include "lua/pattern.h"

#include "lua/sandbox_impl.h"

#include <ctype.h>
#include <lauxlib.h>
#include <string.h>

enum { MAX_DEPTH = 200, ESCAPE = '%', PIECE = 4096 /* bytes that are compared in a step */ };

static const char *match(eex__matcher *m, const char *s, const char *p);

static int byte(const char *s)
{
    return (unsigned char)*s;
}

/* ---- one character ---- */

/* What follows the class that begins at p: "a", "%a" or "[a-z]". A set may be as long as memory has
 * room, and is walked for every character: what counts are its members. */
static const char *class_end(eex__matcher *m, const char *p)
{
    const char first = *p++;
    if (first == ESCAPE) {
        if (p == m->behind)
            luaL_error(m->L, "malformed pattern (ends with '%%')");
        return p + 1;
    }
    if (first != '[')
        return p;
    if (*p == '^')
        p++;
    do { /* a ']' that comes first is a member */
        if (p == m->behind)
            luaL_error(m->L, "malformed pattern (missing ']')");
        if (*p++ == ESCAPE && p < m->behind)
            p++;
        eex__lua_poll(m->L, &m->steps);
    } while (*p != ']');
    return p + 1;
}

static bool is_of(int c, int class)
{
    int is;
    switch (tolower(class)) {
    case 'a':
        is = isalpha(c);
        break;
    case 'c':
        is = iscntrl(c);
        break;
    case 'd':
        is = isdigit(c);
        break;
    case 'g':
        is = isgraph(c);
        break;
    case 'l':
        is = islower(c);
        break;
    case 'p':
        is = ispunct(c);
        break;
    case 's':
        is = isspace(c);
        break;
    case 'u':
        is = isupper(c);
        break;
    case 'w':
        is = isalnum(c);
        break;
    case 'x':
        is = isxdigit(c);
        break;
    case 'z': /* of Lua 5.1, and still there */
        is = c == 0;
        break;
    default:
        return class == c;
    }
    return (is != 0) != (isupper(class) != 0);
}

/* `last` is the set's ']'. */
static bool is_in_set(eex__matcher *m, int c, const char *p, const char *last)
{
    const bool wanted = p[1] != '^';
    if (!wanted)
        p++;
    while (++p < last) {
        eex__lua_poll(m->L, &m->steps);
        if (*p == ESCAPE) {
            p++;
            if (is_of(c, byte(p)))
                return wanted;
        } else if (p[1] == '-' && p + 2 < last) {
            p += 2;
            if (byte(p - 2) <= c && c <= byte(p))
                return wanted;
        } else if (byte(p) == c) {
            return wanted;
        }
    }
    return !wanted;
}

static bool fits(eex__matcher *m, const char *s, const char *p, const char *after)
{
    eex__lua_poll(m->L, &m->steps);
    if (s >= m->end)
        return false;
    switch (*p) {
    case '.':
        return true;
    case ESCAPE:
        return is_of(byte(s), byte(p + 1));
    case '[':
        return is_in_set(m, byte(s), p, after - 1);
    default:
        return *p == *s;
    }
}

/* ---- items ---- */

static const char *as_many(eex__matcher *m, const char *s, const char *p, const char *after)
{
    ptrdiff_t count = 0;
    while (fits(m, s + count, p, after))
        count++;
    for (; count >= 0; count--) {
        const char *end = match(m, s + count, after + 1);
        if (end)
            return end;
    }
    return NULL;
}

static const char *as_few(eex__matcher *m, const char *s, const char *p, const char *after)
{
    for (;; s++) {
        const char *end = match(m, s, after + 1);
        if (end || !fits(m, s, p, after))
            return end;
    }
}

/* "%bxy" at p */
static const char *balanced(eex__matcher *m, const char *s, const char *p)
{
    if (p + 3 >= m->behind)
        luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
    const char open = p[2], close = p[3];
    if (s == m->end || *s != open)
        return NULL;
    for (ptrdiff_t depth = 1; ++s < m->end;) {
        eex__lua_poll(m->L, &m->steps);
        if (*s == close) {
            if (--depth == 0)
                return s + 1;
        } else if (*s == open) {
            depth++;
        }
    }
    return NULL;
}

/* "%f[set]" at p, whose set ends at `after` */
static bool at_frontier(eex__matcher *m, const char *s, const char *p, const char *after)
{
    const int before = s == m->begin ? 0 : byte(s - 1);
    return !is_in_set(m, before, p + 2, after - 1) && is_in_set(m, byte(s), p + 2, after - 1);
}

static const char *set_behind_frontier(eex__matcher *m, const char *p)
{
    if (p[2] != '[')
        luaL_error(m->L, "missing '[' after '%%f' in pattern");
    return class_end(m, p + 2);
}

/* ---- captures ---- */

static const char *begin_capture(eex__matcher *m, const char *s, const char *p)
{
    const bool position = p[1] == ')';
    if (m->level >= EEX__CAPTURES)
        luaL_error(m->L, "too many captures");
    m->capture[m->level++] =
        (eex__capture){s, position ? EEX__CAPTURE_POSITION : EEX__CAPTURE_UNFINISHED};
    const char *end = match(m, s, position ? p + 2 : p + 1);
    if (!end)
        m->level--;
    return end;
}

static const char *end_capture(eex__matcher *m, const char *s, const char *p)
{
    int i = m->level - 1;
    while (i >= 0 && m->capture[i].length != EEX__CAPTURE_UNFINISHED)
        i--;
    if (i < 0)
        luaL_error(m->L, "invalid pattern capture");
    m->capture[i].length = s - m->capture[i].at;
    const char *end = match(m, s, p + 1);
    if (!end)
        m->capture[i].length = EEX__CAPTURE_UNFINISHED;
    return end;
}

/* Whether a capture stands at s again; a position never does. */
static bool is_same(eex__matcher *m, const eex__capture *c, const char *s)
{
    const size_t length = (size_t)c->length;
    if (c->length < 0 || (size_t)(m->end - s) < length)
        return false;
    for (size_t done = 0; done < length; done += PIECE) {
        const size_t more = length - done < PIECE ? length - done : PIECE;
        eex__lua_poll(m->L, &m->steps);
        if (memcmp(c->at + done, s + done, more) != 0)
            return false;
    }
    return true;
}

/* "%1" to "%9" */
static const char *same_again(eex__matcher *m, const char *s, int digit)
{
    const int i = digit - '1';
    if (i < 0 || i >= m->level || m->capture[i].length == EEX__CAPTURE_UNFINISHED)
        luaL_error(m->L, "invalid capture index %%%d", i + 1);
    return is_same(m, &m->capture[i], s) ? s + m->capture[i].length : NULL;
}

/* ---- the whole ---- */

/* One of "%b", "%f" and "%1" at *p, which moves behind it. */
static const char *match_special(eex__matcher *m, const char *s, const char **p)
{
    const char *const at = *p;
    if (at[1] == 'b') {
        *p = at + 4;
        return balanced(m, s, at);
    }
    if (at[1] == 'f') {
        *p = set_behind_frontier(m, at);
        return at_frontier(m, s, at, *p) ? s : NULL;
    }
    *p = at + 2;
    return same_again(m, s, byte(at + 1));
}

/* A class and what says how often, at *p. *over: what is returned is the end of the match, or NULL;
 * otherwise matching goes on from there at the new *p. */
static const char *match_class(eex__matcher *m, const char *s, const char **p, bool *over)
{
    const char *const after = class_end(m, *p), *end;
    const char suffix = after < m->behind ? *after : 0;
    *over = suffix == '+' || suffix == '*' || suffix == '-';
    if (suffix == '+')
        return fits(m, s, *p, after) ? as_many(m, s + 1, *p, after) : NULL;
    if (*over)
        return suffix == '*' ? as_many(m, s, *p, after) : as_few(m, s, *p, after);
    const bool one = fits(m, s, *p, after);
    if (suffix == '?') {
        *over = one && (end = match(m, s + 1, after + 1));
        *p = after + 1;
        return *over ? end : s;
    }
    *p = after;
    return one ? s + 1 : NULL;
}

static bool is_special(const char *p)
{
    return *p == ESCAPE && (p[1] == 'b' || p[1] == 'f' || isdigit(byte(p + 1)));
}

static const char *match(eex__matcher *m, const char *s, const char *p)
{
    if (m->depth-- == 0)
        luaL_error(m->L, "pattern too complex");
    for (bool over = false; s && p != m->behind && !over;) {
        over = true;
        if (*p == '(')
            s = begin_capture(m, s, p);
        else if (*p == ')')
            s = end_capture(m, s, p);
        else if (*p == '$' && p + 1 == m->behind)
            s = s == m->end ? s : NULL;
        else if (is_special(p)) {
            s = match_special(m, s, &p);
            over = false;
        } else
            s = match_class(m, s, &p, &over);
    }
    m->depth++;
    return s;
}

const char *eex__matcher_run(eex__matcher *m, const char *at)
{
    m->level = 0;
    m->depth = MAX_DEPTH;
    return match(m, at, m->pattern);
}

void eex__matcher_push(const eex__matcher *m, int i, const char *at, const char *end)
{
    if (i >= m->level) {
        if (i != 0)
            luaL_error(m->L, "invalid capture index %%%d", i + 1);
        lua_pushlstring(m->L, at, (size_t)(end - at));
        return;
    }
    const eex__capture *c = &m->capture[i];
    if (c->length == EEX__CAPTURE_UNFINISHED)
        luaL_error(m->L, "unfinished capture");
    if (c->length == EEX__CAPTURE_POSITION)
        lua_pushinteger(m->L, c->at - m->begin + 1);
    else
        lua_pushlstring(m->L, c->at, (size_t)c->length);
}

int eex__matcher_push_all(const eex__matcher *m, const char *at, const char *end)
{
    const int count = m->level == 0 && at ? 1 : m->level;
    luaL_checkstack(m->L, count, "too many captures");
    for (int i = 0; i < count; i++)
        eex__matcher_push(m, i, at, end);
    return count;
}
