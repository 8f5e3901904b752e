#include "lua/show.h"

#include "core/run/fields.h"
#include "core/store/store.h"
#include "lua/args.h"
#include "lua/graph_words.h"
#include "lua/sandbox_impl.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/status.h"
#include "base/table.h"
#include "base/terminal.h"
#include "base/wrap.h"

#include <lauxlib.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- tables ---- */

/* What has to go where Lua raises. */
typedef struct work {
    eex_table *table;
    eex_buffer text;
} work;

static int work_close(lua_State *L)
{
    work *w = lua_touserdata(L, 1);
    eex_table_free(w->table);
    eex_buffer_free(&w->text);
    *w = (work){.text = EEX_BUFFER_INIT};
    return 0;
}

static work *push_work(lua_State *L)
{
    work *w = lua_newuserdatauv(L, sizeof *w, 0);
    *w = (work){.text = EEX_BUFFER_INIT};
    if (luaL_newmetatable(L, "eex.work")) {
        lua_pushcfunction(L, work_close);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return w;
}

/* What a table is made of is not counted among the script's memory, so it is bounded. */
enum { MOST_CELLS = 20000, LONGEST_CELL = 2000 };

/* Cell `column` of row `row`; "" where there is none. The string stays in the table. */
static const char *cell(lua_State *L, lua_Integer row, lua_Integer column)
{
    const char *text = "";
    if (lua_rawgeti(L, 2, row) == LUA_TTABLE) {
        lua_rawgeti(L, -1, column);
        text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
        if (strlen(text) > LONGEST_CELL)
            eex_lua_error(L, "a cell of %d bytes in a table: at most %d", (int)strlen(text),
                          (int)LONGEST_CELL);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return text;
}

static bool is_number(const char *text)
{
    return *text == 0 || strcmp(text, "-") == 0 ||
           strspn(text, "+-.0123456789einfa") == strlen(text);
}

static eex_align alignment(lua_State *L, lua_Integer column, lua_Integer rows)
{
    for (lua_Integer i = 1; i <= rows; i++)
        if (!is_number(cell(L, i, column)))
            return EEX_ALIGN_LEFT;
    return EEX_ALIGN_RIGHT;
}

int eex__lua_show_table(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    const lua_Integer columns = (lua_Integer)lua_rawlen(L, 1), rows = (lua_Integer)lua_rawlen(L, 2);
    if (columns > MOST_CELLS || (columns && rows > MOST_CELLS / columns))
        eex_lua_error(L, "a table of %I columns and %I rows: at most %d cells", columns, rows,
                      (int)MOST_CELLS);
    work *w = push_work(L);
    if (eex_table_new(&w->table) < 0)
        eex_lua_raise(L);
    for (lua_Integer c = 1; c <= columns; c++) {
        if (lua_rawgeti(L, 1, c) != LUA_TSTRING)
            eex_lua_error(L, "title %I is a %s", c, luaL_typename(L, -1));
        eex_table_column(w->table, lua_tostring(L, -1), alignment(L, c, rows), 0);
        lua_pop(L, 1);
    }
    for (lua_Integer i = 1; i <= rows; i++) {
        eex__lua_check(L);
        eex_table_row(w->table);
        for (lua_Integer c = 1; c <= columns; c++)
            eex_table_cell(w->table, "%s", cell(L, i, c));
    }
    if (eex_table_format(&w->text, w->table, eex__terminal_width(fileno(eex__lua_of(L)->print))) <
        0)
        eex_lua_raise(L);
    lua_pushstring(L, eex_buffer_text(&w->text));
    return 1;
}

int eex__lua_show_width(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)eex__terminal_width(fileno(eex__lua_of(L)->print)));
    return 1;
}

int eex__lua_show_wrapped(lua_State *L)
{
    const char *text = luaL_checkstring(L, 1);
    const size_t there = eex__terminal_width(fileno(eex__lua_of(L)->print));
    lua_settop(L, 1);
    work *w = push_work(L);
    eex_wrap(&w->text, text, there && there < EEX_WRAP_WIDTH ? there : EEX_WRAP_WIDTH);
    if (eex_buffer_status(&w->text) < 0)
        eex_lua_raise(L);
    lua_pushstring(L, eex_buffer_text(&w->text));
    return 1;
}

/* ---- pictures ---- */

