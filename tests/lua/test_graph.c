/* Graphs, backbones and saliency rules from Lua, against those that are built in C. */
#include "core/graph/cost.h"
#include "lua/graph_words.h"
#include "lua/lua_graph.h"
#include "lua/saliency.h"
#include "lua/sandbox.h"
#include "support/backbones.h"
#include "support/script.h"

#include "base/fs.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static lua_State *L;

/* What every text may use: `eex` and `g`, a small unfinished graph. */
static const char prelude[] = "eex = require 'eex' g = eex.graph{name = 'g', size = 8}";

static void setup(void)
{
    OK(eex_lua_open(&L, &(eex_lua_options){0}));
    script_in(&L, prelude);
}

static void teardown(void)
{
    eex_lua_close(L);
}

TestSuite(lua_graph, .init = setup, .fini = teardown);

static const eex_graph *graph(const char *text)
{
    int code = script_run(text);
    cr_assert(code == EEX_OK, "%s: %s", text, eex_error());
    const eex_graph *g = eex_lua_backbone(L, -1);
    cr_assert(g, "%s is no finished graph", text);
    return g;
}

/* ---- backbones ---- */

static void same(const eex_graph *a, const eex_graph *b)
{
    cr_assert(eex_graph_nodes(a) == eex_graph_nodes(b));
    cr_assert(eex_graph_params(a) == eex_graph_params(b));
    for (int i = 0; i < eex_graph_nodes(a); i++) {
        const eex_node *x = eex_graph_node(a, i), *y = eex_graph_node(b, i);
        cr_expect(eex_test_same_node(x, y), "%s and %s differ", x->name, y->name);
    }
    for (int i = 0; i < eex_graph_params(a); i++) {
        const eex_param *x = eex_graph_param(a, i), *y = eex_graph_param(b, i);
        cr_expect(strcmp(x->name, y->name) == 0 && x->rank == y->rank, "%s, %s", x->name, y->name);
        cr_expect(memcmp(x->shape, y->shape, sizeof x->shape) == 0, "%s", x->name);
    }
}

Test(lua_graph, backbones_are_those_of_torchvision)
{
    eex_graph *m = NULL, *r = NULL;
    OK(eex_test_mobilenetv2(&m, 10, 32));
    OK(eex_test_resnet50(&r, 100, 64));
    same(graph("return eex.backbones.mobilenetv2 { size = 32, classes = 10 }"), m);
    same(graph("return eex.backbones.resnet50 { size = 64, classes = 100 }"), r);
    eex_graph_free(m);
    eex_graph_free(r);
}

Test(lua_graph, options_of_mobilenetv2)
{
    /* torchvision's parameter counts at other widths */
    gives("return eex.backbones.mobilenetv2{}:parameter_count()", "3504872");
    gives("return eex.backbones.mobilenetv2{width = 0.5}:parameter_count()", "1968680");
    gives("return eex.backbones.mobilenetv2{width = 1.4}:parameter_count()", "6108776");
    gives("return eex.backbones.mobilenetv2{size = 32, stem_stride = 1}:nodes()[3].h", "32");
    gives("return eex.backbones.mobilenetv2{size = 32, channels = 1}:parameters()[1].shape[2]",
          "1");
    fails("eex.backbones.mobilenetv2{width = 'x'}",
          "a.lua:1: backbone.width: a number in 0.1..4, got \"x\"");
    fails("eex.backbones.mobilenetv2{widht = 1}",
          "backbone.widht: no such field, did you mean \"width\"?");
    fails("eex.backbones.mobilenetv2{classes = 1}",
          "backbone.classes: an integer in 2..65536, got 1");
    fails("eex.backbones.mobilenetv2{size = 32.5}",
          "backbone.size: an integer in 8..4096, got 32.5");
    fails("eex.backbones.mobilenetv2(7)", "backbone: a table, got 7");
}

