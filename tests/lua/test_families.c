/* MobileNetV3 and the families, against published integers (EDANAS) and against each other. */
#include "core/graph/cost.h"
#include "core/graph/elastic.h"
#include "lua/lua_graph.h"
#include "lua/sandbox.h"
#include "support/script.h"

#include "base/status.h"

#include <criterion/criterion.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

/* What every script may use. */
static const char prelude[] =
    "eex = require 'eex'\n"
    "function same(a, b)\n" /* networks: nodes, parameters and all costs */
    "  if #a ~= #b then return 'nodes: ' .. #a .. ' and ' .. #b end\n"
    "  local x, y = a:nodes(), b:nodes()\n"
    "  for i = 1, #x do\n"
    "    for _, key in ipairs { 'name', 'kind', 'h', 'w', 'c', 'macs', 'act', 'block' } do\n"
    "      if x[i][key] ~= y[i][key] then return x[i].name .. ': ' .. key end\n"
    "    end\n"
    "  end\n"
    "  for _, c in ipairs(eex.conventions) do\n"
    "    if a:cost(c) ~= b:cost(c) then return c end\n"
    "  end\n"
    "  if a:parameter_count() ~= b:parameter_count() then return 'parameters' end\n"
    "  return 'the same'\n"
    "end\n"
    "function list(t) return table.concat(t, ' ') end\n"
    "function exits(g)\n"
    "  local gates = {}\n"
    "  for i = 1, 4 do\n"
    "    gates[i] = { point = 'blocks.' .. 4 * i .. '.add', family = 'eec' }\n"
    "  end\n"
    "  return g:with_gates(gates)\n"
    "end\n"
    "function each(g, what)\n" /* "both": what leaving there costs, the other gates aside */
    "  local out = {}\n"
    "  for i, e in ipairs(g:exits('torchprofile')) do\n"
    "    out[i] = what == 'both' and e.trunk + e.gate or e[what]\n"
    "  end\n"
    "  return list(out)\n"
    "end\n";

static lua_State *L;

static void setup(void)
{
    OK(eex_lua_open(&L, &(eex_lua_options){0}));
    script_in(&L, prelude);
}

static void teardown(void)
{
    eex_lua_close(L);
}

TestSuite(lua_families, .init = setup, .fini = teardown);

/* ---- the published networks ---- */

#define FAMILY "f = eex.families.mobilenet_v3 { classes = 10 } "

Test(lua_families, smallest_and_largest_of_edanas)
{
    gives(FAMILY "g = f:derive(f:smallest()) return g:cost('torchprofile')", "6846072");
    gives("return g:parameter_count()", "2142602");
    gives(FAMILY "g = f:derive(f:largest()) return g:cost('torchprofile')", "140345136");
    gives("return g:parameter_count()", "6396570");
    gives("return f:cost('torchprofile')", "140345136");
    gives(
        "return eex.backbones.mobilenet_v3 { size = 32, classes = 10, kernels = 7, expansions = 6, "
        "depths = 4 }:cost('torchprofile')",
        "15298176");
}

Test(lua_families, early_exits_of_edanas)
{
    gives(FAMILY "g = exits(f) s = g:derive(g:smallest()) return each(s, 'trunk')",
          "1215200 1760288 2349848 3596312 6846072");
    gives("return each(s, 'both')", "1606544 2088048 3015928 4894392 6846072");
    gives("return each(g:derive(g:largest()), 'both')",
          "41978096 61718160 80274640 116205456 140345136");
    gives("return each(g, 'both')", "41978096 61718160 80274640 116205456 140345136");
    gives("return each(s, 'blocks')", "1 1 1 1");
}

Test(lua_families, genes_are_edanas_s)
{
    gives(FAMILY "n = f:genes() return #n", "46");
    gives("return n[1].name .. ' ' .. n[2].name .. ' ' .. n[6].name .. ' ' .. n[10].name .. ' ' .. "
          "n[46].name",
          "unit1.depth unit1.layer1.kernel unit1.layer1.expansion unit2.depth resolution");
    gives("return n[2].kind .. ' ' .. n[6].kind .. ' ' .. n[1].kind .. ' ' .. n[46].kind",
          "kernel expansion depth resolution");
    gives("return list(n[1].values) .. ', ' .. list(n[2].values) .. ', ' .. list(n[6].values)",
          "2 3 4, 3 5 7, 3 4 6");
    gives("return #n[46].values .. ' ' .. n[46].values[1] .. ' ' .. n[46].values[17]", "17 40 104");
}

