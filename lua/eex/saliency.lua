-- Saliency rules: which points of a backbone may carry an exit. Instead of one of these an experiment
-- may give a list of node names, or a function from the nodes (see graph:nodes()) to such a list.
local core = require "eex.core"

local saliency = {}

-- Behind every residual addition (and its activation): the published rule.
function saliency.residual_merges(...)
  core.arguments("saliency.residual_merges", 0, ...)
  return { rule = "residual_merges" }
end

-- The last node of each stage, in front of a change of resolution or channels.
function saliency.stage_ends(...)
  core.arguments("saliency.stage_ends", 0, ...)
  return { rule = "stage_ends" }
end

-- Every feature map in front of the classifier.
function saliency.all(...)
  core.arguments("saliency.all", 0, ...)
  return { rule = "all" }
end

-- The `count` best (floor(log2 of the number of layers) when absent) of the rule `from` (residual
-- merges when absent), by a metric:
--   "spacing"       nearest to equal steps in multiply-accumulates
--   "probe"         accuracy of a linear classifier on the pooled features; needs training data
--   function(node)  anything else: larger is better
function saliency.ranked(options, ...)
  core.arguments("saliency.ranked", 1, options, ...)
  options = options or {}
  if type(options) ~= "table" then
    core.fail("saliency.ranked: a table of options, got a " .. type(options))
  end
  local rule = { rule = "ranked" }
  for key, value in pairs(options) do
    rule[key] = value
  end
  return rule
end

return saliency
