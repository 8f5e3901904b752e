-- The pipeline of edanas_cifar10.lua at a size for two cores: the same genes, exits, steps and search on
-- half the channels, images of 32 to 48 pixels, short trainings and 64 candidates.
--
--   eex data get cifar10          (or: eex data import cifar10 PATH, for files you have)
--   eex run experiments/edanas_cifar10_small.lua
--
-- Meant for less than an hour on two cores.
local eex = require "eex"

return {
  name = "edanas_cifar10_small",

  dataset = {
    name = "cifar10",
    calibration = 2500,
    validation = 5000,
    augment = { crop = 4, flip = true },
  },

  backbone = eex.families.mobilenet_v3 {
    classes = 10, width = 0.5, sizes = { 32, 40, 48 }, zero_init_residual = true,
  },

  saliency = { "blocks.4.add", "blocks.8.add", "blocks.12.add", "blocks.16.add" },
  gates = eex.gates.eec { thresholds = { 0.1, 0.2 } },
  policy = { kind = "margin" },

  training = {
    regime = "sandwich",
    from = "base",
    base_epochs = 4,
    epochs = 8,
    sandwich = 1,
    batch = 128,
    lr = 0.02,
    optimizer = { kind = "sgd", momentum = 0.9, nesterov = true, weight_decay = 4e-5 },
    clip = 1,
    schedule = { kind = "cosine", warmup = 1 },
    shrink = { depth = 2, expansion = 4 },
    distill = { weight = 1, temperature = 1 },
  },

  candidate = {
    regime = "joint",
    from = "shared",
    epochs = 1,
    batch = 128,
    lr = 0.01,
    optimizer = { kind = "sgd", momentum = 0.9, nesterov = false, weight_decay = 4e-5 },
    clip = 1,
    schedule = { kind = "cosine", warmup = 0 },
  },

  search = {
    algorithm = "surrogate",
    evaluator = "train",
    score = "accuracy",
    initial = 32,
    batch = 8,
    trials = 64,
    front = 5,
  },
}
