-- Small residual networks with fewer blocks in each stage and fewer channels, in one elastic graph.
--
--   eex.families.resnet_small { size = 32, classes = 10, blocks = 3, widths = { 0.5, 0.75, 1.0 } }
--
-- Options: those of eex.backbones.resnet_small, and instead of width and size: widths; least_depth (the
-- blocks that a stage keeps, 1); sizes (of images; size is short for one). Genes: a depth for each
-- stage, the width, the resolution; what has one option is no gene.
local core = require "eex.core"
local net = require "eex.nets.resnet"
local parts = require "eex.nets.parts"

local specs = {
  { name = "channels", kind = "integer", default = 3, min = 1, max = 64 },
  { name = "classes", kind = "integer", default = 10, min = 2, max = 65536 },
  { name = "blocks", kind = "integer", default = 3, min = 1, max = 32 },
  { name = "least_depth", kind = "integer", default = 1, min = 1, max = 32 },
  { name = "stem_stride", kind = "integer", default = 1, min = 1, max = 2 },
  { name = "zero_init_residual", kind = "flag" },
}

return parts.described({
  text = "Small residual networks with fewer blocks and channels, in one elastic graph.",
  specs = specs,
  lists = {
    { name = "sizes", usual = "{ 32 }", text = "of images that the networks read" },
    { name = "size", text = "one size, in the place of sizes" },
    { name = "widths", usual = "{ 0.5, 0.75, 1.0 }", text = "multipliers of all channels" },
  },
}, function(options)
  local own = parts.without(options, { "widths", "sizes", "size" })
  local o = core.fields("family", own, specs)
  local sizes = parts.sizes(options or {}, 32)
  local g = core.graph { name = "resnet_small", size = sizes[#sizes], channels = o.channels }
  o.depths = {}
  for stage = 1, 3 do
    o.depths[stage] = parts.depth(g, "stage" .. stage, math.min(o.least_depth, o.blocks), o.blocks)
  end
  o.width = parts.decide(g, "width", "width",
    parts.values(options or {}, "widths", { 0.5, 0.75, 1.0 }, 0.1, 16))
  parts.resolution(g, sizes)
  return net.small(g, o)
end)
