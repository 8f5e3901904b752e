#include "core/run/front.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 64, MOST = 1 << 20, MEMBER_COLUMNS = 7, EXIT_COLUMNS = 6 };

const char *eex_front_file(char name[EEX_FRONT_NAME], size_t i)
{
    snprintf(name, EEX_FRONT_NAME, "front-%04zu.h5", i + 1);
    return name;
}

const eex_front_exit *eex_front_end(const eex_front *front, const eex_front_member *m)
{
    return m->exits > 0 ? &front->exits[m->first + (size_t)m->exits - 1] : NULL;
}

const eex_front_exit *eex_front_cut(const eex_front *front, const eex_front_member *m)
{
    const eex_front_exit *best = NULL;
    for (int k = 0; k + 1 < m->exits; k++) {
        const eex_front_exit *x = &front->exits[m->first + (size_t)k];
        if (x->alone_macs <= m->validation_macs &&
            (!best || x->alone_validation > best->alone_validation))
            best = x;
    }
    return best;
}

void eex_front_free(eex_front *front)
{
    free(front->members);
    free(front->exits);
    *front = (eex_front){0};
}

/* ---- columns ---- */

typedef struct column {
    const char *name, *unit;
    size_t offset;
} column;

static const column of_members[MEMBER_COLUMNS] = {
    {"validation_accuracy", "fraction of the validation split",
     offsetof(eex_front_member, validation_accuracy)},
    {"validation_macs", "MACs of one input, everything executed",
     offsetof(eex_front_member, validation_macs)},
    {"accuracy", "fraction of the test split", offsetof(eex_front_member, accuracy)},
    {"rejected", "fraction of the test split", offsetof(eex_front_member, rejected)},
    {"macs", "MACs of one input, everything executed", offsetof(eex_front_member, macs)},
    {"macs_taken", "MACs of one input, trunk and the gate taken",
     offsetof(eex_front_member, macs_taken)},
    {"seconds", "seconds of training", offsetof(eex_front_member, seconds)},
};

static const column of_exits[EXIT_COLUMNS] = {
    {"threshold", "a of the member's policy", offsetof(eex_front_exit, threshold)},
    {"utilisation", "fraction of the test split", offsetof(eex_front_exit, utilisation)},
    {"exit_accuracy", "fraction of those that leave there",
     offsetof(eex_front_exit, exit_accuracy)},
    {"alone_accuracy", "fraction of the test split, of this exit alone",
     offsetof(eex_front_exit, alone_accuracy)},
    {"alone_macs", "MACs, trunk and this gate", offsetof(eex_front_exit, alone_macs)},
    {"alone_validation", "fraction of the validation split, of this exit alone",
     offsetof(eex_front_exit, alone_validation)},
};

/* Rows of structs of `size` bytes. */
typedef struct rows {
    char *at;
    size_t count, size;
} rows;

static double *cell(const rows *r, size_t row, size_t offset)
{
    return (double *)(void *)(r->at + row * r->size + offset);
}

static int save_columns(eex_store_file *file, const char *group, const rows *r,
                        const column *columns, int count)
{
    char name[NAME_SIZE];
    const eex_store_shape shape = {1, {r->count}};
    double *values = malloc((r->count + 1) * sizeof *values);
    int code = values ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for a front");
    for (int c = 0; c < count && code == EEX_OK; c++) {
        for (size_t i = 0; i < r->count; i++)
            values[i] = *cell(r, i, columns[c].offset);
        snprintf(name, sizeof name, "%s/%s", group, columns[c].name);
        code = eex_store_write(file, name, EEX_STORE_F64, &shape, values);
        if (code == EEX_OK)
            code = eex_store_set_string(file, name, "unit", columns[c].unit);
    }
    free(values);
    return code;
}

