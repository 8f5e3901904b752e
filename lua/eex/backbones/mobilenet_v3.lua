-- One of the networks of Cai et al. 2020's MobileNetV3 space, as an ordinary network.
--
--   eex.backbones.mobilenet_v3 { size = 64, classes = 10, kernels = 5, expansions = 4, depths = 3 }
--
-- Options: size (of square images) and channels; classes; width (multiplier of all channels); depths
-- (layers of the five units, 1 to 4), kernels and expansions (of each unit's four layers, 20 numbers;
-- those of layers that are not there count for nothing): one number stands for all; stem_stride and
-- strides (of the five units; 2 and {2, 2, 2, 1, 2} as published, smaller ones keep small images
-- larger); dropout in front of the classifier; zero_init_residual (each residual block is the
-- identity at first).
local core = require "eex.core"
local net = require "eex.nets.mobilenet_v3"
local parts = require "eex.nets.parts"

local specs = parts.specs(224, 1000, 4,
  { name = "stem_stride", kind = "integer", default = 2, min = 1, max = 2 },
  { name = "dropout", kind = "number", default = 0.1, min = 0, max = 0.95 },
  { name = "zero_init_residual", kind = "flag" })

return parts.described({
  text = "One of the MobileNetV3 networks of Once-for-All and EDANAS.",
  specs = specs,
  lists = {
    { name = "depths", usual = "2", text = "layers of the five units, 1 to 4: a number for all, or a list" },
    { name = "kernels", usual = "3", text = "of each layer, 3, 5 or 7: a number for all, or a list of 20" },
    { name = "expansions", usual = "3", text = "of each layer, 1 to 6: a number for all, or a list of 20" },
    { name = "strides", usual = "{ 2, 2, 2, 1, 2 }", text = "of the first layer of each unit" },
  },
}, function(options)
  local given = options or {}
  local o = core.fields("backbone",
    parts.without(given, { "depths", "kernels", "expansions", "strides" }), specs)
  local layers = #net.units * net.layers
  o.depths = parts.list(given, "depths", #net.units, 2, { 1, 2, 3, 4 })
  o.kernels = net.by_unit(parts.list(given, "kernels", layers, 3, { 3, 5, 7 }))
  o.expansions = net.by_unit(parts.list(given, "expansions", layers, 3, { 1, 2, 3, 4, 5, 6 }))
  o.strides = parts.list(given, "strides", #net.units, net.strides, { 1, 2 })
  local g = core.graph { name = "mobilenet_v3", size = o.size, channels = o.channels }
  return net.build(g, o)
end)
