-- MobileNetV3 as Cai et al. 2020 ("Once-for-All") search it: five units of inverted bottlenecks, each
-- with a kernel and an expansion of its own. Parameters have the names of their published networks,
-- counted as in the deepest one.
--
-- build(g, o): o has classes, width (a number), stem_stride, strides (of each unit's first layer),
-- dropout, zero_init_residual, and decisions: depths[unit], kernels[unit][layer],
-- expansions[unit][layer].
local parts = require "eex.nets.parts"

local net = {}

-- channels, activation, squeeze and excitation
net.units = {
  { 24, "relu", false },
  { 40, "relu", true },
  { 80, "h-swish", false },
  { 112, "h-swish", true },
  { 160, "h-swish", true },
}
net.strides = { 2, 2, 2, 1, 2 }
net.layers = 4 -- of a unit, at most

-- Squeeze and excitation with a hidden layer of a quarter of the channels.
local function excite(g, x, name, decision, hidden)
  local function quarter(expansion)
    return parts.divisible(hidden(expansion) // 4)
  end
  local s = g:global_pool(x, name .. ".mean", { functional = true })
  s = g:conv(s, name .. ".fc.reduce",
    { out = parts.pick(g, decision, quarter), kernel = 1, bias = true })
  s = g:act(s, name .. ".fc.relu", "relu")
  s = g:conv(s, name .. ".fc.expand",
    { out = parts.pick(g, decision, hidden), kernel = 1, bias = true })
  s = g:act(s, name .. ".fc.h_sigmoid", "h-sigmoid")
  return g:scale(x, s, name .. ".scale")
end

-- block: input and output channels, kernel and expansion (decisions), stride, act, se.
local function bottleneck(g, x, name, o, block)
  local function hidden(expansion)
    return parts.divisible(math.floor(block.input * expansion + 0.5))
  end
  local first, inner = x, name .. ".conv."
  local most = hidden(parts.largest(block.expansion))
  g:block(name)
  if block.expansion ~= 1 then
    local layer = inner .. "inverted_bottleneck"
    x = parts.conv_bn(g, x, layer .. ".conv", layer .. ".bn",
      { out = parts.pick(g, block.expansion, hidden), kernel = 1 })
    x = g:act(x, layer .. ".act", block.act)
  end
  local depth = inner .. "depth_conv"
  x = parts.conv_bn(g, x, depth .. ".conv", depth .. ".bn", {
    out = most, groups = most, stride = block.stride,
    kernel = parts.pick(g, block.kernel, function(kernel) return kernel end),
    transforms = type(block.kernel) == "table",
  })
  x = g:act(x, depth .. ".act", block.act)
  if block.se then
    x = excite(g, x, depth .. ".se", block.expansion, hidden)
  end
  local merges = block.stride == 1 and block.input == block.output
  local point = inner .. "point_linear"
  x = parts.conv_bn(g, x, point .. ".conv", point .. ".bn", { out = block.output, kernel = 1 },
    { zero_start = merges and o.zero_init_residual })
  return merges and g:add(x, first, name .. ".add") or x
end

local function units(g, x, o, input)
  for u, unit in ipairs(net.units) do
    local channels, act, se = table.unpack(unit)
    local output = parts.divisible(channels * o.width)
    parts.repeated(g, o.depths[u], function(i)
      x = bottleneck(g, x, "blocks." .. net.layers * (u - 1) + i, o, {
        input = input, output = output, stride = i == 1 and o.strides[u] or 1, act = act, se = se,
        kernel = o.kernels[u][i], expansion = o.expansions[u][i],
      })
      input = output
    end)
  end
  return x
end

function net.build(g, o)
  local function scaled(channels)
    return parts.divisible(channels * o.width)
  end
  g:block("first_conv")
  local x = parts.conv_bn(g, g:input(), "first_conv.conv", "first_conv.bn",
    { out = scaled(16), kernel = 3, stride = o.stem_stride })
  x = g:act(x, "first_conv.act", "h-swish")
  x = bottleneck(g, x, "blocks.0", o, {
    input = scaled(16), output = scaled(16), stride = 1, act = "relu", se = false, kernel = 3,
    expansion = 1,
  })
  x = units(g, x, o, scaled(16))
  g:block("final_expand_layer")
  x = parts.conv_bn(g, x, "final_expand_layer.conv", "final_expand_layer.bn",
    { out = scaled(960), kernel = 1 })
  x = g:act(x, "final_expand_layer.act", "h-swish")
  g:block("classifier")
  x = g:global_pool(x, "mean", { functional = true })
  x = g:conv(x, "feature_mix_layer.conv", { out = scaled(1280), kernel = 1 })
  x = g:act(x, "feature_mix_layer.act", "h-swish")
  if o.dropout > 0 then
    x = g:dropout(x, "classifier.dropout", o.dropout)
  end
  x = g:linear(x, "classifier.linear", { out = o.classes, init_std = 0.01 })
  return g:finish(x)
end

-- { { a, b, c, d }, ... } for the units from 20 numbers in a row.
function net.by_unit(list)
  local out = {}
  for u = 1, #net.units do
    out[u] = { table.unpack(list, net.layers * (u - 1) + 1, net.layers * u) }
  end
  return out
end

return net
