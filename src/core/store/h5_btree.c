#include "core/store/h5_btree.h"

#include "core/store/h5_bytes.h"

#include "base/status.h"

#include <stdlib.h>

enum {
    HEADER_BYTES = 38,
    NODE_EXTRA = 10, /* signature, version, type, checksum */
    MAX_DEPTH = 12   /* a node has dozens of children */
};

typedef struct tree {
    const eex__h5_file *file;
    eex__h5_visit visit;
    void *data;
    eex__h5_btree_type type;
    uint64_t node_bytes, record_bytes;
    uint64_t left;                     /* records that are still to come */
    uint64_t budget;                   /* bytes of nodes that may still be read */
    size_t count_bytes;                /* of the number of records in a child */
    size_t total_bytes[MAX_DEPTH + 1]; /* of that of all records below a child at a depth */
    uint64_t most[MAX_DEPTH + 1];      /* records in a node of a depth, 0: leaves */
} tree;

static const char what[] = "an index";

/* How wide the fields of nodes are follows from how much fits into them. */
static int measure(tree *t, unsigned depth)
{
    uint64_t all = 0; /* records in a full tree of that depth */
    for (unsigned d = 0; d <= depth; d++) {
        uint64_t pointer = d ? 8 + t->count_bytes + t->total_bytes[d - 1] : 0;
        if (t->node_bytes < NODE_EXTRA + pointer)
            return eex__h5_damaged(t->file, "nodes of %s are too small", what);
        t->most[d] = (t->node_bytes - NODE_EXTRA - pointer) / (t->record_bytes + pointer);
        if (t->most[d] == 0)
            return eex__h5_damaged(t->file, "nodes of %s are too small", what);
        if (d == 0)
            t->count_bytes = eex__h5_bytes_for(t->most[0]);
        if (__builtin_mul_overflow(all, t->most[d] + 1, &all) ||
            __builtin_add_overflow(all, t->most[d], &all))
            return eex__h5_damaged(t->file, "%s is impossibly deep", what);
        t->total_bytes[d] = d ? eex__h5_bytes_for(all) : 0;
    }
    return EEX_OK;
}

static int visit_record(tree *t, eex__h5_bytes *records)
{
    const uint8_t *record = eex__h5_take(records, t->record_bytes);
    if (!record || t->left == 0)
        return eex__h5_damaged(t->file, "%s has more records than it says", what);
    t->left--;
    return t->visit(t->data, record, t->record_bytes);
}

static int visit_node(tree *t, uint64_t address, uint64_t count, unsigned depth);

/* Children lie between the records, and one behind the last. */
static int visit_children(tree *t, eex__h5_bytes records, uint64_t count, unsigned depth)
{
    eex__h5_bytes children = records;
    eex__h5_take(&children, count * t->record_bytes);
    for (uint64_t i = 0; i <= count; i++) {
        uint64_t child = eex__h5_number(&children, 8);
        uint64_t inside = eex__h5_number(&children, t->count_bytes);
        eex__h5_number(&children, t->total_bytes[depth - 1]);
        if (children.over)
            return eex__h5_damaged(t->file, "a node of %s does not end", what);
        EEX_TRY(visit_node(t, child, inside, depth - 1));
        if (i < count)
            EEX_TRY(visit_record(t, &records));
    }
    return EEX_OK;
}

static int visit_node(tree *t, uint64_t address, uint64_t count, unsigned depth)
{
    uint8_t *node;
    if (count == 0 || count > t->most[depth] || t->budget < t->node_bytes)
        return eex__h5_damaged(t->file, "%s counts its records wrongly", what);
    uint64_t used = NODE_EXTRA + count * t->record_bytes; /* what follows is not under the sum */
    if (depth)
        used += (count + 1) * (8 + t->count_bytes + t->total_bytes[depth - 1]);
    t->budget -= t->node_bytes;
    EEX_TRY(eex__h5_read_block(&node, t->file, address, used, depth ? "BTIN" : "BTLF", what));
    eex__h5_bytes records = eex__h5_bytes_of(node + 6, used - NODE_EXTRA);
    int code = EEX_OK;
    if (node[4] != 0 || node[5] != t->type)
        code = eex__h5_damaged(t->file, "%s has a node of another kind", what);
    else if (depth)
        code = visit_children(t, records, count, depth);
    for (uint64_t i = 0; code == EEX_OK && !depth && i < count; i++)
        code = visit_record(t, &records);
    free(node);
    return code;
}

static int visit_tree(tree *t, const uint8_t *header)
{
    eex__h5_bytes bytes = eex__h5_bytes_of(header + 4, HEADER_BYTES - 8);
    uint8_t version = eex__h5_byte(&bytes), type = eex__h5_byte(&bytes);
    t->node_bytes = eex__h5_number(&bytes, 4);
    t->record_bytes = eex__h5_number(&bytes, 2);
    unsigned depth = (unsigned)eex__h5_number(&bytes, 2);
    eex__h5_take(&bytes, 2);
    uint64_t root = eex__h5_number(&bytes, 8), count = eex__h5_number(&bytes, 2);
    t->left = eex__h5_number(&bytes, 8);
    if (version != 0 || type != t->type)
        return eex__h5_damaged(t->file, "%s of another kind than expected (%d)", what, type);
    if (t->record_bytes == 0 || depth > MAX_DEPTH || t->left > t->file->size / t->record_bytes)
        return eex__h5_damaged(t->file, "%s is larger than the file", what);
    EEX_TRY(measure(t, depth));
    if (t->left == 0)
        return EEX_OK;
    EEX_TRY(visit_node(t, root, count, depth));
    if (t->left > 0)
        return eex__h5_damaged(t->file, "%s has fewer records than it says", what);
    return EEX_OK;
}

int eex__h5_btree_visit(const eex__h5_file *file, uint64_t address, eex__h5_btree_type type,
                        eex__h5_visit visit, void *data)
{
    uint8_t *header;
    tree t = {.file = file, .visit = visit, .data = data, .type = type, .budget = file->size};
    EEX_TRY(eex__h5_read_block(&header, file, address, HEADER_BYTES, "BTHD", what));
    int code = visit_tree(&t, header);
    free(header);
    return code;
}
