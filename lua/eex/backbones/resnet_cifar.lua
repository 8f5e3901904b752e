-- The residual networks of He et al. 2015, section 4.2, for images of 32x32: three stages of n basic
-- blocks of 16, 32 and 64 channels, 6 n + 2 layers. Where the shape changes the shortcut is a 1x1
-- convolution with batch norm. Dong et al. have ResNet44.
--
--   eex.backbones.resnet_cifar { size = 32, classes = 10, depth = 44 }
--
-- Options: size (of square images) and channels; classes; width (multiplier of all channels); depth;
-- stem_stride (2 halves the image at once, for speed); zero_init_residual (each residual block is the
-- identity at first).
local core = require "eex.core"
local net = require "eex.nets.resnet"
local parts = require "eex.nets.parts"

local specs = parts.specs(32, 10, 16,
  { name = "depth", kind = "integer", default = 20, min = 8, max = 302 },
  { name = "stem_stride", kind = "integer", default = 1, min = 1, max = 2 },
  { name = "zero_init_residual", kind = "flag" })

return parts.described({
  text = "The residual networks of He et al. 2015 for images of 32x32, 6 n + 2 layers deep.",
  specs = specs,
}, function(options)
  local o = core.fields("backbone", options, specs)
  if (o.depth - 2) % 6 ~= 0 then
    core.fail(("backbone.depth: 6 n + 2, as 20, 32, 44, 56 and 110, got %d"):format(o.depth))
  end
  local blocks = (o.depth - 2) // 6
  local g = core.graph { name = "resnet" .. o.depth, size = o.size, channels = o.channels }
  o.depths = { blocks, blocks, blocks }
  o.functional = true -- the activation behind a sum is called as a function
  return net.small(g, o)
end)
