-- A network and its exits searched together, beyond EDANAS: exits are trained inside the supernet, a
-- network is judged by one trace of its own, thresholds are set for each candidate by replay, and
-- seven networks of the front train on by themselves.
--
--   eex data get cifar10          (or: eex data import cifar10 PATH, for files you have)
--   eex run experiments/edanas_beyond_cifar10.lua
--
-- An hour of one core's time, half of it in the supernet.
local eex = require "eex"

return {
  name = "edanas_beyond_cifar10",

  -- 45,000 images to train with, 2,500 to set thresholds, 2,500 to choose networks. The 10,000 test
  -- images are scored once, at the end.
  dataset = {
    name = "cifar10",
    calibration = 2500,
    validation = 2500,
    augment = { crop = 4, flip = true },
  },

  -- MobileNetV2 for small images, 3 to 20 million multiply-accumulates: a depth for each of five stages,
  -- three widths. The stem sees all pixels, what is dear happens at 8x8.
  backbone = eex.families.mobilenetv2 {
    size = 32, classes = 10, stem_stride = 1, strides = { 2, 2, 1, 2, 1, 2, 1 },
    widths = { 0.5, 0.75, 1.0 }, dropout = 0.1, zero_init_residual = true,
  },

  -- Behind each of these stages EDANAS's early exit classifier, which is cheap and pools many features.
  saliency = {
    "features.3.add", "features.6.add", "features.10.add", "features.13.add", "features.16.add",
  },
  gates = eex.gates.eec(),

  -- As fast as possible while at most one percent less accurate than the network's end.
  policy = { kind = "confidence", temperature = "fitted", tune = "accuracy", target = -0.01 },

  -- Each step trains the largest network, a random one and the smallest; their gradients are summed, so
  -- the rate is a third of what one network would take.
  training = {
    regime = "sandwich",
    from = "base",
    base_epochs = 3,
    epochs = 18,
    sandwich = 1,
    batch = 128,
    lr = 0.03,
    optimizer = { kind = "sgd", momentum = 0.9, nesterov = true, weight_decay = 3e-4 },
    schedule = { kind = "one_cycle", warmup = 3 },
    gate_weight = 0.5,
    distill = { weight = 1, temperature = 1 },
  },

  search = {
    algorithm = "surrogate",
    evaluator = "shared",
    score = "weighted",
    weight = 0.1,
    initial = 56,
    batch = 8,
    trials = 160,
    front = 3,
  },

  -- Of the front three networks, and the best of each number of exits.
  final = {
    regime = "joint",
    epochs = 6,
    lr = 0.02,
    schedule = { kind = "cosine", warmup = 0 },
    gate_weight = 0.5,
  },
}
