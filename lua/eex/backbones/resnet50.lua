-- ResNet50 (He et al. 2015) as torchvision defines it, with its parameter names: stride 2 lies in
-- the 3x3 convolution of a bottleneck.
--
--   eex.backbones.resnet50 { size = 32, classes = 10, stem = "cifar" }
--
-- Options: size (of square images) and channels; classes; width (multiplier of all channels); stem:
-- "imagenet" (7x7 with stride 2 and a max pool) or "cifar" (3x3 with stride 1, no pool, for small
-- images); stem_stride (instead of the stem's own); dropout in front of the classifier (0: none);
-- zero_init_residual (each residual block is the identity at first).
local core = require "eex.core"
local net = require "eex.nets.resnet"
local parts = require "eex.nets.parts"

local specs = parts.specs(224, 1000, 4,
  { name = "stem", kind = "choice", default = "imagenet", names = { "imagenet", "cifar" } },
  { name = "stem_stride", kind = "integer", default = 0, min = 1, max = 2 },
  { name = "dropout", kind = "number", default = 0, min = 0, max = 0.95 },
  { name = "zero_init_residual", kind = "flag" })

return parts.described({
  text = "ResNet50 with torchvision's parameter names.",
  specs = specs,
}, function(options)
  local o = core.fields("backbone", options, specs)
  local g = core.graph { name = "resnet50", size = o.size, channels = o.channels }
  o.depths = net.repeats
  return net.fifty(g, o)
end)
