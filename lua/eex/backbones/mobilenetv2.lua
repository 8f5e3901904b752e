-- MobileNetV2 (Sandler et al. 2018) as torchvision defines it, with its parameter names.
--
--   eex.backbones.mobilenetv2 { size = 32, classes = 10 }
--
-- Options: size (of square images) and channels; classes; width (multiplier of all channels);
-- dropout in front of the classifier; stem_stride (2 as published, 1 keeps small images larger).
local core = require "eex.core"
local parts = require "eex.backbones.parts"

local specs = parts.specs(224, 1000, 4,
  { name = "dropout", kind = "number", default = 0.2, min = 0, max = 0.95 },
  { name = "stem_stride", kind = "integer", default = 2, min = 1, max = 2 })

-- expansion, channels, repeats, stride of the first
local stages = {
  { 1, 16, 1, 1 },
  { 6, 24, 2, 2 },
  { 6, 32, 3, 2 },
  { 6, 64, 4, 2 },
  { 6, 96, 3, 1 },
  { 6, 160, 3, 2 },
  { 6, 320, 1, 1 },
}

-- The multiple of 8 nearest to `channels`, at least 8, and not more than a tenth below it.
local function divisible(channels)
  local rounded = parts.multiple_of_8(channels)
  return rounded < 0.9 * channels and rounded + 8 or rounded
end

local function conv_bn_act(g, x, prefix, options)
  x = parts.conv_bn(g, x, prefix .. ".0", prefix .. ".1", options)
  return g:act(x, prefix .. ".2", "relu6")
end

local function inverted_residual(g, x, name, input, output, stride, expansion)
  local hidden = math.floor(input * expansion + 0.5)
  local first, layer = x, 0
  local function prefix()
    layer = layer + 1
    return name .. ".conv." .. layer - 1
  end
  g:block(name)
  if expansion ~= 1 then
    x = conv_bn_act(g, x, prefix(), { out = hidden, kernel = 1 })
  end
  x = conv_bn_act(g, x, prefix(), { out = hidden, kernel = 3, stride = stride, groups = hidden })
  x = g:conv(x, prefix(), { out = output, kernel = 1 })
  x = g:batch_norm(x, prefix())
  if stride == 1 and input == output then
    x = g:add(first, x, name .. ".add")
  end
  return x
end

return function(options)
  local o = core.fields("backbone", options, specs)
  local g = core.graph { name = "mobilenetv2", size = o.size, channels = o.channels }
  local x, channels, feature = g:input(), divisible(32 * o.width), 0

  g:block("features.0")
  x = conv_bn_act(g, x, "features.0", { out = channels, kernel = 3, stride = o.stem_stride })
  for _, stage in ipairs(stages) do
    local expansion, width, repeats, stride = table.unpack(stage)
    local output = divisible(width * o.width)
    for i = 1, repeats do
      feature = feature + 1
      x = inverted_residual(g, x, "features." .. feature, channels, output, i == 1 and stride or 1,
        expansion)
      channels = output
    end
  end
  g:block("features.18")
  x = conv_bn_act(g, x, "features.18", { out = divisible(1280 * math.max(1, o.width)), kernel = 1 })

  g:block("classifier")
  x = g:global_pool(x, "mean", { functional = true })
  x = g:dropout(x, "classifier.0", o.dropout)
  x = g:linear(x, "classifier.1", { out = o.classes, init_std = 0.01 })
  return g:finish(x)
end
