-- Residual networks (He et al. 2015): basic blocks for small images, and ResNet18 and ResNet50 with
-- torchvision's parameter names.
--
-- Options that all read: classes, zero_init_residual, width (a decision: multiplier of all channels)
-- and depths (a decision for each stage: how many blocks it has).
local parts = require "eex.nets.parts"

local conv_bn = parts.conv_bn
local net = {}

-- So many channels by the width, times a number.
local function scaled(channels, times)
  return function(width)
    return (times or 1) * parts.multiple_of_8(channels * width)
  end
end

-- ---- basic blocks, section 4.2 ----

local function basic_block(g, x, name, o, output, stride, project)
  local first, out = x, parts.pick(g, o.width, output)
  g:block(name)
  x = conv_bn(g, x, name .. ".conv1", name .. ".bn1", { out = out, kernel = 3, stride = stride })
  x = g:act(x, name .. ".relu", "relu")
  x = conv_bn(g, x, name .. ".conv2", name .. ".bn2", { out = out, kernel = 3 },
    { zero_start = o.zero_init_residual })
  return parts.join(g, x, first, name, project, out, stride, ".relu_1",
    { functional = o.functional })
end

-- Three stages of 16, 32 and 64 channels; o.stem_stride; o.functional (the activations behind sums
-- are calls of a function, which some conventions of cost do not count).
function net.small(g, o)
  g:block("stem")
  local x = conv_bn(g, g:input(), "conv1", "bn1",
    { out = parts.pick(g, o.width, scaled(16)), kernel = 3, stride = o.stem_stride })
  x = g:act(x, "relu", "relu")
  for stage = 1, 3 do
    local output = scaled(16, 1 << stage - 1)
    parts.repeated(g, o.depths[stage], function(i)
      local stride = i == 1 and stage > 1 and 2 or 1
      x = basic_block(g, x, "layer" .. stage .. "." .. i - 1, o, output, stride,
        stage > 1 and i == 1)
    end)
  end
  g:block("fc")
  x = g:global_pool(x, "avgpool")
  x = g:flatten(x, "flatten")
  x = g:linear(x, "fc", { out = o.classes })
  return g:finish(x)
end

-- ---- bottlenecks: stride 2 lies in the 3x3 convolution ----

local function bottleneck(g, x, name, o, channels, stride, project)
  local first = x
  local narrow = parts.pick(g, o.width, scaled(channels))
  local wide = parts.pick(g, o.width, scaled(channels, 4))
  g:block(name)
  x = conv_bn(g, x, name .. ".conv1", name .. ".bn1", { out = narrow, kernel = 1 })
  x = g:act(x, name .. ".relu", "relu")
  x = conv_bn(g, x, name .. ".conv2", name .. ".bn2", { out = narrow, kernel = 3, stride = stride })
  x = g:act(x, name .. ".relu_1", "relu")
  x = conv_bn(g, x, name .. ".conv3", name .. ".bn3", { out = wide, kernel = 1 },
    { zero_start = o.zero_init_residual })
  return parts.join(g, x, first, name, project, wide, stride, ".relu_2")
end

local function stem(g, o)
  local small = o.stem == "cifar"
  local stride = o.stem_stride > 0 and o.stem_stride or small and 1 or 2
  g:block("stem")
  local x = conv_bn(g, g:input(), "conv1", "bn1",
    { out = parts.pick(g, o.width, scaled(64)), kernel = small and 3 or 7, stride = stride })
  x = g:act(x, "relu", "relu")
  if not small then
    x = g:max_pool(x, "maxpool", { kernel = 3, stride = 2, pad = 1 })
  end
  return x
end

net.repeats = { 3, 4, 6, 3 }

-- block(x, name, stage, stride, first) four times as often as o.depths say, and the classifier.
local function four_stages(g, o, block)
  local x = stem(g, o)
  for layer = 1, 4 do
    parts.repeated(g, o.depths[layer], function(i)
      local stride = layer > 1 and i == 1 and 2 or 1
      x = block(x, "layer" .. layer .. "." .. i - 1, layer, stride, i == 1)
    end)
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

-- ResNet50: o.stem ("imagenet" or "cifar"), stem_stride (0: the stem's own), dropout.
function net.fifty(g, o)
  return four_stages(g, o, function(x, name, stage, stride, first)
    return bottleneck(g, x, name, o, 64 << stage - 1, stride, first)
  end)
end

-- ResNet18, with the same options but for depths.
function net.eighteen(g, o)
  o.depths = { 2, 2, 2, 2 }
  return four_stages(g, o, function(x, name, stage, stride, first)
    return basic_block(g, x, name, o, scaled(64, 1 << stage - 1), stride, first and stage > 1)
  end)
end

return net