Test(lua_graph, options_of_resnet50)
{
    gives("return eex.backbones.resnet50{}:parameter_count()", "25557032");
    gives("return eex.backbones.resnet50{classes = 10}:layers()", "175");
    const eex_graph *g = graph("return eex.backbones.resnet50{size = 32, stem = 'cifar'}");
    cr_expect(eex_graph_find(g, "maxpool") == -1);
    cr_expect(eex_graph_node(g, eex_graph_find(g, "conv1"))->h == 32);
    cr_expect(eex_graph_node(g, eex_graph_find(g, "layer4.2.relu_2"))->h == 4);
    g = graph("return eex.backbones.resnet50{size = 32, width = 0.25, dropout = 0.1}");
    cr_expect(eex_graph_node(g, eex_graph_find(g, "layer4.2.relu_2"))->c == 512);
    cr_expect(eex_graph_find(g, "dropout") > 0);
    fails("eex.backbones.resnet50{stem = 'small'}",
          "backbone.stem: one of \"imagenet\" and \"cifar\", got \"small\"");
}

/* ---- building ---- */

Test(lua_graph, every_kind_of_node)
{
    const eex_graph *g = graph("g:block('b')\n"
                               "local x = g:conv(g:input(), 'c', {out = 4, kernel = 3, pad = 1})\n"
                               "local y = g:batch_norm(x, 'n')\n"
                               "y = g:act(y, 'a', 'relu6')\n"
                               "x = g:add(x, y, 's')\n"
                               "x = g:max_pool(x, 'm', {kernel = 2})\n"
                               "x = g:dropout(x, 'd', 0.25)\n"
                               "x = g:global_pool(x, 'p')\n"
                               "x = g:flatten(x, 'f', {functional = true})\n"
                               "x = g:linear(x, 'l', {out = 5, bias = false, init_std = 0.5})\n"
                               "return g:finish(x)");
    cr_expect(eex_graph_nodes(g) == 10 && eex_graph_classes(g) == 5);
    cr_expect(strcmp(eex_graph_node(g, 1)->block, "b") == 0);
    cr_expect(eex_graph_node(g, 3)->act == EEX_ACT_RELU6);
    cr_expect(eex_graph_node(g, 4)->inputs[0] == 1 && eex_graph_node(g, 4)->inputs[1] == 3);
    cr_expect(eex_graph_node(g, 5)->h == 4 && eex_graph_node(g, 5)->window.stride == 2);
    cr_expect(eex_graph_node(g, 6)->dropout == 0.25f);
    cr_expect(!eex_graph_node(g, 7)->functional && eex_graph_node(g, 8)->functional);
    cr_expect(!eex_graph_node(g, 9)->bias && eex_graph_node(g, 9)->init_std == 0.5f);
}

/* C would take a zero for the end of a text: the beginning would be built. */
Test(lua_graph, texts_with_zeros_are_none)
{
    static const char *const texts[] = {
        "g:conv(0, 'c\\0d', {out = 4, kernel = 3})",
        "g:conv(0, 'c', {out = 4, kernel = 3, ['bias\\0'] = true})",
        "g:block('b\\0')",
        "g:act(g:conv(0, 'c', {out = 4, kernel = 3}), 'a', 'relu\\0')",
        "eex.graph{name = 'g\\0h', size = 8}",
        "eex.backbones.mobilenetv2{act = 'relu\\0'}",
        "g:linear(0, 'l\\0', {out = 2})",
        "require 'eex\\0x'",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const int code = script_run(texts[i]);
        cr_expect(code == EEX_ESCRIPT && !strstr(eex_error(), "nil value"), "%s: %d, %s", texts[i],
                  code, eex_error());
    }
    fails(texts[0], "zeros");
    fails(texts[1], "bias\\0");
    fails(texts[4], "a text of 1..95 bytes without zeros, got \"g\\0h\"");
}

