#include "support/backbones.h"
#include "support/refused.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static void refused(int code, int wanted, const char *part)
{
    cr_assert(code == wanted, "got %d (%s), wanted %d", code, eex_error(), wanted);
    cr_assert(strstr(eex_error(), part), "\"%s\" does not say \"%s\"", eex_error(), part);
}

static const eex_node *node(const eex_graph *g, const char *name)
{
    const eex_node *n = eex_graph_node(g, eex_graph_find(g, name));
    cr_assert(n, "no node %s", name);
    return n;
}

static void has_shape(const eex_graph *g, const char *name, int h, int w, int c)
{
    const eex_node *n = node(g, name);
    cr_assert(n->h == h && n->w == w && n->c == c, "%s: %d x %d x %d", name, n->h, n->w, n->c);
}

static const eex_param *param(const eex_graph *g, const char *name)
{
    for (int i = 0; i < eex_graph_params(g); i++)
        if (strcmp(eex_graph_param(g, i)->name, name) == 0)
            return eex_graph_param(g, i);
    cr_assert(false, "no parameter %s", name);
    return NULL;
}

Test(graph, mobilenetv2_is_torchvisions)
{
    eex_graph *g = NULL;
    OK(eex_test_mobilenetv2(&g, 1000, 224));
    cr_expect(eex_graph_param_total(g) == 3504872);
    cr_expect(eex_graph_layers(g) == 152);
    has_shape(g, "features.18.2", 7, 7, 1280);
    const eex_param *p = param(g, "features.2.conv.1.0.weight");
    cr_expect(p->rank == 4 && p->shape[0] == 96 && p->shape[1] == 1 && p->shape[2] == 3);
    cr_expect(p->trainable && p->decay);
    cr_expect(param(g, "classifier.1.weight")->shape[1] == 1280);
    cr_expect(!param(g, "classifier.1.bias")->decay);
    cr_expect(!param(g, "features.0.1.running_var")->trainable);
    eex_graph_free(g);
}

Test(graph, resnet50_is_torchvisions)
{
    eex_graph *g = NULL;
    OK(eex_test_resnet50(&g, 1000, 224));
    cr_expect(eex_graph_param_total(g) == 25557032);
    cr_expect(eex_graph_layers(g) == 175);
    has_shape(g, "maxpool", 56, 56, 64);
    has_shape(g, "layer4.2.relu_2", 7, 7, 2048);
    cr_expect(param(g, "layer1.0.downsample.0.weight")->shape[0] == 256);
    cr_expect(strcmp(node(g, "layer3.5.conv2")->block, "layer3.5") == 0);
    eex_graph_free(g);
}

Test(graph, a_node_knows_its_window_and_parameters)
{
    eex_graph *g = NULL;
    OK(eex_test_tiny(&g, 10));
    const eex_node *n = node(g, "blocks.1.conv1");
    cr_expect(n->window.cin == 8 && n->window.hin == 8 && n->window.cout == 16);
    cr_expect(n->window.hout == 4 && n->window.wout == 4 && n->window.stride == 2);
    cr_expect(n->params == 1 && n->exit == EEX_TRUNK && n->inputs[1] == -1);
    cr_expect(strcmp(eex_graph_param(g, n->first_param)->name, "blocks.1.conv1.weight") == 0);
    cr_expect(eex_param_count(eex_graph_param(g, n->first_param)) == 16 * 8 * 9);
    const eex_node *fc = node(g, "fc");
    cr_expect(fc->window.cin == 16 && fc->window.cout == 10 && fc->window.hout == 1);
    cr_expect(eex_graph_exits(g) == 1 && eex_graph_classes(g) == 10);
    cr_expect(eex_graph_exit(g, 0)->blocks == -1);
    cr_expect(eex_graph_exit(g, 0)->logits == eex_graph_find(g, "fc"));
    cr_expect(eex_graph_node(g, -1) == NULL && eex_graph_exit(g, 1) == NULL);
    eex_graph_free(g);
}

