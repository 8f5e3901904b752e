-- MobileNetV2 on CIFAR-100: as on CIFAR-10, with a hundred classes. NASEREX (Table I) has 49.76 % at
-- 2.59 times the speed of a base that reaches 51.61 %.
--
--   eex data get cifar100         (or: eex data import cifar100 PATH, for files you have)
--   eex run experiments/mobilenetv2_cifar100.lua
local eex = require "eex"

return {
  name = "mobilenetv2_cifar100",

  -- 450 training images of each class; the rest sets thresholds and chooses. 25 images of a class are
  -- little to learn its thresholds from: that is why `by` below takes the predictions, not the labels.
  dataset = {
    name = "cifar100",
    calibration = 2500,
    validation = 2500,
    augment = { crop = 4, flip = true },
  },

  backbone = eex.backbones.mobilenetv2 { size = 32, classes = 100 },
  saliency = eex.saliency.residual_merges(),
  gates = { blocks = { 1, 2 }, max_exits = 7 },

  -- With many classes the early exits are weaker and the end is not sure of itself either: fit the
  -- temperature of each exit instead of the published 5.
  policy = { kind = "per_class", temperature = "fitted", by = "prediction",
             tune = "accuracy", target = 0 },

  training = {
    regime = "joint",
    from = "base",
    epochs = 30,
    batch = 128,
    lr = 0.1,
    optimizer = { kind = "sgd", momentum = 0.9, nesterov = true, weight_decay = 5e-4 },
    schedule = { kind = "one_cycle", warmup = 6 },
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