Test(lua_graph, mistakes_name_place_and_field)
{
    fails("g:conv(0, 'c', {kernel = 3})", "a.lua:1: c.out: a positive integer, got nothing");
    fails("\n\ng:conv(0, 'c', {out = 4, kernel = 99})",
          "a.lua:3: conv \"c\": kernel must be within");
    fails("g:conv(7, 'c', {out = 4, kernel = 3})", "no value 7");
    fails("g:conv(1 << 40, 'c', {out = 4, kernel = 3})", "no value -1");
    fails("g:conv(0, 'c', {out = 4, kernel = 3, strid = 1})", "did you mean \"stride\"");
    fails("g:conv(0, 'c', {out = 4, kernel = 3, bias = 1})", "c.bias: true or false, got 1");
    fails("g:conv(0, 'c')", "c: a table, got nothing");
    fails("g:act(0, 'a', 'tanh')", "unknown activation \"tanh\"");
    fails("g:linear(0, 'l', {out = 4})", "flatten or pool it first");
    fails("g.conv({}, 0, 'c', {})", "eex.graph expected");
    fails("g:finish(0)", "no value 0");
    fails("return eex.graph{name = 'g'}", "graph.height: an integer in 1..16384, got nothing");
    fails("return eex.graph{size = 8}", "graph.name: a text of 1..95 bytes, got nothing");
    fails("g:with_gates{}", "not finished");
    fails("g:points{rule = 'ranked'}", "not finished");
    fails("g.x = 1", "attempt to index");
}

Test(lua_graph, looking)
{
    gives("return #g", "1");
    gives("return tostring(g)", "graph \"g\" (1 nodes)");
    gives("return eex.backbones.mobilenetv2{size = 32, classes = 10}:cost()", "6124928");
    gives("return eex.backbones.mobilenetv2{size = 32, classes = 10}:cost('thop')", "6397504");
    fails("return g:cost('flops')", "a.lua:1: unknown cost convention \"flops\"");
    OK(script_run("local n = eex.backbones.mobilenetv2{size = 32, classes = 10}:nodes()\n"
                  "for _, v in ipairs(n) do if v.name == 'features.3.add' then return v end end"));
    static const struct {
        const char *key;
        lua_Integer value;
    } numbers[] = {{"h", 8}, {"w", 8}, {"c", 24}, {"macs", 0}, {"trunk_macs", 1692672 - 2 * 72704}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        lua_getfield(L, 1, numbers[i].key);
        cr_expect(lua_tointeger(L, -1) == numbers[i].value, "%s: %lld", numbers[i].key,
                  (long long)lua_tointeger(L, -1));
    }
    lua_getfield(L, 1, "inputs");
    cr_expect(lua_rawlen(L, -1) == 2);
    lua_getfield(L, 1, "kind");
    cr_expect(strcmp(lua_tostring(L, -1), "add") == 0);
}

/* ---- gates ---- */

#define MOBILENET "local m = eex.backbones.mobilenetv2{size = 32, classes = 10}\n"

Test(lua_graph, gates)
{
    gives(MOBILENET "local w = m:with_gates{{point = 'features.3.add', blocks = 2}}\n"
                    "local e = w:exits('thop')\n"
                    "return #e .. ' ' .. e[1].trunk .. ' ' .. e[1].gate .. ' ' .. e[1].cumulative",
          "2 1692672 669936 2362608");
    gives(MOBILENET
          "local e = m:with_gates{{point = 'features.3.add', blocks = 2, heads = {0, 1}}}\n"
          "e = e:exits() return e[1].blocks .. e[2].blocks .. e[3].blocks",
          "012");
    fails(MOBILENET "m:with_gates{{point = 'nowhere', blocks = 2}}",
          "gates[1].point: the name or id of a feature map, got \"nowhere\"");
    fails(MOBILENET "m:with_gates{{point = 3, blocks = -2}}",
          "gates[1].blocks: an integer in 0..63");
    fails(MOBILENET "m:with_gates{{point = 3, blocks = 1}, {point = 3, blocks = 1}}",
          "two gates on");
    fails(MOBILENET "m:with_gates{{point = 3, blocks = 1}}:with_gates{}", "carries gates already");
    fails(MOBILENET "m:with_gates({}, 'swish')", "swish");
}

