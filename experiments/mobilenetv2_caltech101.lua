-- MobileNetV2 on Caltech-101: few, larger photographs. NASEREX (Table I) has 61.52 % at 1.86 times the
-- speed of a base that reaches 50.61 %.
--
--   eex data get caltech101 --size 64
--   eex run experiments/mobilenetv2_caltech101.lua
--
-- Caltech-101 has no official test split: a fifth of the images is held out when it is imported.
local eex = require "eex"

return {
  name = "mobilenetv2_caltech101",

  -- Some 7,000 images to train with, in 101 classes of very different size.
  dataset = {
    name = "caltech101",
    calibration = 700,
    validation = 700,
    augment = { crop = 8, flip = true, jitter = 0.2 },
  },

  backbone = eex.backbones.mobilenetv2 { size = 64, classes = 101, dropout = 0.3 },
  saliency = eex.saliency.residual_merges(),
  gates = { blocks = { 1, 2 }, max_exits = 7 },

  -- Seven images of a class cannot tell its spread, so one threshold serves all classes of an exit:
  -- the lead of the likeliest class over the second.
  policy = { kind = "margin", temperature = "fitted", tune = "accuracy", target = 0 },

  -- Few images: more epochs and stronger regularisation.
  training = {
    regime = "joint",
    from = "base",
    epochs = 60,
    batch = 64,
    lr = 0.05,
    optimizer = { kind = "sgd", momentum = 0.9, nesterov = true, weight_decay = 1e-3 },
    schedule = { kind = "one_cycle", warmup = 10 },
    label_smoothing = 0.1,
    gate_weight = 0.3,
  },

  search = {
    algorithm = "aging",
    evaluator = "shared",
    score = "weighted",
    weight = 0.1,
    population = 100,
    sample = 20,
    trials = 4000,
  },
}
