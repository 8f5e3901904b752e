-- The frontier of accuracy against computation on CIFAR-10, cheap end: 90.1 % of the test split at 5.5
-- million average multiply-accumulates, every gate that was run counted. A static ShuffleNetV2 x0.5 has
-- that accuracy at 10.9 million. frontier_cifar10_wide.lua is the other end.
--
--   eex data get cifar10          (or: eex data import cifar10 PATH, for files you have)
--   eex run experiments/frontier_cifar10.lua
--
-- Four hours on two cores, by what its steps took on a crowded machine; no run of this length has been made.
-- Stopped, it goes on from its last checkpoint, so it can be run in pieces. An hour's version:
--   --set training.base_epochs=20 --set training.epochs=40 --set final.epochs=15
-- What its exits cost: eex cost experiments/frontier_cifar10.lua --genome 1,-,1,-,-,-,1,-
-- has them at 3.5, 6.4 and 14.2 million, the end at 21.5: 5.35 on average where 68, 23, 6 and 3 % leave there.
local eex = require "eex"

return {
  name = "frontier_cifar10",

  -- 45,000 images to train with, 2,500 to set thresholds, 2,500 to choose the exits. The 10,000 test
  -- images are scored once, at the end.
  dataset = {
    name = "cifar10",
    calibration = 2500,
    validation = 2500,
    augment = { crop = 4, flip = true, cutout = 8 },
  },

  -- MobileNetV2 with twice the resolution behind the stem, 19 million multiply-accumulates to the end: 8x8 up to
  -- features.6, then 4x4. With half of it (mobilenetv2_cifar10.lua) an exit at 3 million is right for 87 %.
  backbone = eex.backbones.mobilenetv2 {
    size = 32, classes = 10, width = 1, stem_stride = 2, strides = { 1, 2, 1, 2, 1, 2, 1 },
    dropout = 0, zero_init_residual = true,
  },

  -- From 3 million on: in front of that nothing is known yet.
  saliency = {
    "features.5.add", "features.6.add", "features.8.add", "features.9.add", "features.10.add",
    "features.12.add", "features.13.add", "features.15.add",
  },
  -- EDANAS's exit: six times as many features, pooled, for about what a block of 3x3 convolutions costs.
  gates = eex.gates.eec { max_exits = 4 },

  -- As accurate as possible within the budget, less a little for what validation and test images need more.
  policy = { kind = "confidence", temperature = "fitted", tune = "macs", target = 5.4e6 },

  -- Long, at a rate that falls to nothing, and an average of the weights. The network's end teaches the exits.
  training = {
    regime = "distill",
    from = "base",
    base_epochs = 120,
    epochs = 120,
    batch = 128,
    lr = 0.1,
    optimizer = { kind = "sgd", momentum = 0.9, nesterov = true, weight_decay = 3e-4 },
    schedule = { kind = "cosine", warmup = 5 },
    ema = 0.999,
    label_smoothing = 0.05,
    gate_weight = 0.5,
    distill = { weight = 1, temperature = 3 },
  },

  -- All sets of at most four exits, the most accurate within the budget.
  search = {
    algorithm = "exhaustive",
    evaluator = "shared",
    score = "accuracy",
    trials = 400,
    limits = { macs = 5.5e6 },
  },

  -- The chosen exits go on without the others.
  final = {
    epochs = 60,
    lr = 0.05,
    schedule = { kind = "cosine", warmup = 1 },
    gate_weight = 1,
  },
}