Test(lua_graph, saliency_rules)
{
    gives(MOBILENET "return #m:points()", "10");
    gives(MOBILENET "return #m:points(eex.saliency.residual_merges())", "10");
    gives(MOBILENET "return #m:points('stage_ends')", "8");
    gives(MOBILENET "return #m:points(eex.saliency.all())", "149");
    gives(MOBILENET "return #m:points(eex.saliency.ranked{metric = 'spacing'})", "7");
    gives(MOBILENET "return #m:points(eex.saliency.ranked{count = 3, from = 'all'})", "3");
    gives(MOBILENET "local p = m:points(eex.saliency.ranked{count = 2,\n"
                    "  metric = function(n) return n.c - n.trunk_macs / 1e9 end})\n"
                    "return m:nodes()[p[1] + 1].name .. ' ' .. m:nodes()[p[2] + 1].name",
          "features.15.add features.16.add");
    gives(MOBILENET "local p = m:points(function(nodes) local t = {}\n"
                    "for _, n in ipairs(nodes) do if n.kind == 'add' then t[#t + 1] = n end end\n"
                    "return t end) return #p",
          "10");
    gives(MOBILENET "local p = m:points{'features.5.add', 'features.3.add', 1} return p[1] .. #p",
          "13");
    gives("local x = g:flatten(g:act(0, 'a', 'relu'), 'f')\n"
          "g:finish(g:linear(x, 'l', {out = 2})) return #g:points()",
          "1"); /* no residual merges: everything */
}

Test(lua_graph, wrong_saliency_rules)
{
    fails(MOBILENET "m:points('merges')",
          "saliency: one of \"residual_merges\", \"stage_ends\", \"all\" and \"ranked\"");
    fails(MOBILENET "m:points{rule = 'merges'}", "saliency.rule: one of");
    fails(MOBILENET "m:points{}", "saliency.rule: one of");
    fails(MOBILENET "m:points(7)", "saliency: one of");
    fails(MOBILENET "m:points{'features.3.add', 'nowhere'}", "saliency[2]: the name or id");
    fails(MOBILENET "m:points{'features.3.add', 'features.3.add'}", "is there twice");
    fails(MOBILENET "m:points{'classifier.1'}", "saliency[1]");
    fails(MOBILENET "m:points(function() return 1 end)", "a table, got 1");
    fails(MOBILENET "m:points(function() error('mine') end)", "a.lua:2: mine");
    fails(MOBILENET "m:points(eex.saliency.ranked{metric = 'best'})", "saliency.metric: one of");
    fails(MOBILENET "m:points(eex.saliency.ranked{metric = function() end})", "returns a number");
    fails(MOBILENET "m:points(eex.saliency.ranked{metric = function() return 0/0 end})",
          "not a number");
    fails(MOBILENET "m:points(eex.saliency.ranked{cuont = 2})", "did you mean \"count\"");
    fails(MOBILENET "m:points(eex.saliency.ranked{from = eex.saliency.ranked()})",
          "saliency.from.rule: a rule that does not rank");
    fails(MOBILENET "m:points{rule = 'all', count = 2}", "saliency.count: no such field");
    fails("eex.saliency.ranked(3)", "a.lua:1: saliency.ranked: a table of options");
}

static int read_probe(lua_State *state)
{
    eex_lua_saliency *out = lua_touserdata(state, 1);
    lua_getglobal(state, "rule");
    lua_getglobal(state, "backbone");
    eex_lua_read_saliency(out, state, 2, "saliency", eex_lua_backbone(state, 3));
    return 0;
}

Test(lua_graph, the_probe_is_left_to_the_run)
{
    eex_lua_saliency found;
    OK(script_run("rule = eex.saliency.ranked{metric = 'probe', count = 4}\n"
                  "backbone = eex.backbones.mobilenetv2{size = 32}"));
    OK(eex_lua_protect(L, read_probe, &found));
    cr_expect(found.probe && found.probe_count == 4 && found.points.count == 10);
}

