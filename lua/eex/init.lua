-- The eex library for experiment files: local eex = require "eex"
local core = require "eex.core"

return {
  version = core.version,
  conventions = core.conventions,
  graph = core.graph,
  open = core.open,
  run = core.run,
  repl = core.repl,
  compare = require "eex.compare",
  plot = require "eex.plot",
  -- What is known about a function, an object or a name: its text is printed.
  help = function(...)
    return require("eex.help")(...)
  end,
  backbones = require "eex.backbones",
  families = require "eex.families",
  saliency = require "eex.saliency",
  gates = require "eex.gates",
  predictors = require "eex.predictors",
}
