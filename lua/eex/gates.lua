-- Gate families: what the search may put on a salient point. A gate of blocks is k times [3x3
-- convolution, batch norm, activation], global pool, and a linear layer to the classes.
local core = require "eex.core"

local gates = {}

-- A family with a list of block counts, and options. { each = { 2, 1 } } in the place of the list gives
-- each point a block count of its own, in their order.
local function family(name, list, options, ...)
  core.arguments("gates." .. name, 2, list, options, ...)
  if type(list) ~= "table" then
    core.fail(("gates.%s: a list of block counts, got a %s"):format(name, type(list)))
  end
  local made = { family = name, blocks = list }
  if list.each then
    for key in pairs(list) do
      if key ~= "each" then
        core.fail(("gates.%s: each stands in the place of the list, got [%s] beside it"):format(name, tostring(key)))
      end
    end
    made.blocks, made.each = nil, list.each
  end
  for key, value in pairs(options or {}) do
    made[key] = value
  end
  return made
end

-- Gates of any of these numbers of blocks: gates.blocks { 1, 2, 3, 4 }. Further options: act ("relu",
-- "relu6"; the backbone's when absent), max_exits, and required (every point has a gate).
function gates.blocks(list, options, ...)
  return family("blocks", list, options, ...)
end

-- The early exit classifiers of EDANAS: C channels through a 1x1 convolution to 6 C, batch norm,
-- h-swish, mean, a 1x1 convolution to 8 C, h-swish, and a linear layer. Further options: max_exits,
-- required.
function gates.eec(options, ...)
  core.arguments("gates.eec", 1, options, ...)
  return family("eec", { 1 }, options)
end

-- k times [3x3 convolution with bias to `channels` (128), activation], 2x2 max pool, and a linear
-- layer on all pixels: with one block the exits that EDANAS gives AlexNet, VGG-13 and ResNet-18,
-- with 64 channels those of AlexNet in Dong et al. Options as above, and channels.
function gates.pooled(list, options, ...)
  return family("pooled", list, options, ...)
end

-- [3x3 convolution, batch norm, activation] of the point's C channels with stride 2, then k - 1 of
-- C / 2, and a linear layer on all pixels: VGG16-BN's exits in Dong et al.
function gates.strided(list, options, ...)
  return family("strided", list, options, ...)
end

-- k basic residual blocks, 2x2 max pool, and a linear layer on all pixels: ResNet44's exits in
-- Dong et al.
function gates.residual(list, options, ...)
  return family("residual", list, options, ...)
end

-- k times [linear layer to `channels` (128), activation] on all pixels, and a linear layer: with one of
-- 1024 the exit of the CNN in EDANAS. Options as above, and channels.
function gates.linear(list, options, ...)
  return family("linear", list, options, ...)
end

-- Gates of 1 to n blocks.
function gates.up_to(n, options, ...)
  core.arguments("gates.up_to", 2, n, options, ...)
  if math.type(n) ~= "integer" or n < 1 then
    core.fail("gates.up_to: a positive integer, got " .. tostring(n))
  end
  local list = {}
  for i = 1, n do
    list[i] = i
  end
  return gates.blocks(list, options)
end

return gates
