-- VGG (Simonyan and Zisserman 2015) for small images: torchvision's layers and parameter names; the
-- classifier reads what five pools leave, of 32x32 one pixel.
--
--   eex.backbones.vgg { size = 32, classes = 10, depth = 16, batch_norm = true }
--
-- Options: size (of square images) and channels; classes; width (multiplier of all channels and
-- hidden units); depth (11, 13, 16 or 19); batch_norm; bias (convolutions have one in front of batch
-- norm too, as torchvision has it); hidden (units of both hidden linear layers); dropout behind them.
local core = require "eex.core"
local net = require "eex.nets.convnets"
local parts = require "eex.nets.parts"

local specs = parts.specs(32, 10, 4,
  { name = "depth", kind = "integer", default = 16, min = 11, max = 19 },
  { name = "batch_norm", kind = "flag" },
  { name = "bias", kind = "flag" },
  { name = "hidden", kind = "integer", default = 4096, min = 8, max = 16384 },
  { name = "dropout", kind = "number", default = 0.5, min = 0, max = 0.95 })

return parts.described({
  text = "VGG for small images, with torchvision's parameter names.",
  specs = specs,
}, function(options)
  local o = core.fields("backbone", options, specs)
  if not net.vgg_stages[o.depth] then
    core.fail(("backbone.depth: one of 11, 13, 16 and 19, got %d"):format(o.depth))
  end
  o.bias = o.bias or not o.batch_norm
  local name = "vgg" .. o.depth .. (o.batch_norm and "_bn" or "")
  local g = core.graph { name = name, size = o.size, channels = o.channels }
  return net.vgg(g, o)
end)
