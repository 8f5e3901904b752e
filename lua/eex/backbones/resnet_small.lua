-- A small residual network for small images: the basic blocks of He et al. 2015, section 4.2, in
-- three stages of 16, 32 and 64 channels.
--
--   eex.backbones.resnet_small { size = 32, classes = 10 }
--
-- Options: size (of square images) and channels; classes; width (multiplier of all channels); blocks
-- in each stage; stem_stride (2 halves the image at once, for speed); zero_init_residual (each
-- residual block is the identity at first).
local core = require "eex.core"
local net = require "eex.nets.resnet"
local parts = require "eex.nets.parts"

local specs = parts.specs(32, 10, 16,
  { name = "blocks", kind = "integer", default = 3, min = 1, max = 50 },
  { name = "stem_stride", kind = "integer", default = 1, min = 1, max = 2 },
  { name = "zero_init_residual", kind = "flag" })

return parts.described({
  text = "A small residual network of basic blocks in three stages.",
  specs = specs,
}, function(options)
  local o = core.fields("backbone", options, specs)
  local g = core.graph { name = "resnet_small", size = o.size, channels = o.channels }
  o.depths = { o.blocks, o.blocks, o.blocks }
  return net.small(g, o)
end)
