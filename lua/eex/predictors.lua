-- Exit predictors (Dong et al. III-B): tiny networks that look at an image first and say which
-- gates of another network are worth computing. As `predictor = { family = ... }` an experiment trains
-- one for its network; as graphs they are there to be looked at and counted:
--
--   eex cost FILE.lua --convention ptflops        with: return eex.predictors.separable { gates = 2 }
--
-- Options: size (of square images) and channels; gates.
local core = require "eex.core"
local parts = require "eex.nets.parts"

local specs = {
  { name = "size", kind = "integer", default = 32, min = 1, max = 1024 },
  { name = "channels", kind = "integer", default = 3, min = 1, max = 3 },
  { name = "gates", kind = "integer", default = 2, min = 1, max = 31 },
}

local function family(name, text)
  return parts.described({ text = text, specs = specs }, function(options)
    local o = core.fields("predictor", options, specs)
    return core.predictor(name, { height = o.size, width = o.size, channels = o.channels, gates = o.gates })
  end)
end

return {
  -- Depthwise separable blocks with channel concatenation and squeeze and excitation: Fig. 6.
  separable = family("separable", "An exit predictor of depthwise separable blocks, with concatenation and squeeze and excitation."),
  -- Table II's others: without these two, two linear layers, LeNet.
  plain = family("plain", "The same without concatenation and squeeze and excitation."),
  linear = family("linear", "An exit predictor of two linear layers."),
  lenet = family("lenet", "An exit predictor like LeNet."),
}
