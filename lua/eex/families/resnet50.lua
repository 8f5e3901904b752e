-- Networks like ResNet50 with fewer bottlenecks in each stage and fewer channels, in one elastic graph.
--
--   eex.families.resnet50 { size = 32, classes = 10, stem = "cifar", widths = { 0.5, 0.75, 1.0 } }
--
-- Options: those of eex.backbones.resnet50, and instead of width and size: widths; least_depth (the
-- blocks that a stage keeps, 2); sizes (of images; size is short for one). Genes: a depth for each
-- stage, the width, the resolution; what has one option is no gene.
local core = require "eex.core"
local net = require "eex.nets.resnet"
local parts = require "eex.nets.parts"

local specs = {
  { name = "channels", kind = "integer", default = 3, min = 1, max = 64 },
  { name = "classes", kind = "integer", default = 1000, min = 2, max = 65536 },
  { name = "least_depth", kind = "integer", default = 2, min = 1, max = 6 },
  { name = "stem", kind = "choice", default = "imagenet", names = { "imagenet", "cifar" } },
  { name = "stem_stride", kind = "integer", default = 0, min = 1, max = 2 },
  { name = "dropout", kind = "number", default = 0, min = 0, max = 0.95 },
  { name = "zero_init_residual", kind = "flag" },
}

return parts.described({
  text = "Networks like ResNet50 with fewer blocks and channels, in one elastic graph.",
  specs = specs,
  lists = {
    { name = "sizes", usual = "{ 224 }", text = "of images that the networks read" },
    { name = "size", text = "one size, in the place of sizes" },
    { name = "widths", usual = "{ 0.5, 0.75, 1.0 }", text = "multipliers of all channels" },
  },
}, function(options)
  local own = parts.without(options, { "widths", "sizes", "size" })
  local o = core.fields("family", own, specs)
  local sizes = parts.sizes(options or {}, 224)
  local g = core.graph { name = "resnet50", size = sizes[#sizes], channels = o.channels }
  o.depths = {}
  for layer, most in ipairs(net.repeats) do
    o.depths[layer] = parts.depth(g, "layer" .. layer, math.min(o.least_depth, most), most)
  end
  o.width = parts.decide(g, "width", "width",
    parts.values(options or {}, "widths", { 0.5, 0.75, 1.0 }, 0.1, 4))
  parts.resolution(g, sizes)
  return net.fifty(g, o)
end)
