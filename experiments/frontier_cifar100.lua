-- The frontier of accuracy against computation on CIFAR-100: as frontier_cifar10_wide.lua, with a hundred
-- classes, within 14 million average multiply-accumulates, every gate that was run counted. No figure is set
-- for it; NASEREX (Table I) has 49.76 % with MobileNetV2.
--
--   eex data get cifar100          (or: eex data import cifar100 PATH, for files you have)
--   eex run experiments/frontier_cifar100.lua
--
-- Six to seven hours on two cores, by what its steps took on a crowded machine; no run of this length has been
-- made. Stopped, it goes on from its last checkpoint, so it can be run in pieces. An hour's version:
--   --set training.base_epochs=8 --set training.epochs=14 --set final.epochs=6
-- What its exits cost: eex cost experiments/frontier_cifar100.lua --genome 1,-,1,-,-,1,-,-
-- has them at 8.7, 14.2 and 22.6 million, the end at 37.5: 13.8 on average where 52, 32, 9 and 7 % leave there.
local eex = require "eex"

return {
  name = "frontier_cifar100",

  dataset = {
    name = "cifar100",
    calibration = 2500,
    validation = 2500,
    augment = { crop = 4, flip = true, cutout = 8 },
  },

  -- 34 million to the end, 16x16 up to features.6, then 8x8: an early exit sees as much as it can pay for.
  backbone = eex.backbones.mobilenetv2 {
    size = 32, classes = 100, width = 0.6, stem_stride = 1, strides = { 1, 2, 1, 2, 1, 2, 1 },
    dropout = 0, zero_init_residual = true,
  },
  saliency = {
    "features.5.add", "features.6.add", "features.8.add", "features.9.add", "features.10.add",
    "features.12.add", "features.13.add", "features.15.add",
  },
  gates = eex.gates.eec { max_exits = 4 },

  -- As accurate as possible within the budget, less a little for what other images need more.
  policy = { kind = "confidence", temperature = "fitted", tune = "macs", target = 13.7e6 },

  -- As in frontier_cifar10.lua, for fewer epochs: an image costs three times as much.
  training = {
    regime = "distill",
    from = "base",
    base_epochs = 80,
    epochs = 80,
    batch = 128,
    lr = 0.1,
    optimizer = { kind = "sgd", momentum = 0.9, nesterov = true, weight_decay = 4e-4 },
    schedule = { kind = "cosine", warmup = 5 },
    ema = 0.999,
    label_smoothing = 0.05,
    gate_weight = 0.5,
    distill = { weight = 1, temperature = 3 },
  },

  -- All sets of at most four exits.
  search = {
    algorithm = "exhaustive",
    evaluator = "shared",
    score = "accuracy",
    trials = 400,
    limits = { macs = 14e6 },
  },

  final = {
    epochs = 40,
    lr = 0.05,
    schedule = { kind = "cosine", warmup = 1 },
    gate_weight = 1,
  },
}
