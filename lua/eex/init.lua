-- The eex library for experiment files: local eex = require "eex"
local core = require "eex.core"

return {
  version = core.version,
  conventions = core.conventions,
  graph = core.graph,
  open = core.open,
  backbones = require "eex.backbones",
  families = require "eex.families",
  saliency = require "eex.saliency",
  gates = require "eex.gates",
  predictors = require "eex.predictors",
}