Test(lua_graph, families_of_gates)
{
    gives("return #eex.gates.up_to(4).blocks", "4");
    gives("return eex.gates.blocks({2, 3}, {max_exits = 5}).max_exits", "5");
    fails("eex.gates.up_to(0)", "a.lua:1: gates.up_to: a positive integer, got 0");
    fails("eex.gates.blocks(3)", "a.lua:1: gates.blocks: a list");
}

/* ---- fields ---- */

static const char small[] =
    "local x = g:conv(g:input(), 'c', {out = 4, kernel = 1}) x = g:act(x, 'a', 'relu')\n"
    "x = g:flatten(g:global_pool(x, 'p'), 'f') g:finish(g:linear(x, 'l', {out = 2}))\n";

static void fails_with_small(const char *text, const char *part)
{
    char all[1024];
    snprintf(all, sizeof all, "%s%s", small, text);
    fails(all, part);
}

static void gives_with_small(const char *text, const char *wanted)
{
    char all[1024];
    snprintf(all, sizeof all, "%s%s", small, text);
    gives(all, wanted);
}

Test(lua_graph, a_field_that_a_node_never_has_is_an_error)
{
    fails_with_small("return g:nodes()[1].gatable", "a.lua:3: node.gatable: no such field, did you "
                                                    "mean \"gateable\"?");
    fails_with_small("return g:nodes()[1].trunk_mac", "did you mean \"trunk_macs\"?");
    fails_with_small("return g:parameters()[1].shap", "parameter.shap: no such field");
    fails_with_small("return g:exits()[1].trunks", "exit.trunks: no such field");
    fails_with_small("return g:points(function(nodes) local l = {} for _, n in ipairs(nodes) do\n"
                     "if n.gateble then l[#l + 1] = n end end return l end)",
                     "node.gateble: no such field");
    fails_with_small("return g:points{rule = 'ranked', metric = function(n) return n.mac end}",
                     "node.mac: no such field");
    /* what is there for some, or put there by the script, may be looked at */
    gives_with_small("return tostring(g:nodes()[1].act) .. tostring(g:nodes()[1].exit)", "nilnil");
    gives_with_small("local n = g:nodes()[1] n.mine = 7 return n.mine", "7");
    gives_with_small("local keys = 0 for _ in pairs(g:nodes()[1]) do keys = keys + 1 end "
                     "return keys > 8",
                     "true");
    gives_with_small("return getmetatable(g:nodes()[1])", "fields");
    eex_lua_push_module(L, "eex.inspect");
    lua_setglobal(L, "inspect");
    gives_with_small("return inspect(g:nodes()[3]):match('gateable') ~= nil", "true");
}

Test(lua_graph, a_method_that_is_none_names_the_nearest)
{
    fails(
        "return g:convv(0, 'c', {})",
        "a.lua:1: g:convv: graphs have no such method, did you mean g:conv(x, name, { out, kernel, "
        "stride, pad, groups, bias, transforms })?");
    fails("return g:zzzzzzzz()", "g:zzzzzzzz: graphs have no such method");
    gives("return tostring(g[1])", "nil");
}

Test(lua_graph, what_is_no_place_of_a_list_is_refused)
{
    fails_with_small("return g:points(function() return {points = {'a'}} end)",
                     "there is no place for [\"points\"]");
    fails_with_small("return g:points({'a', x = 'c'})", "there is no place for [\"x\"]");
    fails_with_small("return g:points({[7] = 'a'})", "saliency.7: no such field");
    fails_with_small("return g:points({ruel = 'all'})", "did you mean \"rule\"?");
    fails_with_small("return g:points({{idd = 1}})", "idd: no such field, did you mean \"id\"?");
    fails_with_small("return g:points({{point = 1}})", "point: no such field");
    fails_with_small("return g:points({rule = 'ranked', cuont = 1})", "did you mean \"count\"?");
    fails_with_small("return g:with_gates{point = 'a', blocks = 1}",
                     "gates: a list, in which there is no place for [\"");
    fails_with_small("return g:with_gates{{point = 'a', block = 1}}", "did you mean \"blocks\"?");
    fails_with_small("return g:with_gates{{point = 'a', blocks = 1, heads = {0, last = 1}}}",
                     "there is no place for [\"last\"]");
    gives_with_small("return #g:points({'a', g:nodes()[2]})", "2");
}