/* The folder that a file lies in has to be below the script's; the file itself is replaced and
 * never followed. */
static int writable(lua_State *L, char full[PATH_MAX], const char *path)
{
    char real[PATH_MAX];
    char *folder = NULL;
    EEX_TRY(eex_path_folder(&folder, path));
    int code = eex__lua_readable(L, real, folder);
    free(folder);
    EEX_TRY(code);
    if (snprintf(full, PATH_MAX, "%s/%s", real, eex_path_base(path)) >= PATH_MAX)
        return eex_fail(EEX_EINVAL, "\"%.60s...\": the path is too long", path);
    return EEX_OK;
}

/* What is there is replaced where that is said, and a file of eex's never: it is no picture. */
static int check_there(const char *full, const char *path, bool force)
{
    struct stat facts;
    eex_store_file *file = NULL;
    if (lstat(full, &facts) != 0 || eex_fs_is_stream(full) || eex_fs_is_folder(full))
        return EEX_OK;
    const bool store = eex_store_open(&file, full, NULL, INT_MAX) == EEX_OK;
    eex_store_close(file);
    if (store)
        return eex_fail(EEX_EINVAL,
                        "%s is there already, and no picture: it is never replaced: remove it, or "
                        "choose another name",
                        path);
    return force ? EEX_OK
                 : eex_fail(EEX_EINVAL, "%s is there already: force = true replaces it", path);
}

int eex__lua_write_picture(lua_State *L)
{
    const eex__lua *s = eex__lua_of(L);
    size_t size;
    const char *path = eex_lua_text(L, 1);
    const char *text = luaL_checklstring(L, 2, &size);
    char full[PATH_MAX];
    const size_t length = strlen(path);
    if (length < 5 || strcmp(path + length - 4, ".svg") != 0)
        eex_lua_error(L, "\"%s\": expected a name that ends in .svg", path);
    if (!s->trust && !s->typed)
        eex_lua_error(L,
                      "\"%s\": a script may write no picture, what is typed at the prompt "
                      "may: give --trust to let it",
                      path);
    if (writable(L, full, path) < 0 || check_there(full, path, lua_toboolean(L, 3)) < 0 ||
        eex_fs_write(full, text, size) < 0)
        eex_lua_raise(L);
    return 0;
}

/* ---- what is described elsewhere ---- */

static void set_buffer(lua_State *L, const char *name, eex_buffer *text)
{
    lua_pushstring(L, eex_buffer_text(text));
    lua_setfield(L, -2, name);
    eex_buffer_clear(text);
}

int eex__lua_described_fields(lua_State *L)
{
    const char *prefix = luaL_checkstring(L, 1);
    int count, at = 0;
    const eex_field *fields = eex_fields(&count);
    lua_settop(L, 1);
    work *w = push_work(L);
    lua_newtable(L);
    for (int i = 0; i < count; i++) {
        const eex_field *f = &fields[i];
        if (f->type == EEX_FIELD_FIXED || strncmp(f->path, prefix, strlen(prefix)) != 0)
            continue;
        lua_createtable(L, 0, 4);
        lua_pushstring(L, f->path + strlen(prefix));
        lua_setfield(L, -2, "name");
        eex_field_usual(&w->text, f);
        set_buffer(L, "usual", &w->text);
        eex_field_expects(&w->text, f);
        set_buffer(L, "expects", &w->text);
        lua_pushstring(L, f->help);
        lua_setfield(L, -2, "text");
        lua_rawseti(L, -2, ++at);
    }
    return 1;
}

int eex__lua_described_methods(lua_State *L)
{
    int count;
    const eex__graph_method *methods = eex__graph_methods(&count);
    lua_createtable(L, count, 0);
    for (int i = 0; i < count; i++) {
        lua_createtable(L, 0, 3);
        lua_pushstring(L, methods[i].name);
        lua_setfield(L, -2, "name");
        eex__graph_push_method(L, &methods[i]);
        lua_setfield(L, -2, "call");
        lua_newtable(L);
        const char *const *names =
            methods[i].table >= 0 ? eex__graph_fields((eex__graph_table)methods[i].table) : NULL;
        for (int n = 0; names && names[n]; n++) {
            lua_pushstring(L, names[n]);
            lua_rawseti(L, -2, n + 1);
        }
        lua_setfield(L, -2, "options");
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}
