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
    train = 10000,
    calibration = 2000,
    validation = 2000,
    augment = { crop = 2, flip = true },
  },

  -- The network that gets exits: a small ResNet, 6.7 million multiply-accumulates an image.
  backbone = eex.backbones.resnet_small { size = 32, classes = 10, blocks = 2, stem_stride = 2 },

  -- Where a gate may be: after each residual connection.
  saliency = eex.saliency.residual_merges(),

  -- What a gate may be: a classifier on the features as they are, or on those of one or two blocks of
  -- 3x3 convolution, batch norm and activation. At most 4 gates.
  gates = { blocks = { 0, 1, 2 }, max_exits = 4 },

  -- When an image leaves: when the network is surer than it usually is about that class. How much
  -- surer is set for each exit on the calibration images: as cheap as possible, while as many of them
  -- are told right as by running to the end.
  policy = { kind = "per_class", temperature = "fitted", tune = "accuracy", target = 0 },

  -- How networks are trained: the base first, then the same network with all gates, all exits at
  -- once ("joint"), going on from the base.
  training = {
    regime = "joint",
    from = "base",
    epochs = 12,
    batch = 64,
    lr = 0.1,
    optimizer = { kind = "sgd", momentum = 0.9, nesterov = true, weight_decay = 5e-4 },
    schedule = { kind = "one_cycle", warmup = 3 },
  },

  -- How structures are searched: aging evolution. "shared" trains one network with all gates and
  -- judges every candidate by replaying what its exits said.
  search = {
    algorithm = "aging",
    evaluator = "shared",
    score = "weighted", -- accuracy - weight * cost / cost of the base
    weight = 0.1,
    population = 50,
    sample = 10,
    trials = 2000,
  },
}
