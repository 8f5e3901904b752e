/* Fingerprints: whatever decides results changes them, and nothing else does. */
#include "core/model/model_print.h"
#include "support/devices.h"
#include "support/net.h"
#include "support/refused.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static net n;
static eex_graph *graph; /* as that of the weights, which are read by theirs */
static eex_model model;

static void setup(void)
{
    n = net_open(net_quantised, 1, 1);
    OK(net_quantised(&graph, NET_CLASSES));
    model = (eex_model){.graph = graph,
                        .params = n.params,
                        .input = {.height = 8,
                                  .width = 8,
                                  .channels = 3,
                                  .mean = {0.1F, 0.2F, 0.3F},
                                  .std = {0.4F, 0.5F, 0.6F}}};
}

static void teardown(void)
{
    eex_graph_free(graph);
    net_close(&n);
}

TestSuite(model_print, .init = setup, .fini = teardown, .timeout = 60);

typedef struct print {
    uint8_t bytes[EEX_SHA256_BYTES];
} print;

static print model_print(void)
{
    print p;
    OK(eex_model_print(p.bytes, &model));
    return p;
}

static bool same(print a, print b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* A field of a struct: where it is, of what its elements are, and whether it decides results. */
typedef struct field {
    const char *name;
    size_t at, size, element;
    bool decides;
} field;

#define FIELD(type, member, decides)                                                           \
    {                                                                                          \
#member, offsetof(type, member), sizeof((type *)0)->member, sizeof((type *)0)->member, \
            decides                                                                            \
    }
#define TEXT(type, member, decides)                                                       \
    {                                                                                     \
#member, offsetof(type, member), sizeof((type *)0)->member, sizeof(char), decides \
    }
#define NODE(member, decides) FIELD(eex_node, member, decides)

static const field node_fields[] = {
    NODE(kind, true),
    TEXT(eex_node, name, true),
    TEXT(eex_node, block, false),
    NODE(inputs[0], true),
    NODE(inputs[1], true),
    NODE(h, true),
    NODE(w, true),
    NODE(c, true),
    NODE(window.cin, true),
    NODE(window.hin, true),
    NODE(window.win, true),
    NODE(window.cout, true),
    NODE(window.hout, true),
    NODE(window.wout, true),
    NODE(window.kernel, true),
    NODE(window.stride, true),
    NODE(window.pad, true),
    NODE(window.groups, true),
    NODE(bias, true),
    NODE(act, true),
    NODE(dropout, false),
    NODE(bits, true),
    NODE(init_std, false),
    NODE(bn_eps, true),
    NODE(bn_momentum, false),
    NODE(zero_start, false),
    NODE(functional, false),
    NODE(exit, true),
    NODE(first_param, true),
    NODE(params, true),
    NODE(out_choice, false),
    NODE(kernel_choice, false),
    NODE(gene, false),
    NODE(from, false),
    NODE(transforms, false),
};
enum { NODE_FIELDS = sizeof node_fields / sizeof *node_fields };

/* One behind the other, with no more between them than alignment needs: none is missing. */
Test(model_print, every_field_of_a_node_is_known_here)
{
    size_t end = 0;
    for (int i = 0; i < NODE_FIELDS; i++) {
        const field *f = &node_fields[i];
        const size_t aligned = (end + f->element - 1) / f->element * f->element;
        cr_expect_eq(f->at, aligned, "%s is at byte %zu, the field before ends at %zu", f->name,
                     f->at, end);
        end = f->at + f->size;
    }
    const size_t whole = (end + _Alignof(eex_node) - 1) / _Alignof(eex_node) * _Alignof(eex_node);
    cr_expect_eq(whole, sizeof(eex_node), "something comes behind the last field");
}

/* Whether the fingerprint is another one than `before` while the lowest bit of the field's first
 * element is turned over. */
static bool changes(void *object, const field *f, print before)
{
    unsigned char *byte = (unsigned char *)object + f->at;
    *byte ^= 1;
    const print after = model_print();
    *byte ^= 1;
    return !same(before, after);
}

Test(model_print, what_decides_of_a_node_and_nothing_else)
{
    const print before = model_print();
    for (int id = 0; id < eex_graph_nodes(graph); id++) {
        eex_node *node = (eex_node *)(uintptr_t)eex_graph_node(graph, id);
        for (int i = 0; i < NODE_FIELDS; i++)
            cr_expect_eq(changes(node, &node_fields[i], before), node_fields[i].decides, "%s of %s",
                         node_fields[i].name, node->name);
    }
}

Test(model_print, what_decides_of_exits_and_input)
{
    static const field exit_fields[] = {FIELD(eex_exit, point, true),
                                        FIELD(eex_exit, blocks, false),
                                        FIELD(eex_exit, logits, true)};
    static const field model_fields[] = {
        FIELD(eex_model, runs_in, true),        FIELD(eex_model, precision, false),
        FIELD(eex_model, input.height, true),   FIELD(eex_model, input.width, true),
        FIELD(eex_model, input.channels, true), FIELD(eex_model, input.mean[0], true),
        FIELD(eex_model, input.mean[2], true),  FIELD(eex_model, input.std[1], true)};
    const print before = model_print();
    for (int k = 0; k < eex_graph_exits(graph); k++) {
        eex_exit *exit = (eex_exit *)(uintptr_t)eex_graph_exit(graph, k);
        for (size_t i = 0; i < sizeof exit_fields / sizeof *exit_fields; i++)
            cr_expect_eq(changes(exit, &exit_fields[i], before), exit_fields[i].decides,
                         "%s of exit %d", exit_fields[i].name, k);
    }
    for (size_t i = 0; i < sizeof model_fields / sizeof *model_fields; i++)
        cr_expect_eq(changes(&model, &model_fields[i], before), model_fields[i].decides, "%s",
                     model_fields[i].name);
}

Test(model_print, every_parameter)
{
    static float values[1 << 16];
    for (int i = 0; i < eex_graph_params(n.graph); i++) {
        const size_t count = eex_param_count(eex_graph_param(n.graph, i));
        cr_assert_leq(count, sizeof values / sizeof *values);
        const print before = model_print();
        OK(eex_params_get(n.params, i, values));
        const float last = values[count - 1];
        values[count - 1] = nextafterf(last, INFINITY);
        OK(eex_params_set(n.params, i, values));
        cr_expect_not(same(before, model_print()), "%s", eex_graph_param(n.graph, i)->name);
        values[count - 1] = last;
        OK(eex_params_set(n.params, i, values));
        cr_assert(same(before, model_print()));
    }
}

/* ---- policies ---- */

enum { EXITS = 3, CLASSES = 2 };

static print policy_print(const eex_policy *p, const eex_familiar *f, int cut)
{
    print out;
    eex_policy_print(out.bytes, p, f, cut);
    return out;
}

Test(model_print, thresholds_behind_the_cut)
{
    eex_policy *p;
    OK(eex_policy_new(&p, EEX_POLICY_CONFIDENCE, EXITS, CLASSES));
    for (int cut = 0; cut < EXITS - 1; cut++)
        for (int k = 0; k < EXITS; k++) {
            const print before = policy_print(p, NULL, cut);
            p->temperature[k] *= 2;
            cr_expect_eq(same(before, policy_print(p, NULL, cut)), k <= cut);
            p->temperature[k] /= 2;
            p->high[k * CLASSES + 1] = 0.25F;
            cr_expect_eq(same(before, policy_print(p, NULL, cut)), k <= cut);
            p->high[k * CLASSES + 1] = INFINITY;
            const print open = policy_print(p, NULL, cut);
            p->low[k * CLASSES] = 0.125F;
            cr_expect_eq(same(open, policy_print(p, NULL, cut)), k <= cut);
            p->low[k * CLASSES] = -INFINITY;
            p->far[k] = 2;
            cr_expect_eq(same(open, policy_print(p, NULL, cut)), k <= cut);
            p->far[k] = INFINITY;
        }
    const print confidence = policy_print(p, NULL, 0);
    p->kind = EEX_POLICY_MARGIN;
    cr_expect_not(same(confidence, policy_print(p, NULL, 0)));
    cr_expect_not(same(confidence, policy_print(NULL, NULL, 0)));
    eex_policy_free(p);
}

Test(model_print, what_is_familiar_where_distances_decide)
{
    eex_policy *p;
    float center[2] = {1, 2}, factor[4] = {1, 0, 0, 1};
    eex_familiar f = {.exits = EXITS,
                      .channels = {2, 2, 0},
                      .center = {center, center},
                      .factor = {factor, factor}};
    float *decides[] = {center + 1, factor + 3};
    OK(eex_policy_new(&p, EEX_POLICY_CONFIDENCE, EXITS, CLASSES));
    for (int i = 0; i < 2; i++) {
        const float was = *decides[i];
        const print unasked = policy_print(p, &f, 0);
        *decides[i] += 1;
        cr_expect(same(unasked, policy_print(p, &f, 0)), "nobody is rejected by distance");
        *decides[i] = was;
        p->far[1] = 3;
        const print asked = policy_print(p, &f, 0), before = policy_print(p, &f, 1);
        *decides[i] += 1;
        cr_expect_not(same(asked, policy_print(p, &f, 0)));
        cr_expect(same(before, policy_print(p, &f, 1)),
                  "the device decides so, in front of the cut");
        *decides[i] = was;
        p->far[1] = INFINITY;
    }
    eex_policy_free(p);
}

/* ---- predictors ---- */

static print predictor_print(const eex_exit_predictor *p)
{
    print out;
    OK(eex_exit_predictor_print(out.bytes, p));
    return out;
}

Test(model_print, all_of_a_predictor)
{
    eex_exit_predictor p = {.gates = 2, .graph = graph, .params = n.params, .gamma = {0.5F, 0.5F}};
    const print before = predictor_print(&p);
    for (int k = 0; k < p.gates; k++) {
        p.gamma[k] = nextafterf(0.5F, 1);
        cr_expect_not(same(before, predictor_print(&p)), "gamma of gate %d", k);
        p.gamma[k] = 0.5F;
    }
    p.gamma[p.gates] = 1; /* of no gate */
    p.recipe.epochs = 7;
    cr_expect(same(before, predictor_print(&p)));
    eex_node *node = (eex_node *)(uintptr_t)eex_graph_node(graph, 1);
    node->window.pad ^= 1;
    cr_expect_not(same(before, predictor_print(&p)), "a node");
    node->window.pad ^= 1;
    float range[2];
    const int i =
        eex_graph_node(graph, eex_graph_find(n.graph, "bottleneck.quantise"))->first_param;
    OK(eex_params_get(n.params, i, range));
    range[1] *= 2;
    OK(eex_params_set(n.params, i, range));
    cr_expect_not(same(before, predictor_print(&p)), "a parameter");
}

Test(model_print, nonsense_is_refused)
{
    uint8_t out[EEX_SHA256_BYTES];
    const eex_exit_predictor unloaded = {.graph = graph};
    REFUSED(eex_model_print(NULL, &model));
    REFUSED(eex_model_print(out, NULL));
    REFUSED(eex_exit_predictor_print(NULL, &unloaded));
    REFUSED(eex_exit_predictor_print(out, NULL));
    REFUSED(eex_exit_predictor_print(out, &unloaded));
    model.params = NULL;
    REFUSED(eex_model_print(out, &model));
}
