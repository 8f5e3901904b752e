/* AlexNet, VGG and residual networks with their published exits, and the networks of the Exit
 * Predictor, against published integers (Dong et al., EDANAS). */
#include "lua/sandbox.h"
#include "support/script.h"

#include "base/status.h"

#include <criterion/criterion.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

/* What every script may use. */
static const char prelude[] =
    "eex = require 'eex'\n"
    "b = eex.backbones\n"
    "function list(t) return table.concat(t, ' ') end\n"
    /* gates of one family: { point, blocks }, ... */
    "function gated(g, family, channels, ...)\n"
    "  local gates = {}\n"
    "  for i, at in ipairs { ... } do\n"
    "    gates[i] = { point = at[1], blocks = at[2], family = family, channels = channels }\n"
    "  end\n"
    "  return g:with_gates(gates)\n"
    "end\n"
    /* of each exit the trunk since the one before it, and its gate */
    "function parts(g)\n"
    "  local out, before = {}, 0\n"
    "  for i, e in ipairs(g:exits('ptflops')) do\n"
    "    out[#out + 1], before = e.trunk - before, e.trunk\n"
    "    out[#out + 1] = e.gate\n"
    "  end\n"
    "  return list { table.unpack(out, 1, #out - 2) }\n"
    "end\n"
    "function shape(g, name)\n"
    "  for _, n in ipairs(g:nodes()) do\n"
    "    if n.name == name then return n.c .. 'x' .. n.h .. 'x' .. n.w end\n"
    "  end\n"
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

TestSuite(lua_backbones, .init = setup, .fini = teardown);

/* ---- Dong et al., Tables I, III, V and VI ---- */

#define ALEXNET "n = b.alexnet { classes = c } "
#define ALEXNET_EXITS "g = gated(n, 'pooled', 64, { 'features.2', 2 }, { 'features.5', 1 }) "

Test(lua_backbones, alexnet)
{
    gives("c = 10 " ALEXNET "return n:cost('ptflops')", "62877706");
    gives("c = 100 " ALEXNET "return n:cost('ptflops')", "63246436");
    gives("c = 10 " ALEXNET ALEXNET_EXITS "return parts(g)", "491520 4749322 7114752 1775114");
    gives("c = 100 " ALEXNET ALEXNET_EXITS "return parts(g)", "491520 4841572 7114752 1798244");
    gives("return shape(g, 'exits.features.2.block1.act') .. ' ' .. "
          "shape(g, 'exits.features.2.block2.act') .. ' ' .. "
          "shape(g, 'exits.features.5.block1.act')",
          "64x8x8 64x8x8 64x4x4");
}

#define VGG "n = b.vgg { classes = c, depth = 16, batch_norm = true } "
#define VGG_EXITS "g = gated(n, 'strided', nil, { 'features.2', 3 }, { 'features.9', 2 }) "

Test(lua_backbones, vgg16_with_batch_norm)
{
    gives("c = 10 " VGG "return n:cost('ptflops')", "333082634");
    gives("c = 100 " VGG "return n:cost('ptflops')", "333451364");
    gives("c = 10 " VGG VGG_EXITS "return parts(g)", "1966080 16695306 56983552 14233610");
    gives("c = 100 " VGG VGG_EXITS "return parts(g)", "1966080 17432676 56983552 14602340");
    gives("local t = {} for i, n in ipairs { '2.block1', '2.block2', '2.block3', '9.block1', "
          "'9.block2' } do t[i] = shape(g, 'exits.features.' .. n .. '.act') end return list(t)",
          "64x16x16 32x16x16 32x16x16 128x8x8 64x8x8");
}

#define RESNET "n = b.resnet_cifar { classes = c, depth = 44 } "
#define TWO "g = gated(n, 'residual', nil, { 'layer1.0.relu_1', 2 }, { 'layer2.0.relu_1', 1 }) "
#define THREE                                                                            \
    "g = gated(n, 'residual', nil, { 'layer1.0.relu_1', 2 }, { 'layer1.3.relu_1', 1 }, " \
    "{ 'layer2.0.relu_1', 1 }) "