Test(graph, mistakes_are_refused_and_change_nothing)
{
    eex_graph *g = NULL;
    int x = 0, y = 0;
    eex_conv_options o = {.out = 4, .kernel = 3, .pad = 1};
    refused(eex_graph_new(&g, "bad", 0, 8, 3), EEX_EINVAL, "0 x 8");
    refused(eex_graph_new(&g, "bad", 8, 8, 1 << 20), EEX_EINVAL, "channels");
    cr_assert(g == NULL);
    OK(eex_graph_new(&g, "g", 8, 8, 3));
    OK(eex_graph_add_conv(g, &x, 0, "a", &o));
    int nodes = eex_graph_nodes(g), params = eex_graph_params(g);
    refused(eex_graph_add_conv(g, &y, x, "a", &o), EEX_EINVAL, "unique");
    refused(eex_graph_add_conv(g, &y, x, "", &o), EEX_EINVAL, "empty name");
    refused(eex_graph_add_conv(g, &y, x, "a/b", &o), EEX_EINVAL, "letters, digits");
    refused(eex_graph_add_conv(g, &y, 7, "b", &o), EEX_EINVAL, "no value 7");
    refused(eex_graph_add_conv(g, &y, -1, "b", &o), EEX_EINVAL, "no value -1");
    refused(eex_graph_add_add(g, &y, 0, x, "b"), EEX_EINVAL, "8 x 8 x 4");
    refused(eex_graph_add_add(g, &y, x, 9, "b"), EEX_EINVAL, "no value 9");
    refused(eex_graph_add_linear(g, &y, x, "b", 10, true), EEX_EINVAL, "flatten or pool");
    refused(eex_graph_add_max_pool(g, &y, x, "b", 9, 1, 0), EEX_EINVAL, "does not fit");
    refused(eex_graph_add_max_pool(g, &y, x, "b", 3, 1, 2), EEX_EINVAL, "pad");
    refused(eex_graph_add_dropout(g, &y, x, "b", 1.0f), EEX_EINVAL, "[0, 1)");
    refused(eex_graph_block(g, "a block whose name is far too long: "
                               "0123456789012345678901234567890123456789012345678901234567890123"),
            EEX_EINVAL, "at most 95");
    o = (eex_conv_options){.out = 6, .kernel = 3, .groups = 3};
    refused(eex_graph_add_conv(g, &y, x, "b", &o), EEX_EINVAL, "do not divide");
    o = (eex_conv_options){.out = 1 << 17, .kernel = 3};
    refused(eex_graph_add_conv(g, &y, x, "b", &o), EEX_EINVAL, "out must be");
    o = (eex_conv_options){.out = 4, .kernel = 3, .stride = -1};
    refused(eex_graph_add_conv(g, &y, x, "b", &o), EEX_EINVAL, "stride must be");
    cr_expect(eex_graph_nodes(g) == nodes && eex_graph_params(g) == params);
    eex_graph_free(g);
}

Test(graph, an_output_of_too_many_elements_is_refused)
{
    eex_graph *g = NULL;
    int x;
    eex_conv_options o = {.out = 65536, .kernel = 1};
    OK(eex_graph_new(&g, "g", 1024, 1024, 3));
    refused(eex_graph_add_conv(g, &x, 0, "a", &o), EEX_EINVAL, "elements");
    eex_graph_free(g);
}

Test(graph, finishing_checks_the_end_and_freezes)
{
    eex_graph *g = NULL;
    int x, y;
    OK(eex_graph_new(&g, "g", 4, 4, 3));
    OK(eex_graph_add_max_pool(g, &y, 0, "unused", 2, 0, 0));
    OK(eex_graph_add_flatten(g, &x, 0, "flatten", false));
    refused(eex_graph_finish(g, y), EEX_EINVAL, "2 x 2 x 3");
    refused(eex_graph_finish(g, 99), EEX_EINVAL, "no value 99");
    refused(eex_graph_finish(g, 0), EEX_EINVAL, "no value 0");
    refused(eex_graph_init_std(g, x, 0.1f), EEX_EINVAL, "not a linear");
    OK(eex_graph_add_linear(g, &x, x, "fc", 5, false));
    refused(eex_graph_finish(g, x), EEX_EINVAL, "\"unused\" is not used");
    cr_expect(eex_graph_exits(g) == 0);
    eex_graph_free(g);

    OK(eex_test_tiny(&g, 10));
    refused(eex_graph_add_flatten(g, &x, 0, "more", false), EEX_EINVAL, "finished");
    refused(eex_graph_block(g, "more"), EEX_EINVAL, "finished");
    refused(eex_graph_finish(g, 1), EEX_EINVAL, "finished already");
    eex_graph_free(g);
}

