/* Which activations become part of the op in front, and what their backward half reads. No device
 * knows ODD: the plans are lowered, but never run. */
#include "core/plan/builder_impl.h"
#include "support/devices.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <stddef.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { BATCH = 2, CLASSES = 3 };

static const eex_act ODD = (eex_act)(EEX_ACT_RELU6 + 1);

typedef struct bed {
    eex_device *dev;
    eex_graph *graph;
    eex_params *params;
    eex_optimizer_state *state;
    eex_builder *builder;
    int bn, act, merge, last; /* nodes: conv, bn, act; conv, bn, merge, last */
} bed;

static int conv_bn(eex_graph *g, int x, const char *conv, const char *bn)
{
    const eex_conv_options o = {.out = 4, .kernel = 3, .stride = 1, .pad = 1, .groups = 1};
    OK(eex_graph_add_conv(g, &x, x, conv, &o));
    OK(eex_graph_add_batch_norm(g, &x, x, bn));
    return x;
}

static eex_graph *build(bed *b, eex_act act)
{
    eex_graph *g;
    int x;
    OK(eex_graph_new(&g, "acts", 8, 8, 3));
    b->bn = conv_bn(g, 0, "conv1", "bn1");
    OK(eex_graph_add_act(g, &b->act, b->bn, "act1", act));
    x = conv_bn(g, b->act, "conv2", "bn2");
    OK(eex_graph_add_add(g, &b->merge, b->act, x, "merge"));
    OK(eex_graph_add_act(g, &b->last, b->merge, "act2", act));
    OK(eex_graph_add_global_pool(g, &x, b->last, "pool", false));
    OK(eex_graph_add_flatten(g, &x, x, "flatten", true));
    OK(eex_graph_add_linear(g, &x, x, "fc", CLASSES, true));
    OK(eex_graph_finish(g, x));
    return g;
}

/* Of b->graph. */
static void lower(bed *b, eex_plan_mode mode)
{
    eex_plan_options options = {
        .mode = mode, .batch = BATCH, .weight = {1}, .optimizer = {.kind = EEX_SGD}};
    b->dev = open_device(1);
    OK(eex_params_new(&b->params, b->dev, b->graph, 1));
    OK(eex_optimizer_state_new(&b->state, b->params, &options.optimizer));
    options.state = b->state;
    OK(eex__builder_new(&b->builder, &options, b->graph, b->params, &eex__binding_flat));
    OK(eex__builder_lower(b->builder));
}

static bed open_bed(eex_act act, eex_plan_mode mode)
{
    bed b = {0};
    b.graph = build(&b, act);
    lower(&b, mode);
    return b;
}

static void close_bed(bed *b)
{
    eex__builder_free(b->builder);
    eex_optimizer_state_free(b->state);
    eex_params_free(b->params);
    eex_graph_free(b->graph);
    eex_device_close(b->dev);
}

static int count(const bed *b, eex_op_kind kind)
{
    int sum = 0;
    for (int i = 0; i < b->builder->plan->op_count; i++)
        sum += b->builder->plan->ops[i].kind == kind;
    return sum;
}

/* The number of the op of this kind that comes from a node. */
static int find(const bed *b, eex_op_kind kind, int node)
{
    const char *name = eex_graph_node(b->graph, node)->name;
    for (int i = 0; i < b->builder->plan->op_count; i++)
        if (b->builder->plan->ops[i].kind == kind && b->builder->plan->ops[i].name == name)
            return i;
    cr_assert_fail("no op of kind %d for %s", (int)kind, name);
    return -1;
}

/* The buffer that a pointer of an op will point into. */
static int buffer_of(const bed *b, int op, size_t field)
{
    for (int i = 0; i < b->builder->relocation_count; i++)
        if (b->builder->relocations[i].op == op && b->builder->relocations[i].field == field)
            return b->builder->relocations[i].buffer;
    return -1;
}

Test(fusion, clamps_fuse)
{
    cr_expect(eex_act_fuses(EEX_ACT_NONE) && eex_act_fuses(EEX_ACT_RELU) &&
              eex_act_fuses(EEX_ACT_RELU6));
    cr_expect_not(eex_act_fuses(ODD));
}