/* A backbone with a genome's numbers is what the family derives for it. */
Test(lua_families, backbones_are_derived_networks)
{
    gives(FAMILY "a = f:smallest() "
                 "return same(f:derive(a), eex.backbones.mobilenet_v3 { size = 40, classes = 10 })",
          "the same");
    gives("local ks, es, ds, genome = {}, {}, { 4, 2, 3, 2, 4 }, {} "
          "local k, e = { 3, 5, 7 }, { 3, 4, 6 } "
          "for u = 1, 5 do "
          "  genome[#genome + 1] = ds[u] "
          "  for l = 1, 4 do ks[#ks + 1] = k[(u + l) % 3 + 1] genome[#genome + 1] = ks[#ks] end "
          "  for l = 1, 4 do es[#es + 1] = e[(u * l) % 3 + 1] genome[#genome + 1] = es[#es] end "
          "end "
          "genome[46] = 72 "
          "return same(f:derive(genome), eex.backbones.mobilenet_v3 { size = 72, classes = 10, "
          "kernels = ks, expansions = es, depths = ds })",
          "the same");
}

Test(lua_families, entries_beyond_the_depth_distinguish_nothing)
{
    gives(FAMILY "a, b = f:smallest(), f:smallest() "
                 "b[4], b[5], b[8], b[9] = 7, 5, 6, 4 " /* layers 3 and 4 of unit 1 */
                 "return list(f:canonical(b)) == list(a)",
          "true");
    gives("return same(f:derive(a), f:derive(b))", "the same");
    gives("b[1] = 3 return list(f:canonical(b)) == list(b)", "false");
    gives("b[5], b[9] = 3, 3 return list(f:canonical(b)) == list(b)", "true");
}

/* ---- options ---- */

Test(lua_families, small_images_may_stay_larger)
{
    gives("g = eex.backbones.mobilenet_v3 { size = 32, classes = 10, stem_stride = 1, "
          "strides = { 1, 2, 2, 1, 1 } } "
          "for _, n in ipairs(g:nodes()) do if n.name == 'final_expand_layer.act' then "
          "return n.h .. ' ' .. n.c end end",
          "8 960");
    gives("g = eex.backbones.mobilenet_v3 { size = 32, classes = 10, width = 0.5 } "
          "for _, n in ipairs(g:nodes()) do if n.name == 'feature_mix_layer.act' then "
          "return n.c end end",
          "640");
    gives("return #eex.families.mobilenet_v3 { classes = 10, sizes = { 32 }, kernels = { 3 } "
          "}:genes()",
          "25");
    gives("return #eex.families.mobilenet_v3 { classes = 10, size = 32, kernels = { 3 }, "
          "expansions = 4, depths = 2 }:genes()",
          "0");
}

Test(lua_families, mistakes_say_what_was_expected)
{
    fails("return eex.backbones.mobilenet_v3 { kernels = 4 }",
          "kernels[1]: expected one of 3, 5, 7");
    fails("return eex.backbones.mobilenet_v3 { depths = { 2, 2 } }", "depths: expected 5 numbers");
    fails("return eex.backbones.mobilenet_v3 { depths = { 2, 2, 5, 2, 2 } }", "depths[3]");
    fails("return eex.backbones.mobilenet_v3 { depth = 2 }", "depth");
    fails("return eex.families.mobilenet_v3 { kernels = { 5, 3 } }", "kernels[2]");
    fails("return eex.families.mobilenet_v3 { kernels = { 3, 4 } }", "odd");
    fails("return eex.families.mobilenet_v3 { depths = 'all' }", "depths: expected a list");
    fails("return eex.families.mobilenetv2 { widths = {} }", "widths: expected a list");
    fails(FAMILY "return f:derive { 1, 2 }", "46 genes, not 2");
    fails(FAMILY "a = f:smallest() a[2] = 4 return f:derive(a)",
          "\"unit1.layer1.kernel\" (kernel) has no value 4: there are 3, 5 and 7");
    fails("g = eex.graph { name = 'g', size = 8 } "
          "return g:conv(0, 'a', { out = g:choice(0, { 4, 8 }), kernel = 1 })",
          "a.out.gene");
    fails("g = eex.graph { name = 'g', size = 8 } k = g:gene { name = 'k', kind = 'width', "
          "values = { 1, 2 } } return g:conv(0, 'a', { out = g:choice(k, { 4 }), kernel = 1 })",
          "each of the 2 options");
    fails("g = eex.graph { name = 'g', size = 8 } return g:gene { name = 'k', kind = 'colour', "
          "values = { 1 } }",
          "colour");
}