Test(graph, freeing_nothing_is_fine)
{
    NOTHING_HAPPENS(eex_graph_free(NULL));
}

/* ---- gates ---- */

Test(graph, gates_go_on_in_order_and_leave_the_backbone_alone)
{
    eex_graph *tiny = NULL, *g = NULL;
    OK(eex_test_tiny(&tiny, 10));
    int nodes = eex_graph_nodes(tiny);
    eex_gate gates[2] = {{.point = eex_graph_find(tiny, "blocks.1.relu2"), .blocks = 2},
                         {.point = eex_graph_find(tiny, "blocks.0.relu2"), .blocks = 0}};
    OK(eex_graph_with_gates(&g, tiny, gates, 2, EEX_ACT_RELU6));
    cr_expect(eex_graph_nodes(tiny) == nodes && eex_graph_exits(tiny) == 1);
    cr_expect(eex_graph_exits(g) == 3);
    cr_expect(eex_graph_nodes(g) == nodes + 3 + 6 + 3);
    const eex_exit *first = eex_graph_exit(g, 0), *second = eex_graph_exit(g, 1);
    cr_expect(first->blocks == 0 && first->point == eex_graph_find(g, "blocks.0.relu2"));
    cr_expect(first->logits == eex_graph_find(g, "exits.blocks.0.relu2.fc0"));
    cr_expect(second->blocks == 2 && second->point == eex_graph_find(g, "blocks.1.relu2"));
    cr_expect(node(g, "exits.blocks.1.relu2.block2.act")->act == EEX_ACT_RELU6);
    cr_expect(node(g, "exits.blocks.1.relu2.block1.conv")->exit == 1);
    cr_expect(node(g, "exits.blocks.1.relu2.fc2")->c == 10);
    cr_expect(node(g, "exits.blocks.1.relu2.fc2")->bias);
    cr_expect(param(g, "exits.blocks.1.relu2.block1.conv.weight")->shape[1] == 16);
    /* right behind the point, before the trunk goes on */
    cr_expect(eex_graph_find(g, "exits.blocks.0.relu2.pool0") == first->point + 1);
    cr_expect(eex_graph_find(g, "blocks.1.conv1") == first->logits + 1);
    cr_expect(node(g, "blocks.1.conv1")->inputs[0] == first->point);
    eex_graph_free(g);
    eex_graph_free(tiny);
}

Test(graph, nested_gates_share_their_blocks)
{
    eex_graph *tiny = NULL, *g = NULL;
    OK(eex_test_tiny(&tiny, 10));
    eex_gate gate = {.point = eex_graph_find(tiny, "blocks.0.relu2"),
                     .blocks = 3,
                     .nested = true,
                     .heads = 1 << 0 | 1 << 2};
    OK(eex_graph_with_gates(&g, tiny, &gate, 1, EEX_ACT_RELU));
    cr_assert(eex_graph_exits(g) == 4);
    const int blocks[4] = {0, 2, 3, -1};
    for (int k = 0; k < 4; k++)
        cr_expect(eex_graph_exit(g, k)->blocks == blocks[k]);
    cr_expect(node(g, "exits.blocks.0.relu2.fc0")->exit == 0);
    cr_expect(node(g, "exits.blocks.0.relu2.block1.conv")->exit == 1);
    cr_expect(node(g, "exits.blocks.0.relu2.block2.bn")->exit == 1);
    cr_expect(node(g, "exits.blocks.0.relu2.block3.act")->exit == 2);
    eex_graph_free(g);
    eex_graph_free(tiny);
}

