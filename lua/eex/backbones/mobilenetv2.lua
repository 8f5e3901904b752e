-- MobileNetV2 (Sandler et al. 2018) as torchvision defines it, with its parameter names.
--
--   eex.backbones.mobilenetv2 { size = 32, classes = 10 }
--
-- Options: size (of square images) and channels; classes; width (multiplier of all channels);
-- dropout in front of the classifier; stem_stride and strides (of the seven stages; 2 and
-- {1, 2, 2, 2, 1, 2, 1} as published, smaller ones keep small images larger); zero_init_residual
-- (each residual block is the identity at first).
local core = require "eex.core"
local net = require "eex.nets.mobilenetv2"
local parts = require "eex.nets.parts"

local specs = parts.specs(224, 1000, 4,
  { name = "dropout", kind = "number", default = 0.2, min = 0, max = 0.95 },
  { name = "stem_stride", kind = "integer", default = 2, min = 1, max = 2 },
  { name = "zero_init_residual", kind = "flag" })

return parts.described({
  text = "MobileNetV2 with torchvision's parameter names.",
  specs = specs,
  lists = {
    { name = "strides", usual = "{ 1, 2, 2, 2, 1, 2, 1 }", text = "of the first block of each stage" },
  },
}, function(options)
  local given = options or {}
  local o = core.fields("backbone", parts.without(given, { "strides" }), specs)
  o.strides = parts.list(given, "strides", #net.stages, net.strides, { 1, 2 })
  local g = core.graph { name = "mobilenetv2", size = o.size, channels = o.channels }
  o.depths = {}
  for s, stage in ipairs(net.stages) do
    o.depths[s] = stage[3]
  end
  return net.build(g, o)
end)