static int load_columns(const rows *r, eex_store_file *file, const char *group,
                        const column *columns, int count)
{
    char name[NAME_SIZE];
    const eex_store_shape shape = {1, {r->count}};
    double *values = malloc((r->count + 1) * sizeof *values);
    int code = values ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for a front");
    for (int c = 0; c < count && code == EEX_OK; c++) {
        snprintf(name, sizeof name, "%s/%s", group, columns[c].name);
        code = eex_store_read(values, file, name, EEX_STORE_F64, &shape);
        for (size_t i = 0; i < r->count && code == EEX_OK; i++)
            *cell(r, i, columns[c].offset) = values[i];
    }
    free(values);
    return code;
}

/* ---- members ---- */

/* Whole numbers of a member, in their order. */
enum { GATES, SPREAD, BEST, STATUS, EXITS, NUMBERS };
static const char number_columns[] = "gates, spread, best, status, exits";

static int save_numbers(eex_store_file *file, const eex_front *f, uint64_t *trial,
                        int32_t (*number)[NUMBERS], const char **reason)
{
    const eex_store_shape one = {1, {f->count}}, all = {2, {f->count, NUMBERS}};
    for (size_t i = 0; i < f->count; i++) {
        const eex_front_member *m = &f->members[i];
        const int32_t row[NUMBERS] = {m->gates, m->spread, m->best, m->status, m->exits};
        memcpy(number[i], row, sizeof row);
        trial[i] = m->trial;
        reason[i] = m->reason;
    }
    EEX_TRY(eex_store_write(file, "members/trial", EEX_STORE_U64, &one, trial));
    EEX_TRY(eex_store_write(file, "members/numbers", EEX_STORE_I32, &all, number));
    EEX_TRY(eex_store_set_string(file, "members/numbers", "columns", number_columns));
    return eex_store_write_strings(file, "members/reason", reason, f->count);
}

static int save_members(eex_store_file *file, const eex_front *f)
{
    const rows members = {(char *)f->members, f->count, sizeof *f->members};
    uint64_t *trial = malloc((f->count + 1) * sizeof *trial);
    int32_t(*number)[NUMBERS] = malloc((f->count + 1) * sizeof *number);
    const char **reason = malloc((f->count + 1) * sizeof *reason);
    int code = trial && number && reason
                   ? save_numbers(file, f, trial, number, reason)
                   : eex_fail(EEX_ENOMEM, "out of memory for a front of %zu networks", f->count);
    free(trial);
    free(number);
    free(reason);
    return code == EEX_OK ? save_columns(file, "members", &members, of_members, MEMBER_COLUMNS)
                          : code;
}

/* What the arrays of whole numbers and texts say, before it is believed. */
typedef struct numbers {
    uint64_t *trial;
    int32_t *number; /* (count, NUMBERS) */
    eex_store_list reason;
} numbers;

static int take_numbers(eex_front *out, eex_store_file *file, const numbers *n)
{
    if (n->reason.count != out->count)
        return eex_store_refuse(file, "%zu reasons for %zu networks", n->reason.count, out->count);
    for (size_t i = 0; i < out->count; i++) {
        const int32_t *row = n->number + i * NUMBERS;
        eex_front_member *m = &out->members[i];
        if (row[EXITS] < 0 || row[EXITS] > EEX_MAX_EXITS || row[GATES] < 0)
            return eex_store_refuse(file, "network %zu has %d exits", i, row[EXITS]);
        *m = (eex_front_member){.trial = n->trial[i],
                                .gates = row[GATES],
                                .spread = row[SPREAD] != 0,
                                .best = row[BEST] != 0,
                                .status = row[STATUS],
                                .exits = row[EXITS],
                                .first = out->exit_count};
        snprintf(m->reason, sizeof m->reason, "%s", n->reason.item[i]);
        out->exit_count += (size_t)row[EXITS];
    }
    return EEX_OK;
}

static int load_numbers(eex_front *out, eex_store_file *file, numbers *n)
{
    eex_store_shape shape = {1, {EEX_STORE_ANY}};
    EEX_TRY(
        eex_store_read_new((void **)&n->trial, file, "members/trial", EEX_STORE_U64, &shape, MOST));
    out->count = (size_t)shape.extent[0];
    shape = (eex_store_shape){2, {out->count, NUMBERS}};
    EEX_TRY(eex_store_read_new((void **)&n->number, file, "members/numbers", EEX_STORE_I32, &shape,
                               MOST));
    EEX_TRY(eex_store_read_strings(&n->reason, file, "members/reason", MOST));
    out->members = calloc(out->count + 1, sizeof *out->members);
    return out->members
               ? take_numbers(out, file, n)
               : eex_fail(EEX_ENOMEM, "out of memory for a front of %zu networks", out->count);
}

