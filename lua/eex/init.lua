-- The eex library for experiment files: local eex = require "eex"
local core = require "eex.core"

return {
  version = core.version,
  conventions = core.conventions,
  graph = core.graph,
  open = core.open,
  backbones = require "eex.backbones",
  saliency = require "eex.saliency",
  gates = require "eex.gates",
}