/* ---- the other families ---- */

static void largest_is(const char *name, const char *family, const char *backbone)
{
    char text[512];
    snprintf(text, sizeof text,
             "f = eex.families.%s { classes = 10, size = 32%s } "
             "g = eex.backbones.%s { classes = 10, size = 32%s } "
             "return same(f:derive(f:largest()), g)",
             name, family, name, backbone);
    gives(text, "the same");
}

Test(lua_families, the_largest_is_the_backbone)
{
    largest_is("mobilenetv2", "", "");
    largest_is("resnet_small", ", blocks = 4", ", blocks = 4");
    largest_is("resnet50", ", stem = 'cifar'", ", stem = 'cifar'");
    largest_is("mobilenetv2", ", widths = { 0.3, 0.35 }", ", width = 0.35");
}

/* With all blocks and less width, and with one block in each stage. */
Test(lua_families, others_are_backbones_too)
{
    gives("f = eex.families.mobilenetv2 { classes = 10, size = 32 } a = f:largest() a[#a] = 0.5 "
          "return same(f:derive(a), eex.backbones.mobilenetv2 { classes = 10, size = 32, width = "
          "0.5 })",
          "the same");
    gives("f = eex.families.resnet50 { classes = 10, size = 32 } a = f:largest() a[#a] = 0.75 "
          "return same(f:derive(a), eex.backbones.resnet50 { classes = 10, size = 32, width = 0.75 "
          "})",
          "the same");
    gives("f = eex.families.resnet_small { classes = 10, size = 32 } a = f:smallest() a[#a] = 1 "
          "return same(f:derive(a), eex.backbones.resnet_small { classes = 10, size = 32, blocks = "
          "1 })",
          "the same");
    gives("f = eex.families.resnet_small { sizes = { 24, 32 }, blocks = 2 } "
          "return #f:genes() .. ' ' .. f:genes()[5].name",
          "5 resolution");
}

Test(lua_families, residual_blocks_may_start_as_the_identity)
{
    static const struct {
        const char *backbone;
        int blocks;
    } cases[] = {{"mobilenetv2", 10}, {"resnet50", 16}, {"resnet_small", 9}, {"mobilenet_v3", 6}};
    for (int i = 0; i < 4; i++)
        for (int zero = 0; zero < 2; zero++) {
            char text[256];
            snprintf(text, sizeof text,
                     "return eex.backbones.%s { size = 32, classes = 10, zero_init_residual = %s }",
                     cases[i].backbone, zero ? "true" : "false");
            cr_assert(script_run(text) == EEX_OK, "%s: %s", text, eex_error());
            const eex_graph *g = eex_lua_backbone(L, -1);
            int count = 0, last = 0;
            cr_assert(g);
            for (int k = 0; k < eex_graph_nodes(g); k++) {
                const eex_node *n = eex_graph_node(g, k);
                count += n->zero_start;
                last += n->kind == EEX_NODE_ADD && (eex_graph_node(g, n->inputs[0])->zero_start ||
                                                    eex_graph_node(g, n->inputs[1])->zero_start);
            }
            cr_expect_eq(count, zero * cases[i].blocks, "%s: %d", text, count);
            cr_expect_eq(last, zero * cases[i].blocks, "%s: %d merges", text, last);
        }
}