Test(lua_backbones, resnet44)
{
    gives("c = 10 " RESNET "return n:cost('ptflops') .. ' ' .. n:parameter_count()",
          "98517642 661338");
    gives("c = 100 " RESNET "return n:cost('ptflops')", "98523492");
    gives("c = 10 " RESNET TWO "return parts(g)", "5292032 9658378 32530432 4788234");
    gives("c = 100 " RESNET TWO "return parts(g)", "5292032 10027108 32530432 4972644");
    gives("c = 100 " RESNET THREE "return parts(g)",
          "5292032 10027108 14401536 5226596 18128896 4972644");
    gives("return shape(g, 'exits.layer1.0.relu_1.block2.act2') .. ' ' .. "
          "shape(g, 'exits.layer1.3.relu_1.block1.act2') .. ' ' .. "
          "shape(g, 'exits.layer2.0.relu_1.block1.act2')",
          "16x32x32 16x32x32 32x16x16");
    gives("return #n:points(eex.saliency.residual_merges())", "21");
}

/* The activation behind a sum is a function of the original, which hooks of layers do not see. */
Test(lua_backbones, what_a_function_does_is_not_counted)
{
    gives("return b.resnet_small { blocks = 7 }:cost('ptflops') - "
          "b.resnet_cifar { depth = 44 }:cost('ptflops')",
          "200704"); /* 7 x (16384 + 8192 + 4096) */
    for (int i = 0; i < 3; i++) {
        static const char *const conventions[] = {"macs", "thop", "torchprofile"};
        char text[160];
        snprintf(text, sizeof text,
                 "return b.resnet_small { blocks = 7 }:cost('%s') - "
                 "b.resnet_cifar { depth = 44 }:cost('%s')",
                 conventions[i], conventions[i]);
        gives(text, "0");
    }
    gives("local function net(options)\n"
          "  local g = eex.graph { name = 'n', size = 8 }\n"
          "  return g:finish(g:flatten(g:act(g:input(), 'a', 'relu', options), 'flatten'))\n"
          "end\n"
          "return net():cost('ptflops') .. ' ' .. net { functional = true }:cost('ptflops')",
          "192 0");
    fails("local g = eex.graph { name = 'n', size = 8 } g:act(0, 'a', 'relu', { function_ = 1 })",
          "a.function_");
}

/* ---- the Exit Predictor, section III-B and Table II ---- */

#define PREDICTOR                                                                                  \
    "local function conv_bn(g, x, name, options)\n"                                                \
    "  options.kernel = options.kernel or 3\n"                                                     \
    "  options.pad = options.kernel // 2\n"                                                        \
    "  x = g:batch_norm(g:conv(x, name, options), name .. '.bn')\n"                                \
    "  return g:act(x, name .. '.relu', 'relu')\n"                                                 \
    "end\n"                                                                                        \
    "local function squeeze(g, x, name, c)\n"                                                      \
    "  local s = g:global_pool(x, name .. '.pool')\n"                                              \
    "  s = g:linear(s, name .. '.1', { out = c // 16, bias = false })\n"                           \
    "  s = g:linear(g:act(s, name .. '.relu', 'relu'), name .. '.2', { out = c, bias = false })\n" \
    "  return g:scale(x, g:act(s, name .. '.sigmoid', 'sigmoid'), name .. '.scale')\n"             \
    "end\n"                                                                                        \
    "function predictor(whole)\n"                                                                  \
    "  local g = eex.graph { name = 'predictor', size = 32 }\n"                                    \
    "  local x, c = conv_bn(g, g:input(), 'stem', { out = 16, stride = 2 }), 16\n"                 \
    "  for i = 1, 3 do\n"                                                                          \
    "    local d = conv_bn(g, x, 'dw' .. i, { out = c, groups = c, stride = 2 })\n"                \
    "    if whole then\n"                                                                          \
    "      d = g:concat(g:max_pool(x, 'pool' .. i, { kernel = 2 }), d, 'cat' .. i)\n"              \
    "      d = squeeze(g, d, 'se' .. i, 2 * c)\n"                                                  \
    "    end\n"                                                                                    \
    "    c = 16 << i\n"                                                                            \
    "    x = conv_bn(g, d, 'pw' .. i, { out = c, kernel = 1 })\n"                                  \
    "  end\n"                                                                                      \
    "  x = g:linear(g:flatten(x, 'flatten'), 'fc1', { out = 64 })\n"                               \
    "  x = g:linear(g:act(x, 'relu', 'relu'), 'fc2', { out = 2 })\n"                               \
    "  return g:finish(g:act(x, 'sigmoid', 'sigmoid'))\n"                                          \
    "end\n"

