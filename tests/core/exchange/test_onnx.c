/* ONNX files: messages that are what they say, values that are made before they are read, weights
 * that are there once. What they calculate tests/cli/test_onnx.sh compares with ONNX Runtime. */
#include "core/exchange/onnx.h"
#include "support/devices.h"
#include "support/net.h"
#include "support/refused.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

/* ---- reading protobuf ---- */

typedef struct span {
    const uint8_t *at, *end;
} span;

typedef struct field {
    int number;
    uint64_t value;
    span content;
} field;

static uint64_t varint(span *s)
{
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
        cr_assert(s->at < s->end && shift < 64);
        value |= (uint64_t)(*s->at & 0x7f) << shift;
        if (!(*s->at++ & 0x80))
            return value;
    }
}

static bool next(field *f, span *s)
{
    if (s->at == s->end)
        return false;
    const uint64_t tag = varint(s);
    *f = (field){.number = (int)(tag >> 3)};
    switch (tag & 7) {
    case 0:
        f->value = varint(s);
        break;
    case 5:
        cr_assert(s->end - s->at >= 4);
        s->at += 4;
        break;
    default:
        cr_assert_eq(tag & 7, 2);
        f->value = varint(s);
        cr_assert_leq(f->value, (uint64_t)(s->end - s->at));
        f->content = (span){s->at, s->at + f->value};
        s->at += f->value;
    }
    return true;
}

/* ---- a graph's values ---- */

enum { MOST = 4096 };

typedef struct values {
    span name[MOST];
    int count;
    int constants; /* the first of them are initializers */
    bool read[MOST];
    uint64_t bytes;      /* of initializers */
    int nodes, branches; /* all, and the deepest */
} values;

static int find(const values *v, span name)
{
    for (int i = 0; i < v->count; i++)
        if (v->name[i].end - v->name[i].at == name.end - name.at &&
            memcmp(v->name[i].at, name.at, (size_t)(name.end - name.at)) == 0)
            return i;
    return -1;
}

static void add(values *v, span name)
{
    cr_assert_lt(find(v, name), 0, "two values are called %.*s", (int)(name.end - name.at),
                 (const char *)name.at);
    cr_assert_lt(v->count, MOST);
    v->name[v->count++] = name;
}

static void use(values *v, span name)
{
    const int at = find(v, name);
    cr_assert_geq(at, 0, "%.*s is read and not there", (int)(name.end - name.at),
                  (const char *)name.at);
    v->read[at] = true;
}

static void walk(values *v, span graph, int depth);

static void walk_node(values *v, span node, int depth)
{
    field f, a;
    v->nodes++;
    for (span s = node; next(&f, &s);)
        if (f.number == 1)
            use(v, f.content);
    for (span s = node; next(&f, &s);)
        if (f.number == 5)
            for (span t = f.content; next(&a, &t);)
                if (a.number == 6)
                    walk(v, a.content, depth + 1);
    for (span s = node; next(&f, &s);)
        if (f.number == 2)
            add(v, f.content);
}

/* The name of a message whose name is field `number`. */
static span name_of(span message, int number)
{
    field f;
    while (next(&f, &message))
        if (f.number == number)
            return f.content;
    cr_assert_fail("no name");
    return message;
}

static void walk_initializers(values *v, span graph)
{
    field f, t;
    while (next(&f, &graph)) {
        if (f.number != 5)
            continue;
        add(v, name_of(f.content, 8));
        for (span s = f.content; next(&t, &s);)
            v->bytes += t.number == 9 ? t.value : 0;
    }
    v->constants = v->count;
}