/* docs/writing-experiments.md has every method as it is, and every field of a node. */
Test(lua_graph, the_documentation_says_what_there_is)
{
    char *docs = NULL;
    int count;
    const eex__graph_method *methods = eex__graph_methods(&count);
    OK(eex_fs_read(&docs, NULL, EEX_SOURCE_DIR "/docs/writing-experiments.md", 1 << 20));
    for (int i = 0; i < count; i++) {
        const eex__graph_method *m = &methods[i];
        char line[512], text[128];
        snprintf(line, sizeof line, "| `%s` |", eex__graph_push_method(L, m));
        cr_expect(strstr(docs, line), "docs/writing-experiments.md lacks the line\n%s", line);
        snprintf(text, sizeof text, "return type(%s%s)", strchr(m->name, '.') ? "" : "g.", m->name);
        gives(text, "function");
    }
    const eex__graph_table returned[] = {EEX__OF_NODE, EEX__OF_PARAMETER, EEX__OF_EXIT};
    for (int t = 0; t < 3; t++)
        for (const char *const *f = eex__graph_fields(returned[t]); *f; f++) {
            char word[64];
            snprintf(word, sizeof word, "`%s`", *f);
            cr_expect(strstr(docs, word), "docs/writing-experiments.md does not name %s", word);
        }
    free(docs);
}

/* How many arguments a method has as it is documented: "g:conv(x, name, { out, kernel })" has 3. */
static int documented(const eex__graph_method *m)
{
    const char *text = strchr(eex__graph_push_method(L, m), m->list || m->table >= 0 ? ':' : '(');
    int depth = 0, commas = 0, words = 0;
    for (; *text; text++) {
        depth += (*text == '{' || *text == '(') - (*text == '}' || *text == ')');
        commas += depth == 1 && *text == ',';
        words += depth >= 1 && (isalpha(*text) || *text == '{');
    }
    return words ? commas + 1 : 0;
}

/* One argument more than there are names for would be ignored. Batch norm has one for the library's
 * own networks, which no script is told of. */
Test(lua_graph, no_method_takes_more_than_is_documented)
{
    int count;
    const eex__graph_method *methods = eex__graph_methods(&count);
    for (int i = 0; i < count; i++) {
        const eex__graph_method *m = &methods[i];
        const bool made = strchr(m->name, '.') != NULL;
        const int most = made ? 1 : documented(m) + (strcmp(m->name, "batch_norm") == 0);
        char text[256], wanted[96];
        snprintf(text, sizeof text, "return %s%s(%stable.unpack({1, 1, 1, 1, 1, 1}, 1, %d))",
                 made ? "" : "g.", m->name, made ? "" : "g, ", most + 1);
        snprintf(wanted, sizeof wanted,
                 most ? "%s: at most %d argument" : "%s: no arguments, got 1",
                 made ? "graph" : m->name, most);
        fails(text, wanted);
    }
    gives("return g:input(nil, nil)", "0");
}

Test(lua_graph, what_the_library_would_ignore_is_refused)
{
    fails("local r = eex.saliency.residual_merges{foo = 1} return r",
          "a.lua:1: saliency.residual_merges: no arguments, got 1");
    fails("return eex.saliency.all{}", "saliency.all: no arguments");
    fails("return eex.saliency.stage_ends(7)", "saliency.stage_ends: no arguments");
    fails("return eex.saliency.ranked({}, 3)", "saliency.ranked: at most 1 argument, got 2");
    for (const char *const *name =
             (const char *const[]){"blocks", "pooled", "strided", "residual", "linear", NULL};
         *name; name++) {
        char text[96];
        snprintf(text, sizeof text, "return eex.gates.%s({1}, {}, 3)", *name);
        fails(text, ": at most 2 arguments, got 3");
        snprintf(text, sizeof text, "return eex.gates.%s{each = {1}, foo = 1}", *name);
        fails(text, "each stands in the place of the list, got [foo] beside it");
    }
    fails("return eex.gates.eec({}, 1)", "gates.eec: at most 1 argument");
    fails("return eex.gates.up_to(2, {}, 1)", "gates.up_to: at most 2 arguments");
    for (const char *const *group =
             (const char *const[]){"backbones", "families", "predictors", NULL};
         *group; group++) {
        char text[128];
        snprintf(text, sizeof text, "for _, f in pairs(eex.%s) do f({}, 1) end", *group);
        fails(text, "the function of a network: at most 1 argument, got 2");
    }
    fails("return eex.open('x', {}, 1)", "open: at most 2 arguments");
    fails("return eex.run('x', {})", "run: at most 1 argument");
    fails("return eex.plot({1, 2}, {3, 4}, {}, {})", "plot: at most 3 arguments");
    fails("return eex.help('eex', 1)", "help: at most 1 argument");
}

