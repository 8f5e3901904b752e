local eex = require "eex"
return {
  name = "family",
  dataset = { name = "tiny", calibration = 50, validation = 50 },
  backbone = eex.families.resnet_small { size = 32, stem_stride = 2, blocks = 2, widths = { 0.5, 1 } },
  saliency = eex.saliency.stage_ends(),
  gates = { blocks = { 0, 1 } },
  training = { epochs = 2, base_epochs = 1, batch = 20, lr = 0.05, from = "base" },
  search = { algorithm = "nsga2", trials = 10, population = 4, statistics = 100 },
}
