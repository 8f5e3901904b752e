-- MobileNetV2 (Sandler et al. 2018) as torchvision defines it, with its parameter names.
--
-- build(g, o): o has classes, dropout, stem_stride, strides (of each stage's first block),
-- zero_init_residual, width (a decision: multiplier of all channels) and depths (a decision for each
-- stage: how many blocks it has).
local parts = require "eex.nets.parts"

local net = {}

-- expansion, channels, repeats
net.stages = {
  { 1, 16, 1 },
  { 6, 24, 2 },
  { 6, 32, 3 },
  { 6, 64, 4 },
  { 6, 96, 3 },
  { 6, 160, 3 },
  { 6, 320, 1 },
}
net.strides = { 1, 2, 2, 2, 1, 2, 1 }

-- So many channels by the width.
local function scaled(channels)
  return function(width)
    return parts.divisible(channels * width)
  end
end

local function conv_bn_act(g, x, prefix, options)
  x = parts.conv_bn(g, x, prefix .. ".0", prefix .. ".1", options)
  return g:act(x, prefix .. ".2", "relu6")
end

local function inverted_residual(g, x, name, o, block)
  local function widened(width)
    return math.floor(block.input(width) * block.expansion + 0.5)
  end
  local hidden = parts.pick(g, o.width, widened)
  local first, layer = x, 0
  local function prefix()
    layer = layer + 1
    return name .. ".conv." .. layer - 1
  end
  g:block(name)
  if block.expansion ~= 1 then
    x = conv_bn_act(g, x, prefix(), { out = hidden, kernel = 1 })
  end
  local most = parts.largest(hidden)
  x = conv_bn_act(g, x, prefix(), { out = most, kernel = 3, stride = block.stride, groups = most })
  local merges = block.stride == 1 and parts.same(o.width, block.input, block.output)
  x = g:conv(x, prefix(), { out = parts.pick(g, o.width, block.output), kernel = 1 })
  x = g:batch_norm(x, prefix(), { zero_start = merges and o.zero_init_residual })
  return merges and g:add(first, x, name .. ".add") or x
end

function net.build(g, o)
  local input, feature = scaled(32), 0
  g:block("features.0")
  local x = conv_bn_act(g, g:input(), "features.0",
    { out = parts.pick(g, o.width, input), kernel = 3, stride = o.stem_stride })
  for s, stage in ipairs(net.stages) do
    local expansion, width = table.unpack(stage)
    local output = scaled(width)
    parts.repeated(g, o.depths[s], function(i)
      feature = feature + 1
      x = inverted_residual(g, x, "features." .. feature, o,
        { input = input, output = output, stride = i == 1 and o.strides[s] or 1, expansion = expansion })
      input = output
    end)
  end
  g:block("features.18")
  x = conv_bn_act(g, x, "features.18", {
    out = parts.pick(g, o.width, function(width)
      return parts.divisible(1280 * math.max(1, width))
    end),
    kernel = 1,
  })
  g:block("classifier")
  x = g:global_pool(x, "mean", { functional = true })
  x = g:dropout(x, "classifier.0", o.dropout)
  x = g:linear(x, "classifier.1", { out = o.classes, init_std = 0.01 })
  return g:finish(x)
end

return net