/* The other way round: no method without its row, no field of a node without its name. */
Test(lua_graph, all_that_there_is_has_a_row)
{
    int count, there = 0;
    eex__graph_methods(&count);
    gives("return 1", "1");
    luaL_getmetatable(L, "eex.graph");
    lua_getfield(L, -1, "__index");
    cr_assert(lua_getupvalue(L, -1, 1));
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
        there++;
    cr_expect_eq(there, count - 1); /* and eex.graph */
    OK(script_run(
        "local all = {} for _, n in ipairs(eex.backbones.mobilenetv2{size = 32, classes = 10}\n"
        "  :with_gates({{point = 'features.3.add', blocks = 1}}):nodes()) do\n"
        "for k in pairs(n) do all[k] = true end end\n"
        "local names = {} for k in pairs(all) do names[#names + 1] = k end return names"));
    cr_expect_eq(lua_rawlen(L, -1), 13);
    for (int i = 1; i <= (int)lua_rawlen(L, -1); i++) {
        lua_rawgeti(L, -1, i);
        const char *const *f = eex__graph_fields(EEX__OF_NODE);
        while (*f && strcmp(*f, lua_tostring(L, -1)) != 0)
            f++;
        cr_expect(*f, "no row for the node's field %s", lua_tostring(L, -1));
        lua_pop(L, 1);
    }
}

/* ---- limits ---- */

/* The collector sees a few bytes of each graph, the limit all of it. */
Test(lua_graph, what_graphs_hold_is_the_scripts_memory)
{
    static const char *const loops[] = {
        "local b = eex.backbones.mobilenetv2{size = 32, classes = 10}\n"
        "local kept = {}\n"
        "for i = 1, 60 do kept[i] = b:with_gates{{point = 'features.3.add', blocks = 1}} end",
        "local kept = {}\n"
        "for i = 1, 60 do\n"
        "  kept[i] = eex.graph{name = 'g', size = 8}\n"
        "  local x = kept[i]:input()\n"
        "  for j = 1, 400 do x = kept[i]:act(x, 'a' .. j, 'relu') end\n"
        "end",
    };
    for (size_t i = 0; i < sizeof loops / sizeof *loops; i++) {
        eex_lua_close(L);
        OK(eex_lua_open(&L, &(eex_lua_options){.memory = 1500 << 10}));
        fails(loops[i], "the nodes of a graph do not fit");
        cr_expect_not_null(strstr(eex_error(), "--trust"), "%s", eex_error());
        gives("for i = 1, 200 do\n" /* what is not kept is given back */
              "  local h = eex.graph{name = 'h', size = 8}\n"
              "  local x = h:input()\n"
              "  for j = 1, 70 do x = h:act(x, 'a' .. j, 'relu') end\n"
              "end\n"
              "return 'done'",
              "done");
        eex_lua_close(L);
        OK(eex_lua_open(&L, &(eex_lua_options){0}));
        gives(
            "local b, kept = eex.backbones.mobilenetv2{size = 32, classes = 10}, {}\n"
            "for i = 1, 60 do kept[i] = b:with_gates{{point = 'features.3.add', blocks = 1}} end\n"
            "return #kept",
            "60");
    }
}