Test(fusion, a_clamp_is_part_of_the_op_in_front)
{
    static const eex_plan_mode modes[] = {EEX_PLAN_INFER, EEX_PLAN_TRAIN};
    for (int i = 0; i < 2; i++) {
        bed b = open_bed(EEX_ACT_RELU6, modes[i]);
        cr_expect_eq(count(&b, EEX_OP_ACT), 0);
        cr_expect_eq(count(&b, EEX_OP_ACT_BWD), 0);
        cr_expect_eq(count(&b, EEX_OP_ADD), 0);
        close_bed(&b);
    }
}

static void expect_act(const bed *b, int node)
{
    const eex_op *op = &b->builder->plan->ops[find(b, EEX_OP_ACT, node)];
    cr_expect_eq(op->u.pointwise.act, ODD);
}

/* What comes before it fuses as ever, the sum included. */
Test(fusion, another_act_is_an_op_of_its_own)
{
    bed b = open_bed(ODD, EEX_PLAN_INFER);
    expect_act(&b, b.act);
    expect_act(&b, b.last);
    cr_expect_eq(count(&b, EEX_OP_ACT), 2);
    cr_expect_eq(count(&b, EEX_OP_ADD), 0);
    for (int i = 0; i < b.builder->plan->op_count; i++)
        if (b.builder->plan->ops[i].kind == EEX_OP_CONV)
            cr_expect_eq(b.builder->plan->ops[i].u.conv.act, EEX_ACT_NONE);
    close_bed(&b);
}

/* The backward of `node` reads what the forward read, which is still there. */
static void expect_input_kept(const bed *b, int node, int input)
{
    const eex_plan *p = b->builder->plan;
    int forward = find(b, EEX_OP_ACT, node), backward = find(b, EEX_OP_ACT_BWD, node);
    int x = buffer_of(b, forward, offsetof(eex_op, u.pointwise.x));
    cr_expect_eq(x, p->value[input]);
    cr_expect_eq(buffer_of(b, backward, offsetof(eex_op, u.pointwise.ref)), x);
    cr_expect(p->buffers[x].first < forward && p->buffers[x].last >= backward);
    cr_expect_eq(p->ops[backward].u.pointwise.act, ODD);
}

Test(fusion, another_act_keeps_its_input)
{
    bed b = open_bed(ODD, EEX_PLAN_TRAIN);
    expect_input_kept(&b, b.act, b.bn);
    expect_input_kept(&b, b.last, b.merge);
    cr_expect_eq(count(&b, EEX_OP_ACT_BWD), 2);
    for (int i = 0; i < b.builder->plan->op_count; i++)
        if (b.builder->plan->ops[i].kind == EEX_OP_BN_BWD)
            cr_expect_eq(b.builder->plan->ops[i].u.bn_bwd.act, EEX_ACT_NONE);
    close_bed(&b);
}

/* A clamp that nothing in front can take in reads its own output. */
Test(fusion, a_clamp_alone_keeps_its_output)
{
    bed b = {0};
    int x;
    OK(eex_graph_new(&b.graph, "alone", 8, 8, 3));
    x = conv_bn(b.graph, 0, "conv1", "bn1");
    OK(eex_graph_add_max_pool(b.graph, &x, x, "max", 2, 2, 0));
    OK(eex_graph_add_act(b.graph, &b.act, x, "act1", EEX_ACT_RELU));
    OK(eex_graph_add_global_pool(b.graph, &x, b.act, "pool", false));
    OK(eex_graph_add_flatten(b.graph, &x, x, "flatten", true));
    OK(eex_graph_add_linear(b.graph, &x, x, "fc", CLASSES, true));
    OK(eex_graph_finish(b.graph, x));
    lower(&b, EEX_PLAN_TRAIN);
    int backward = find(&b, EEX_OP_ACT_BWD, b.act);
    cr_expect_eq(buffer_of(&b, backward, offsetof(eex_op, u.pointwise.ref)),
                 b.builder->plan->value[b.act]);
    close_bed(&b);
}