Test(graph, wrong_gates_are_refused)
{
    eex_graph *tiny = NULL, *gated = NULL, *g = NULL;
    OK(eex_test_tiny(&tiny, 10));
    int point = eex_graph_find(tiny, "blocks.0.relu2");
    eex_gate two[2] = {{.point = point, .blocks = 1}, {.point = point, .blocks = 2}};
    refused(eex_graph_with_gates(&g, tiny, two, 2, EEX_ACT_RELU), EEX_EINVAL, "two gates on");
    const char *const wrong[] = {"input", "pool", "flatten", "dropout", "fc"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        eex_gate gate = {.point = eex_graph_find(tiny, wrong[i]), .blocks = 1};
        refused(eex_graph_with_gates(&g, tiny, &gate, 1, EEX_ACT_RELU), EEX_EINVAL, "cannot read");
    }
    eex_gate gate = {.point = 1000, .blocks = 1};
    refused(eex_graph_with_gates(&g, tiny, &gate, 1, EEX_ACT_RELU), EEX_EINVAL, "no such node");
    gate = (eex_gate){.point = point, .blocks = 64};
    refused(eex_graph_with_gates(&g, tiny, &gate, 1, EEX_ACT_RELU), EEX_EINVAL, "0..63");
    gate = (eex_gate){.point = point, .blocks = 1, .nested = true, .heads = 1 << 2};
    refused(eex_graph_with_gates(&g, tiny, &gate, 1, EEX_ACT_RELU), EEX_EINVAL, "heads after");
    for (int i = 0; i < 2; i++)
        two[i] = (eex_gate){.point = point + i, .blocks = 63, .nested = true, .heads = UINT64_MAX};
    refused(eex_graph_with_gates(&g, tiny, two, 2, EEX_ACT_RELU), EEX_EINVAL, "exits");
    OK(eex_test_tiny_gated(&gated, 10));
    gate = (eex_gate){.point = point, .blocks = 1};
    refused(eex_graph_with_gates(&g, gated, &gate, 1, EEX_ACT_RELU), EEX_EINVAL, "gates already");
    cr_expect(g == NULL);
    eex_graph_free(gated);
    eex_graph_free(tiny);
}

Test(graph, no_gates_give_a_copy)
{
    eex_graph *tiny = NULL, *g = NULL;
    OK(eex_test_tiny(&tiny, 10));
    OK(eex_graph_with_gates(&g, tiny, NULL, 0, EEX_ACT_RELU));
    cr_assert(eex_graph_nodes(g) == eex_graph_nodes(tiny));
    for (int i = 0; i < eex_graph_nodes(g); i++)
        cr_expect(eex_test_same_node(eex_graph_node(g, i), eex_graph_node(tiny, i)));
    eex_graph_free(tiny);
    cr_expect(strcmp(eex_graph_name(g), "tiny") == 0); /* the copy stands alone */
    eex_graph_free(g);
}

Test(graph, cutting_keeps_what_leads_to_the_exit)
{
    eex_graph *gated = NULL, *g = NULL;
    OK(eex_test_tiny_gated(&gated, 10));
    OK(eex_graph_cut(&g, gated, 1));
    cr_expect(eex_graph_exits(g) == 2 && eex_graph_classes(g) == 10);
    cr_expect(eex_graph_find(g, "exits.blocks.0.relu2.fc1") > 0);
    cr_expect(eex_graph_find(g, "blocks.2.conv1") == -1 && eex_graph_find(g, "fc") == -1);
    cr_expect(eex_graph_exit(g, 1)->blocks == 2);
    cr_expect(eex_graph_exit(g, 1)->logits == eex_graph_nodes(g) - 1);
    eex_graph_free(g);
    g = NULL;
    OK(eex_graph_cut(&g, gated, 2));
    cr_expect(eex_graph_nodes(g) == eex_graph_nodes(gated));
    eex_graph_free(g);
    g = NULL;
    refused(eex_graph_cut(&g, gated, 3), EEX_EINVAL, "no 3");
    cr_expect(g == NULL);
    eex_graph_free(gated);
}

