-- A small residual network for small images: the basic blocks of He et al. 2015, section 4.2, in
-- three stages of 16, 32 and 64 channels.
--
--   eex.backbones.resnet_small { size = 32, classes = 10 }
--
-- Options: size (of square images) and channels; classes; width (multiplier of all channels); blocks
-- in each stage; stem_stride (2 halves the image at once, for speed).
local core = require "eex.core"
local parts = require "eex.backbones.parts"

local conv_bn = parts.conv_bn

local specs = parts.specs(32, 10, 16,
  { name = "blocks", kind = "integer", default = 3, min = 1, max = 50 },
  { name = "stem_stride", kind = "integer", default = 1, min = 1, max = 2 })

local function basic_block(g, x, name, output, stride, project)
  local first = x
  g:block(name)
  x = conv_bn(g, x, name .. ".conv1", name .. ".bn1", { out = output, kernel = 3, stride = stride })
  x = g:act(x, name .. ".relu", "relu")
  x = conv_bn(g, x, name .. ".conv2", name .. ".bn2", { out = output, kernel = 3 })
  return parts.join(g, x, first, name, project, output, stride, ".relu_1")
end

return function(options)
  local o = core.fields("backbone", options, specs)
  local g = core.graph { name = "resnet_small", size = o.size, channels = o.channels }
  local input = parts.multiple_of_8(16 * o.width)

  g:block("stem")
  local x = conv_bn(g, g:input(), "conv1", "bn1",
    { out = input, kernel = 3, stride = o.stem_stride })
  x = g:act(x, "relu", "relu")
  for stage = 1, 3 do
    local output = input * (stage == 1 and 1 or 2)
    for i = 1, o.blocks do
      local stride = i == 1 and stage > 1 and 2 or 1
      x = basic_block(g, x, "layer" .. stage .. "." .. i - 1, output, stride, input ~= output)
      input = output
    end
  end

  g:block("fc")
  x = g:global_pool(x, "avgpool")
  x = g:flatten(x, "flatten")
  x = g:linear(x, "fc", { out = o.classes })
  return g:finish(x)
end
