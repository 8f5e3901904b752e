-- The eex library for experiment files: local eex = require "eex"
local core = require "eex.core"

-- Read when it is asked for the first time.
local help = setmetatable({}, {
  __call = function(_, ...)
    return require("eex.help")(...)
  end,
  __tostring = function()
    return tostring(require "eex.help")
  end,
  __metatable = "help",
})

return {
  version = core.version,
  conventions = core.conventions,
  graph = core.graph,
  open = core.open,
  run = core.run,
  repl = core.repl,
  compare = require "eex.compare",
  plot = require "eex.plot",
  help = help,
  backbones = require "eex.backbones",
  families = require "eex.families",
  saliency = require "eex.saliency",
  gates = require "eex.gates",
  predictors = require "eex.predictors",
}