Test(lua_backbones, exit_predictors)
{
    gives(PREDICTOR "g = predictor(true) return g:cost('ptflops') .. ' ' .. g:parameter_count()",
          "398224 59298");
    gives(PREDICTOR "return predictor(false):cost('ptflops')", "286466");
    gives("local g = eex.graph { name = 'fcs', size = 32 }\n"
          "local x = g:linear(g:flatten(g:input(), 'flatten'), 'fc1', { out = 128 })\n"
          "x = g:linear(g:act(x, 'relu', 'relu'), 'fc2', { out = 2 })\n"
          "return g:finish(x):cost('ptflops')",
          "393730");
    gives("local g = eex.graph { name = 'lenet', size = 32 }\n"
          "local x = g:input()\n"
          "for i, c in ipairs { 6, 16 } do\n"
          "  x = g:conv(x, 'conv' .. i, { out = c, kernel = 5, bias = true })\n"
          "  x = g:max_pool(g:act(x, 'relu' .. i, 'relu'), 'pool' .. i, { kernel = 2 })\n"
          "end\n"
          "x = g:flatten(x, 'flatten')\n"
          "for i, c in ipairs { 120, 84 } do\n"
          "  x = g:act(g:linear(x, 'fc' .. i, { out = c }), 'fc_relu' .. i, 'relu')\n"
          "end\n"
          "return g:finish(g:linear(x, 'fc3', { out = 2 })):cost('ptflops')",
          "670370");
}

/* ---- EDANAS V-B: an exit is a convolution with 128 filters, a pool and a linear layer ---- */

/* MACs of each exit's gate: C x 128 x 9 x h^2 + 128 (h / 2)^2 x 10. */
#define GATES                                                                      \
    "local function gates(g, points)\n"                                            \
    "  local at, out = {}, {}\n"                                                   \
    "  for i, p in ipairs(points) do at[i] = { p, 1 } end\n"                       \
    "  for i, e in ipairs(gated(g, 'pooled', nil, table.unpack(at)):exits()) do\n" \
    "    out[i] = e.gate\n"                                                        \
    "  end\n"                                                                      \
    "  return list(out)\n"                                                         \
    "end\n"

Test(lua_backbones, exits_of_edanas_baselines)
{
    gives(GATES "return gates(b.alexnet {}, { 'features.2', 'features.5', 'features.7', "
                "'features.9', 'features.12' })",
          "4739072 3544064 7083008 4723712 1180928 0");
    gives(GATES "return gates(b.vgg { depth = 13 }, { 'features.1', 'features.4', 'features.6', "
                "'features.9', 'features.11', 'features.14', 'features.16', 'features.19', "
                "'features.21' })",
          "75825152 18956288 37830656 9457664 18894848 4723712 9442304 2360576 2360576 0");
    gives(GATES "return gates(b.resnet18 { size = 32, classes = 10, stem = 'cifar' }, { 'relu', "
                "'layer1.0.relu_1', 'layer1.1.relu_1', 'layer2.0.relu_1', 'layer2.1.relu_1', "
                "'layer3.0.relu_1', 'layer3.1.relu_1', 'layer4.0.relu_1', 'layer4.1.relu_1' })",
          "75825152 75825152 75825152 37830656 37830656 18894848 18894848 9442304 9442304 0");
}

/* ---- torchvision's sizes ---- */

Test(lua_backbones, torchvision_s_sizes)
{
    gives("local g = b.resnet18 {} return g:parameter_count() .. ' ' .. g:cost()",
          "11689512 1814073344");
    gives("return b.resnet50 {}:parameter_count()", "25557032");
    gives("local t = {} for i, depth in ipairs { 11, 13, 16, 19 } do\n"
          "  t[i] = b.vgg { size = 224, classes = 1000, depth = depth }:parameter_count() end\n"
          "return list(t)",
          "132863336 133047848 138357544 143667240");
    gives("return b.vgg { size = 224, classes = 1000, batch_norm = true, bias = true }"
          ":parameter_count()",
          "138365992");
    gives("return b.resnet18 { size = 32, classes = 10, stem = 'cifar' }:parameter_count()",
          "11173962");
}

