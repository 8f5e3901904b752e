-- ResNet50 on Caltech-101. NASEREX (Table I):
-- 78.07 % at 5.17 times the speed of a base that reaches 63.50 %.
--
--   eex data get caltech101 --size 64      (101 classes of 40 to 800 photographs)
--   eex run experiments/resnet50_caltech101.lua
--
-- Few images: a fifth are for testing, and what is left trains longer, with stronger augmentation.
local eex = require "eex"

return {
  name = "resnet50_caltech101",

  dataset = {
    name = "caltech101",
    calibration = 600,
    validation = 600,
    augment = { crop = 8, flip = true, cutout = 16, jitter = 0.2 },
  },

  -- torchvision's network, strides unmodified: 333 million multiply-accumulates an image of 64x64.
  backbone = eex.backbones.resnet50 { size = 64, classes = 101 },

  -- Of the 16 places where a residual connection merges, the 7 (log2 of 175 layers) that divide the
  -- work most evenly: every gate is trained, and here a gate's convolutions are wide.
  saliency = eex.saliency.ranked { metric = "spacing" },
  gates = { blocks = { 1 } },

  policy = { kind = "per_class", temperature = 5, tune = "accuracy", target = 0 },

  training = {
    regime = "joint",
    from = "base",
    epochs = 60,
    batch = 128,
    lr = 0.05,
    optimizer = { kind = "sgd", momentum = 0.9, nesterov = true, weight_decay = 5e-4 },
    schedule = { kind = "one_cycle", warmup = 10 },
    label_smoothing = 0.1,
    gate_weight = 0.5,
  },

  search = {
    algorithm = "exhaustive", -- 2^7 structures
    evaluator = "shared",
    score = "weighted",
    weight = 0.1,
  },
}
