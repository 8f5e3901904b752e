-- What the library exports, word by word: the source of help, of completion and of docs/lua-api.md.
-- A row: name, call (how it is called, behind the name), text, options (of the table that it takes: a
-- list, or the name of a set of them), gives (the class or record of what comes back, "x[]" for lists).
local gates = {
  { name = "max_exits", usual = "0", text = "most gates of a candidate; 0: no limit" },
  { name = "required", usual = "false", text = "each point has a gate" },
  { name = "act", usual = "the backbone's", text = "activation" },
  { name = "thresholds", usual = "{}", text = "that a search may choose from for each exit" },
}

local wide = table.move(gates, 1, #gates, 2,
  { { name = "channels", usual = "128", text = "of its layers" } })

return {
  { name = "eex.version", text = "What eex --version says." },
  { name = "eex.conventions", text = "Names of the ways to count cost." },
  { name = "eex.graph", text = "A new network, to be built with the graph's methods.", gives = "graph",
    options = {
      name = { nil, "what it is called" },
      size = { nil, "of square images; or height and width" },
      height = { "size", "of its images" },
      width = { "size", "of its images" },
      channels = { "3", "of its images" },
    } },
  { name = "eex.open", call = "(path [, options])", gives = "model",
    text = "The network of a run's folder, or of a model file.", options = {
      { name = "policy", usual = "the model's", text = '"none", a kind (with threshold), or a file of eex tune' },
      { name = "threshold", text = "one for all exits" },
      { name = "base", usual = "false", text = "the network without exits" },
      { name = "device", usual = '"cpu"', text = "what it runs on" },
      { name = "threads", usual = "all", text = "of the CPU" },
      { name = "precision", usual = "the model's", text = "what it calculates in" },
    } },
  { name = "eex.run", call = "(folder)", gives = "run",
    text = "The results of a run: what eex show tells, and what would be if." },
  { name = "eex.compare", call = "(a, b, ...)", gives = "comparison[]",
    text = "Runs, policies and outcomes of replays side by side; compare { name = a, ... } gives them names. "
      .. "What is not the first has its change against it. Runs are told on the test split; beside "
      .. "policies and outcomes their own policy is replayed on the validation split." },
  { name = "eex.plot", call = "(x, y [, options])", text = "A plot of two lists of numbers, or of two fields "
      .. "of a list of records: plot(records, \"macs\", \"accuracy\"). Text as wide as the terminal, or "
      .. "an SVG file. Returns the text.", options = {
      { name = "file", text = "NAME.svg: draw into this file" },
      { name = "force", usual = "false", text = "replace a file that is there" },
      { name = "title", text = "above it" },
      { name = "x", usual = "the field", text = "what the horizontal axis is called" },
      { name = "y", usual = "the field", text = "what the vertical axis is called" },
      { name = "lines", usual = "false", text = "join the points, in their order" },
      { name = "width", usual = "the terminal's", text = "columns, 20 to 400" },
      { name = "height", usual = "16", text = "rows, 4 to 100" },
    } },
  { name = "eex.repl", call = "()", text = "Stops the experiment here: a prompt with the locals of the function "
      .. "that called it, to be read and set. Ctrl-D goes on." },
  { name = "eex.help", call = "([what])", text = "What is known about a function, an object, or a name." },
  { name = "eex.backbones", text = "Networks: functions from options to a finished graph." },
  { name = "eex.families", text = "Elastic networks, whose genes a search decides: functions from options to a "
      .. "finished graph." },
  { name = "eex.predictors", text = "Exit predictors, tiny networks that look at an image first: functions from "
      .. "options to a finished graph." },
  { name = "eex.saliency", text = "Rules by which points of a backbone may carry an exit." },
  { name = "eex.saliency.residual_merges", call = "()", text = "Behind every residual addition: the published rule." },
  { name = "eex.saliency.stage_ends", call = "()", text = "In front of each change of resolution or channels." },
  { name = "eex.saliency.all", call = "()", text = "Everywhere in front of the classifier." },
  { name = "eex.saliency.ranked", call = "(options)", text = "The best points of another rule.", options = {
      { name = "metric", text = '"spacing" (even steps in MACs), "probe" (accuracy of a linear classifier on the '
          .. "features), or a function of a node: larger is better" },
      { name = "count", usual = "log2 of the layers", text = "how many points" },
      { name = "from", usual = '"residual_merges"', text = "the rule that they are taken from" },
    } },
  { name = "eex.gates", text = "Families of gates: what a search may put on a point. { each = { 2, 1 } } in the "
      .. "place of a list of block counts gives each point its own." },
  { name = "eex.gates.blocks", call = "(list [, options])", options = gates,
    text = "k times 3x3 convolution, batch norm and activation, global pool, and a linear layer." },
  { name = "eex.gates.up_to", call = "(n [, options])", options = gates, text = "The same of 1 to n blocks." },
  { name = "eex.gates.eec", call = "([options])", options = gates, text = "The early exit classifiers of EDANAS." },
  { name = "eex.gates.pooled", call = "(list [, options])", options = wide,
    text = "k times 3x3 convolution and activation, 2x2 max pool, and a linear layer on all pixels." },
  { name = "eex.gates.strided", call = "(list [, options])", options = gates,
    text = "k times 3x3 convolution, batch norm and activation with stride 2, and a linear layer on all pixels." },
  { name = "eex.gates.residual", call = "(list [, options])", options = gates,
    text = "k basic residual blocks, 2x2 max pool, and a linear layer on all pixels." },
  { name = "eex.gates.linear", call = "(list [, options])", options = wide,
    text = "k times linear layer and activation on all pixels, and a linear layer." },
}
