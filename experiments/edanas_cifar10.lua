-- EDANAS as published (EDANAS, Table I), on CIFAR-10: the MobileNetV3 space of Once-for-All at 40 to
-- 104 pixels, early exit classifiers behind the first four units, thresholds of the score margin as genes,
-- every candidate trained for 5 epochs.
--
--   eex data get cifar10          (or: eex data import cifar10 PATH, for files you have)
--   eex run experiments/edanas_cifar10.lua
--
-- For a GPU: the supernet alone takes some hundred times what edanas_cifar10_small.lua takes. One thing
-- differs from the paper: its supernet had learned ImageNet; this one learns CIFAR-10, from nothing.
local eex = require "eex"

return {
  name = "edanas_cifar10",

  -- 42,500 images to train with, 5,000 to rank candidates, 2,500 for the thresholds of the policies that
  -- the report compares. The 10,000 test images are scored once, at the end.
  dataset = {
    name = "cifar10",
    calibration = 2500,
    validation = 5000,
    augment = { crop = 4, flip = true },
  },

  -- 46 genes: the depth of each of five units, kernels and expansions of their layers, the resolution.
  -- Images are resized from 32 pixels.
  backbone = eex.families.mobilenet_v3 { classes = 10, zero_init_residual = true },

  -- Behind each of the first four units one gene: no exit (a threshold of 1), or one at 0.1 or 0.2.
  saliency = { "blocks.4.add", "blocks.8.add", "blocks.12.add", "blocks.16.add" },
  gates = eex.gates.eec { thresholds = { 0.1, 0.2 } },
  policy = { kind = "margin" },

  -- The supernet: first the largest network alone, then kernels too, from epoch 50 on depths, from epoch
  -- 100 on expansions. The smaller networks learn what the largest says.
  training = {
    regime = "sandwich",
    from = "base",
    base_epochs = 90,
    epochs = 150,
    batch = 128,
    lr = 0.02,
    optimizer = { kind = "sgd", momentum = 0.9, nesterov = true, weight_decay = 4e-5 },
    clip = 1,
    schedule = { kind = "cosine", warmup = 5 },
    shrink = { depth = 50, expansion = 100 },
    distill = { weight = 1, temperature = 1 },
  },

  -- A candidate: weights of the supernet, exits from nothing, all cross entropies summed.
  candidate = {
    regime = "joint",
    from = "shared",
    epochs = 5,
    batch = 128,
    lr = 0.01,
    optimizer = { kind = "sgd", momentum = 0.9, nesterov = false, weight_decay = 4e-5 },
    clip = 1,
    schedule = { kind = "cosine", warmup = 0 },
  },

  -- 100 candidates, then 30 times 8 that NSGA-II finds on surrogates. The best of each number of exits
  -- from 1 to 4, as in Table I, and 8 networks of the front.
  search = {
    algorithm = "surrogate",
    evaluator = "train",
    score = "accuracy",
    initial = 100,
    batch = 8,
    trials = 340,
    front = 8,
  },
}