Test(graph, selecting_keeps_these_exits_alone)
{
    eex_graph *tiny = NULL, *gated = NULL, *g = NULL;
    const int second = 1, both[2] = {1, 2}, twice[2] = {1, 1}, beyond = 3;
    OK(eex_test_tiny_gated(&gated, 10));
    OK(eex_graph_select(&g, gated, &second, 1));
    cr_expect(eex_graph_exits(g) == 1 && eex_graph_exit(g, 0)->blocks == 2);
    cr_expect(eex_graph_find(g, "exits.blocks.0.relu2.fc1") == -1);
    cr_expect(node(g, "exits.blocks.1.relu2.block1.conv")->exit == 0);
    eex_graph_free(g);
    g = NULL;
    OK(eex_graph_select(&g, gated, both, 2));
    cr_expect(eex_graph_exits(g) == 2 && eex_graph_exit(g, 1)->blocks == -1);
    cr_expect(node(g, "exits.blocks.1.relu2.fc2")->exit == 0);
    cr_expect(node(g, "fc")->exit == EEX_TRUNK);
    eex_graph_free(g);
    g = NULL;
    refused(eex_graph_select(&g, gated, twice, 2), EEX_EINVAL, "1 cannot be kept there");
    refused(eex_graph_select(&g, gated, &beyond, 1), EEX_EINVAL, "3 cannot be kept there");
    refused(eex_graph_select(&g, gated, twice, 0), EEX_EINVAL, "0 cannot be kept");
    eex_graph_free(gated);

    /* a block that exits share goes to the first that is kept */
    OK(eex_test_tiny(&tiny, 10));
    eex_gate gate = {.point = eex_graph_find(tiny, "blocks.0.relu2"),
                     .blocks = 3,
                     .nested = true,
                     .heads = 1 << 0 | 1 << 2};
    OK(eex_graph_with_gates(&gated, tiny, &gate, 1, EEX_ACT_RELU));
    OK(eex_graph_select(&g, gated, both, 2));
    cr_expect(node(g, "exits.blocks.0.relu2.block1.conv")->exit == 0);
    cr_expect(node(g, "exits.blocks.0.relu2.block2.bn")->exit == 0);
    cr_expect(node(g, "exits.blocks.0.relu2.block3.act")->exit == 1);
    cr_expect(eex_graph_find(g, "exits.blocks.0.relu2.fc0") == -1);
    eex_graph_free(g);
    eex_graph_free(gated);
    eex_graph_free(tiny);
}

Test(graph, activations_have_names)
{
    eex_act act;
    OK(eex_act_parse(&act, "relu6"));
    cr_expect(act == EEX_ACT_RELU6 && strcmp(eex_act_name(act), "relu6") == 0);
    refused(eex_act_parse(&act, "gelu"), EEX_EINVAL, "gelu");
    cr_expect(strcmp(eex_node_kind_name(EEX_NODE_GLOBAL_POOL), "global_pool") == 0);
    cr_expect(strcmp(eex_node_kind_name((eex_node_kind)99), "?") == 0);
}

/* ---- squeezed ---- */

Test(graph, what_scales_is_no_map_but_what_is_scaled_is)
{
    eex_graph *g = NULL;
    OK(eex_test_squeezed(&g, 10));
    has_shape(g, "concat", 8, 8, 16);
    has_shape(g, "se2.expand", 1, 1, 16);
    static const char *const maps[] = {"stem.act", "se.scale", "merge", "concat", "last.act"};
    static const char *const others[] = {"se.pool", "se.reduce", "se.act", "avgpool", "square"};
    for (int i = 0; i < 5; i++) {
        cr_expect(eex_graph_gateable(g, eex_graph_find(g, maps[i])), "%s", maps[i]);
        cr_expect(!eex_graph_gateable(g, eex_graph_find(g, others[i])), "%s", others[i]);
    }
    eex_graph_free(g);
}

Test(graph, scale_and_concat_refuse_what_does_not_fit)
{
    eex_graph *g = NULL;
    int x = 0, pool = 0, small = 0, y = 0;
    eex_conv_options o = {.out = 4, .kernel = 3, .pad = 1};
    OK(eex_graph_new(&g, "g", 8, 8, 3));
    OK(eex_graph_add_conv(g, &x, 0, "a", &o));
    OK(eex_graph_add_global_pool(g, &pool, x, "pool", true));
    OK(eex_graph_add_max_pool(g, &small, x, "small", 2, 2, 0));
    int nodes = eex_graph_nodes(g);
    refused(eex_graph_add_scale(g, &y, 0, pool, "b"), EEX_EINVAL, "3 channels of \"input\"");
    refused(eex_graph_add_scale(g, &y, x, x, "b"), EEX_EINVAL, "has 8 x 8 x 4");
    refused(eex_graph_add_scale(g, &y, x, 17, "b"), EEX_EINVAL, "no value 17");
    refused(eex_graph_add_scale(g, &y, -1, pool, "b"), EEX_EINVAL, "no value -1");
    refused(eex_graph_add_concat(g, &y, x, small, "b"), EEX_EINVAL, "\"small\" is 4 x 4");
    refused(eex_graph_add_concat(g, &y, x, -1, "b"), EEX_EINVAL, "no value -1");
    cr_expect(eex_graph_nodes(g) == nodes);
    eex_graph_free(g);
}
