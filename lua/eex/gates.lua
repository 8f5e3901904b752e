-- Gate families: what the search may put on a salient point. A gate is k times [3x3 convolution,
-- batch norm, activation], global pool, and a linear layer to the classes.
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