Test(lua_backbones, torchvision_s_names)
{
    gives("local names = {}\n"
          "for i, p in ipairs(b.alexnet {}:parameters()) do names[i] = p.name end\n"
          "return list(names)",
          "features.0.weight features.0.bias features.3.weight features.3.bias "
          "features.6.weight features.6.bias features.8.weight features.8.bias "
          "features.10.weight features.10.bias classifier.1.weight classifier.1.bias "
          "classifier.4.weight classifier.4.bias classifier.6.weight classifier.6.bias");
    gives(
        "local known = {}\n"
        "for _, p in ipairs(b.vgg { depth = 11, batch_norm = true }:parameters()) do\n"
        "  known[p.name] = list(p.shape) end\n"
        "return known['features.0.weight'] .. ', ' .. known['features.1.running_mean'] .. ', ' .. "
        "known['features.25.weight'] .. ', ' .. known['classifier.0.weight'] .. ', ' .. "
        "known['classifier.3.bias'] .. ', ' .. known['classifier.6.weight'] .. ' ' .. "
        "tostring(known['features.0.bias'])",
        "64 3 3 3, 64, 512 512 3 3, 4096 512, 4096, 10 4096 nil");
    gives(
        "local known = {}\n"
        "for _, p in ipairs(b.resnet18 {}:parameters()) do known[p.name] = list(p.shape) end\n"
        "return known['layer1.0.conv1.weight'] .. ', ' .. "
        "known['layer2.0.downsample.0.weight'] .. ', ' .. known['layer4.1.bn2.weight'] .. ', ' .. "
        "known['fc.weight'] .. ', ' .. tostring(known['layer1.0.downsample.0.weight'])",
        "64 64 3 3, 128 64 1 1, 512, 1000 512, nil");
}

/* ---- options ---- */

Test(lua_backbones, widths)
{
    gives("return shape(b.alexnet { width = 0.25 }, 'features.12') .. ' ' .. "
          "shape(b.alexnet { width = 0.25, hidden = 256 }, 'classifier.4')",
          "64x2x2 64x1x1");
    gives("return shape(b.vgg { width = 0.5 }, 'features.29') .. ' ' .. "
          "shape(b.resnet18 { width = 0.5, size = 32 }, 'layer4.1.add') .. ' ' .. "
          "shape(b.resnet_cifar { width = 2 }, 'layer3.2.add')",
          "256x2x2 256x1x1 128x8x8");
    gives("return shape(b.alexnet { stem_stride = 1 }, 'features.12')", "256x4x4");
}

Test(lua_backbones, wrong_options)
{
    fails("b.vgg { depth = 12 }", "backbone.depth: one of 11, 13, 16 and 19, got 12");
    fails("b.vgg { depth = 50 }", "backbone.depth");
    fails("b.resnet_cifar { depth = 18 }", "6 n + 2, as 20, 32, 44, 56 and 110, got 18");
    fails("b.alexnet { batch_norm = true }", "batch_norm");
    fails("b.resnet18 { stem = 'small' }", "stem");
    fails("b.vgg { size = 16 }", "features.30");
    fails("b.alexnet(3)", "backbone");
    fails("eex.gates.pooled(1)", "gates.pooled: a list of block counts, got a number");
    fails("eex.gates.linear()", "gates.linear: a list of block counts, got a nil");
    fails("eex.gates.strided()", "gates.strided: a list of block counts, got a nil");
    fails("b.alexnet {}:with_gates { { point = 'features.2', family = 'pool' } }", "family");
    fails("b.alexnet {}:with_gates { { point = 'features.2', family = 'pooled', blocks = 1, "
          "channels = 0 } }",
          "channels");
    fails("b.alexnet {}:with_gates { { point = 'features.2', family = 'pooled' } }", "blocks");
}
