-- Quick start: a whole search on the built-in data set, in a few minutes on two cores.
--
--   eex run experiments/quickstart.lua
--
-- It trains a small network, then the same network with exit gates at every place worth one, then
-- tries thousands of ways to place the gates and keeps the best. The table at the end compares the
-- network that always runs to its end ("base") with the one that stops as soon as it is sure.
-- Run the same command again to see the table; change a value below and add --fresh to start over.
local eex = require "eex"

return {
  name = "quickstart",

  -- 10 classes of 32x32 drawings, from plain to badly cluttered; drawn on the first run.
  -- Some training images are set aside: calibration sets the thresholds, validation compares
  -- candidates. The test images are looked at once, at the very end.
  dataset = {
    name = "synthetic",
    train = 8000,
    calibration = 1500,
    validation = 2500,
    augment = { crop = 2, flip = true },
  },

  -- The network that gets exits: MobileNetV2 at half its width.
  backbone = eex.backbones.mobilenetv2 { size = 32, classes = 10, width = 0.5 },

  -- Where a gate may be: after each residual connection.
  saliency = eex.saliency.residual_merges(),

  -- What a gate may be: one or two blocks of 3x3 convolution, batch norm and activation, then a
  -- classifier. At most 4 of them.
  gates = { blocks = { 1, 2 }, max_exits = 4 },

  -- When an image leaves: when the network is surer than it usually is about that class. How much
  -- surer is chosen so that accuracy stays while the work shrinks.
  policy = { kind = "per_class", temperature = "fitted", tune = "weighted", target = 0.05 },

  -- How networks are trained. "joint": all exits at once.
  training = {
    regime = "joint",
    epochs = 10,
    batch = 100,
    lr = 0.1,
    optimizer = { kind = "sgd", momentum = 0.9, nesterov = true, weight_decay = 5e-4 },
    schedule = { kind = "one_cycle", warmup = 2 },
  },

  -- How structures are searched: aging evolution. "shared" trains one network with all gates and
  -- judges every candidate by replaying what its exits said.
  search = {
    algorithm = "aging",
    evaluator = "shared",
    score = "weighted",
    weight = 0.05,
    population = 50,
    sample = 10,
    trials = 2000,
  },
}
