-- ResNet50 (He et al. 2015) as torchvision defines it, with its parameter names: stride 2 lies in
-- the 3x3 convolution of a bottleneck.
--
--   eex.backbones.resnet50 { size = 32, classes = 10, stem = "cifar" }
--
-- Options: size (of square images) and channels; classes; width (multiplier of all channels); stem:
-- "imagenet" (7x7 with stride 2 and a max pool) or "cifar" (3x3 with stride 1, no pool, for small
-- images); stem_stride (instead of the stem's own); dropout in front of the classifier (0: none).
local core = require "eex.core"
local parts = require "eex.backbones.parts"

local conv_bn = parts.conv_bn

local specs = parts.specs(224, 1000, 4,
  { name = "stem", kind = "choice", default = "imagenet", names = { "imagenet", "cifar" } },
  { name = "stem_stride", kind = "integer", default = 0, min = 1, max = 2 },
  { name = "dropout", kind = "number", default = 0, min = 0, max = 0.95 })

local repeats = { 3, 4, 6, 3 }

local function scaled(channels, width)
  return parts.multiple_of_8(channels * width)
end

local function bottleneck(g, x, name, width, output, stride, project)
  local first = x
  g:block(name)
  x = conv_bn(g, x, name .. ".conv1", name .. ".bn1", { out = width, kernel = 1 })
  x = g:act(x, name .. ".relu", "relu")
  x = conv_bn(g, x, name .. ".conv2", name .. ".bn2", { out = width, kernel = 3, stride = stride })
  x = g:act(x, name .. ".relu_1", "relu")
  x = conv_bn(g, x, name .. ".conv3", name .. ".bn3", { out = output, kernel = 1 })
  return parts.join(g, x, first, name, project, output, stride, ".relu_2")
end

local function stem(g, o)
  local small = o.stem == "cifar"
  local stride = o.stem_stride > 0 and o.stem_stride or small and 1 or 2
  g:block("stem")
  local x = conv_bn(g, g:input(), "conv1", "bn1",
    { out = scaled(64, o.width), kernel = small and 3 or 7, stride = stride })
  x = g:act(x, "relu", "relu")
  if not small then
    x = g:max_pool(x, "maxpool", { kernel = 3, stride = 2, pad = 1 })
  end
  return x
end

return function(options)
  local o = core.fields("backbone", options, specs)
  local g = core.graph { name = "resnet50", size = o.size, channels = o.channels }
  local x = stem(g, o)
  for layer, count in ipairs(repeats) do
    local width = scaled(64 << layer - 1, o.width)
    for i = 0, count - 1 do
      local stride = layer > 1 and i == 0 and 2 or 1
      x = bottleneck(g, x, "layer" .. layer .. "." .. i, width, 4 * width, stride, i == 0)
    end
  end
  g:block("fc")
  x = g:global_pool(x, "avgpool")
  x = g:flatten(x, "flatten", { functional = true })
  if o.dropout > 0 then
    x = g:dropout(x, "dropout", o.dropout)
  end
  x = g:linear(x, "fc", { out = o.classes })
  return g:finish(x)
end
