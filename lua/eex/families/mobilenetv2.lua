-- Networks like MobileNetV2 with fewer blocks in each stage and fewer channels, in one elastic graph.
--
--   eex.families.mobilenetv2 { size = 32, classes = 10, widths = { 0.5, 0.75, 1.0 } }
--
-- Options: those of eex.backbones.mobilenetv2, and instead of width and size: widths; least_depth (the
-- blocks that a stage keeps, 1; stages of one block keep it); sizes (of images; size is short for one).
-- Genes: a depth for each stage, the width, the resolution; what has one option is no gene.
local core = require "eex.core"
local net = require "eex.nets.mobilenetv2"
local parts = require "eex.nets.parts"

local specs = {
  { name = "channels", kind = "integer", default = 3, min = 1, max = 64 },
  { name = "classes", kind = "integer", default = 1000, min = 2, max = 65536 },
  { name = "least_depth", kind = "integer", default = 1, min = 1, max = 4 },
  { name = "dropout", kind = "number", default = 0.2, min = 0, max = 0.95 },
  { name = "stem_stride", kind = "integer", default = 2, min = 1, max = 2 },
  { name = "zero_init_residual", kind = "flag" },
}

return parts.described({
  text = "Networks like MobileNetV2 with fewer blocks and channels, in one elastic graph.",
  specs = specs,
  lists = {
    { name = "sizes", usual = "{ 224 }", text = "of images that the networks read" },
    { name = "size", text = "one size, in the place of sizes" },
    { name = "widths", usual = "{ 0.5, 0.75, 1.0 }", text = "multipliers of all channels" },
    { name = "strides", usual = "{ 1, 2, 2, 2, 1, 2, 1 }", text = "of the first block of each stage" },
  },
}, function(options)
  local given = options or {}
  local o = core.fields("family", parts.without(given, { "widths", "strides", "sizes", "size" }), specs)
  local sizes = parts.sizes(given, 224)
  o.strides = parts.list(given, "strides", #net.stages, net.strides, { 1, 2 })
  local g = core.graph {
    name = "mobilenetv2", size = sizes[#sizes], channels = o.channels }
  o.depths = {}
  for s, stage in ipairs(net.stages) do
    o.depths[s] = parts.depth(g, "stage" .. s, math.min(o.least_depth, stage[3]), stage[3])
  end
  o.width = parts.decide(g, "width", "width",
    parts.values(given, "widths", { 0.5, 0.75, 1.0 }, 0.1, 4))
  parts.resolution(g, sizes)
  return net.build(g, o)
end)
