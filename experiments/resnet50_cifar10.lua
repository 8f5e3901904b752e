-- ResNet50 on CIFAR-10: the other row of NASEREX's Table I (85.28 % at 4.08 times the speed of a base
-- that reaches 82.73 %).
--
--   eex run experiments/resnet50_cifar10.lua
--
-- Fourteen times the work of MobileNetV2: hours on two cores. To look at it first:
--   eex run experiments/resnet50_cifar10.lua --out /tmp/try --set dataset.train=5000 --set training.epochs=2
local eex = require "eex"

return {
  name = "resnet50_cifar10",

  dataset = {
    name = "cifar10",
    calibration = 2500,
    validation = 2500,
    augment = { crop = 4, flip = true },
  },

  -- torchvision's network, strides unmodified: 83 million multiply-accumulates an image.
  backbone = eex.backbones.resnet50 { size = 32, classes = 10 },

  -- Of the 16 places where a residual connection merges, the 7 (log2 of 175 layers) that divide the
  -- work most evenly: every gate is trained, and here a gate's convolutions are wide.
  saliency = eex.saliency.ranked { metric = "spacing" },
  gates = { blocks = { 1 } },

  policy = { kind = "per_class", temperature = 5, tune = "accuracy", target = 0 },

  training = {
    regime = "joint",
    from = "base",
    epochs = 30,
    batch = 128,
    lr = 0.05,
    optimizer = { kind = "sgd", momentum = 0.9, nesterov = true, weight_decay = 5e-4 },
    schedule = { kind = "one_cycle", warmup = 6 },
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
