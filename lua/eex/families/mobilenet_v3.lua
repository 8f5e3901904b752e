-- Cai et al. 2020's MobileNetV3 space in one elastic graph, as EDANAS searches it.
--
--   eex.families.mobilenet_v3 { classes = 10 }
--
-- Options: classes, channels, width (multiplier of all channels), stem_stride, strides, dropout and
-- zero_init_residual as for eex.backbones.mobilenet_v3; kernels, expansions and depths: the values that
-- each layer's or unit's may have ({3, 5, 7}, {3, 4, 6}, {2, 3, 4}); sizes of images (40 to 104 in steps
-- of 4; size is short for one). Genes: for each unit its depth, the kernels of its layers and their
-- expansions, and behind all of them the resolution; what has one option is no gene.
local core = require "eex.core"
local net = require "eex.nets.mobilenet_v3"
local parts = require "eex.nets.parts"

local specs = {
  { name = "channels", kind = "integer", default = 3, min = 1, max = 64 },
  { name = "classes", kind = "integer", default = 1000, min = 2, max = 65536 },
  { name = "width", kind = "number", default = 1.0, min = 0.1, max = 4 },
  { name = "stem_stride", kind = "integer", default = 2, min = 1, max = 2 },
  { name = "dropout", kind = "number", default = 0.1, min = 0, max = 0.95 },
  { name = "zero_init_residual", kind = "flag" },
}

local published = {}
for size = 40, 104, 4 do
  published[#published + 1] = size
end

local function odd(kernels)
  for i, kernel in ipairs(kernels) do
    if kernel % 2 == 0 then
      core.fail(("kernels[%d]: expected odd numbers, got %d"):format(i, kernel))
    end
  end
  return kernels
end

-- A decision for each of a unit's layers.
local function of_layers(g, unit, kind, values, most)
  local list = {}
  for i = 1, most do
    list[i] = parts.decide(g, ("unit%d.layer%d.%s"):format(unit, i, kind), kind, values)
  end
  return list
end

return parts.described({
  text = "The MobileNetV3 space of Once-for-All and EDANAS in one elastic graph.",
  specs = specs,
  lists = {
    { name = "sizes", usual = "40 to 104 in steps of 4", text = "of images that the networks read" },
    { name = "size", text = "one size, in the place of sizes" },
    { name = "depths", usual = "{ 2, 3, 4 }", text = "layers that a unit may have" },
    { name = "kernels", usual = "{ 3, 5, 7 }", text = "that a layer may have" },
    { name = "expansions", usual = "{ 3, 4, 6 }", text = "that a layer may have" },
    { name = "strides", usual = "{ 2, 2, 2, 1, 2 }", text = "of the first layer of each unit" },
  },
}, function(options)
  local given = options or {}
  local o = core.fields("family", parts.without(given,
    { "depths", "kernels", "expansions", "strides", "sizes", "size" }), specs)
  local sizes = parts.sizes(given, published)
  local kernels = odd(parts.values(given, "kernels", { 3, 5, 7 }, 1, 31, true))
  local expansions = parts.values(given, "expansions", { 3, 4, 6 }, 2, 16, true)
  local depths = parts.values(given, "depths", { 2, 3, 4 }, 1, net.layers, true)
  o.strides = parts.list(given, "strides", #net.units, net.strides, { 1, 2 })
  local g = core.graph { name = "mobilenet_v3", size = sizes[#sizes], channels = o.channels }
  o.depths, o.kernels, o.expansions = {}, {}, {}
  for u = 1, #net.units do
    o.depths[u] = parts.decide(g, ("unit%d.depth"):format(u), "depth", depths)
    o.kernels[u] = of_layers(g, u, "kernel", kernels, depths[#depths])
    o.expansions[u] = of_layers(g, u, "expansion", expansions, depths[#depths])
  end
  parts.resolution(g, sizes)
  return net.build(g, o)
end)
