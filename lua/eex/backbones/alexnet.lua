-- AlexNet (Krizhevsky et al. 2012) for small images: torchvision's layers and parameter names, with
-- kernels of 3x3 and pools of 2x2, as Dong et al. have it.
--
--   eex.backbones.alexnet { size = 32, classes = 10 }
--
-- Options: size (of square images) and channels; classes; width (multiplier of all channels and
-- hidden units); stem_stride (2; 1 keeps small images larger); hidden (units of both hidden linear
-- layers); dropout in front of them.
local core = require "eex.core"
local net = require "eex.nets.convnets"
local parts = require "eex.nets.parts"

local specs = parts.specs(32, 10, 4,
  { name = "stem_stride", kind = "integer", default = 2, min = 1, max = 2 },
  { name = "hidden", kind = "integer", default = 4096, min = 8, max = 16384 },
  { name = "dropout", kind = "number", default = 0.5, min = 0, max = 0.95 })

return parts.described({
  text = "AlexNet for small images, with torchvision's parameter names.",
  specs = specs,
}, function(options)
  local o = core.fields("backbone", options, specs)
  local g = core.graph { name = "alexnet", size = o.size, channels = o.channels }
  return net.alexnet(g, o)
end)
