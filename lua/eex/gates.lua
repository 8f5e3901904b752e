-- Gate families: what the search may put on a salient point. A gate of blocks is k times [3x3
-- convolution, batch norm, activation], global pool, and a linear layer to the classes.
local core = require "eex.core"

local gates = {}

-- Gates of any of these numbers of blocks: gates.blocks { 1, 2, 3, 4 }. Further options: act ("relu",
-- "relu6"; the backbone's when absent) and max_exits.
function gates.blocks(list, options)
  if type(list) ~= "table" then
    core.fail("gates.blocks: a list of block counts, got a " .. type(list))
  end
  local family = { blocks = list }
  for key, value in pairs(options or {}) do
    family[key] = value
  end
  return family
end

-- The early exit classifiers of edanas.txt: C channels through a 1x1 convolution to 6 C, batch norm,
-- h-swish, mean, a 1x1 convolution to 8 C, h-swish, and a linear layer. Further options: max_exits.
function gates.eec(options)
  local family = { family = "eec", blocks = { 1 } }
  for key, value in pairs(options or {}) do
    family[key] = value
  end
  return family
end

-- Gates of 1 to n blocks.
function gates.up_to(n, options)
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