static void walk(values *v, span graph, int depth)
{
    field f;
    int own = 0;
    v->branches = depth > v->branches ? depth : v->branches;
    if (depth == 0)
        walk_initializers(v, graph);
    for (span s = graph; next(&f, &s);) {
        if (f.number == 11)
            add(v, name_of(f.content, 1));
        cr_assert(f.number != 5 || depth == 0, "a branch has weights of its own");
    }
    for (span s = graph; next(&f, &s);)
        if (f.number == 1)
            walk_node(v, f.content, depth);
    for (span s = graph; next(&f, &s);)
        if (f.number == 12) {
            use(v, name_of(f.content, 1));
            own++;
        }
    cr_assert_gt(own, 0);
}

/* ---- models ---- */

static eex_model model_of(const net *n, eex_policy *policy)
{
    static char path[] = "a model", set[] = "noise", *names[NET_CLASSES];
    for (int c = 0; c < NET_CLASSES; c++)
        names[c] = set;
    const eex_node *in = eex_graph_node(n->graph, 0);
    return (eex_model){.path = path,
                       .graph = n->graph,
                       .params = n->params,
                       .policy = policy,
                       .input = {.dataset = set,
                                 .height = in->h,
                                 .width = in->w,
                                 .channels = in->c,
                                 .std = {1, 1, 1},
                                 .classes = {NET_CLASSES, names}}};
}

static void check_file(const eex_model *m, eex_onnx_form form, int branches)
{
    eex_buffer b = EEX_BUFFER_INIT;
    field f;
    values *v = calloc(1, sizeof *v);
    cr_assert_not_null(v);
    OK(eex_onnx_put(&b, m, form));
    span file = {(const uint8_t *)b.data, (const uint8_t *)b.data + b.size};
    while (next(&f, &file))
        if (f.number == 7)
            walk(v, f.content, 0);
    cr_expect_eq(v->branches, branches);
    for (int i = 0; i < v->constants; i++)
        cr_expect(v->read[i], "nobody reads %.*s", (int)(v->name[i].end - v->name[i].at),
                  (const char *)v->name[i].at);
    uint64_t floats = 0;
    for (int i = 0; i < eex_graph_params(m->graph); i++)
        floats += eex_param_count(eex_graph_param(m->graph, i));
    cr_expect_leq(v->bytes, floats * sizeof(float) + 4096, "weights are there more than once");
    free(v);
    eex_buffer_free(&b);
}

static void check_net(net_builder build)
{
    net n = net_open(build, 1, 1);
    eex_policy *policy;
    const int exits = eex_graph_exits(n.graph);
    for (int kind = 0; kind < EEX_POLICY_KINDS; kind++) {
        OK(eex_policy_new(&policy, (eex_policy_kind)kind, exits, NET_CLASSES));
        for (int c = 0; c < NET_CLASSES; c++)
            policy->high[c] = 0.5f;
        eex_model m = model_of(&n, policy);
        check_file(&m, EEX_ONNX_DECIDES, exits - 1);
        policy->low[NET_CLASSES] = -1;
        check_file(&m, EEX_ONNX_DECIDES, exits - 1);
        check_file(&m, EEX_ONNX_EXITS, 0);
        m.input.height *= 2;
        m.input.width *= 2;
        check_file(&m, EEX_ONNX_EXITS, 0);
        eex_policy_free(policy);
    }
    net_close(&n);
}

Test(onnx, files_hold_together)
{
    check_net(net_tiny);
    check_net(net_squeezed);
    check_net(net_pooled);
    check_net(net_strided);
    check_net(net_mobilenetv2);
}

Test(onnx, refused)
{
    net n = net_open(net_tiny, 1, 1);
    eex_buffer b = EEX_BUFFER_INIT;
    eex_model m = model_of(&n, NULL);
    REFUSED(eex_onnx_put(NULL, &m, EEX_ONNX_EXITS));
    REFUSED(eex_onnx_put(&b, NULL, EEX_ONNX_EXITS));
    REFUSED(eex_onnx_put(&b, &m, EEX_ONNX_DECIDES));
    m.params = NULL;
    REFUSED(eex_onnx_put(&b, &m, EEX_ONNX_EXITS));
    eex_buffer_free(&b);
    net_close(&n);
}