static int load_members(eex_front *out, eex_store_file *file)
{
    numbers n = {.trial = NULL};
    int code = load_numbers(out, file, &n);
    free(n.trial);
    free(n.number);
    eex_store_list_free(&n.reason);
    EEX_TRY(code);
    const rows members = {(char *)out->members, out->count, sizeof *out->members};
    return load_columns(&members, file, "members", of_members, MEMBER_COLUMNS);
}

/* ---- exits ---- */

static int save_places(eex_store_file *file, const eex_front *f, const char **node, int32_t *place)
{
    const eex_store_shape shape = {2, {f->exit_count, 2}};
    for (size_t i = 0; i < f->exit_count; i++) {
        node[i] = f->exits[i].node;
        place[2 * i] = f->exits[i].position;
        place[2 * i + 1] = f->exits[i].blocks;
    }
    EEX_TRY(eex_store_write_strings(file, "exits/node", node, f->exit_count));
    EEX_TRY(eex_store_write(file, "exits/place", EEX_STORE_I32, &shape, place));
    return eex_store_set_string(file, "exits/place", "columns",
                                "position, blocks (-1: the end of the backbone)");
}

static int save_exits(eex_store_file *file, const eex_front *f)
{
    const rows exits = {(char *)f->exits, f->exit_count, sizeof *f->exits};
    const char **node = malloc((f->exit_count + 1) * sizeof *node);
    int32_t *place = malloc((2 * f->exit_count + 1) * sizeof *place);
    int code = node && place ? save_places(file, f, node, place)
                             : eex_fail(EEX_ENOMEM, "out of memory for %zu exits", f->exit_count);
    free(node);
    free(place);
    return code == EEX_OK ? save_columns(file, "exits", &exits, of_exits, EXIT_COLUMNS) : code;
}

static int take_places(eex_front *out, eex_store_file *file, const eex_store_list *node,
                       const int32_t *place)
{
    if (node->count != out->exit_count)
        return eex_store_refuse(file, "names of %zu exits, of %zu", node->count, out->exit_count);
    for (size_t i = 0; i < out->exit_count; i++) {
        eex_front_exit *x = &out->exits[i];
        x->position = place[2 * i];
        x->blocks = place[2 * i + 1];
        snprintf(x->node, sizeof x->node, "%s", node->item[i]);
    }
    return EEX_OK;
}

static int load_exits(eex_front *out, eex_store_file *file)
{
    eex_store_shape shape = {2, {out->exit_count, 2}};
    const rows exits = {(char *)(out->exits = calloc(out->exit_count + 1, sizeof *out->exits)),
                        out->exit_count, sizeof *out->exits};
    eex_store_list node = {0};
    int32_t *place = NULL;
    if (!out->exits)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu exits", out->exit_count);
    EEX_TRY(load_columns(&exits, file, "exits", of_exits, EXIT_COLUMNS));
    EEX_TRY(eex_store_read_strings(&node, file, "exits/node", MOST));
    int code =
        eex_store_read_new((void **)&place, file, "exits/place", EEX_STORE_I32, &shape, MOST);
    if (code == EEX_OK)
        code = take_places(out, file, &node, place);
    free(place);
    eex_store_list_free(&node);
    return code;
}

/* ---- both ---- */

int eex_front_save(const eex_front *front, eex_store_file *file)
{
    EEX_TRY(save_members(file, front));
    return save_exits(file, front);
}

int eex_front_load(eex_front *out, eex_store_file *file)
{
    *out = (eex_front){0};
    int code = load_members(out, file);
    if (code == EEX_OK)
        code = load_exits(out, file);
    if (code < 0)
        eex_front_free(out);
    return code;
}
