-- MobileNetV2 on CIFAR-100. NASEREX (Table I):
-- 49.76 % at 2.59 times the speed of a base that reaches 51.61 %.
--
--   eex data get cifar100
--   eex run experiments/mobilenetv2_cifar100.lua
local eex = require "eex"

return {
  name = "mobilenetv2_cifar100",

  -- 45,000 images to train with, 2,500 to set thresholds, 2,500 to choose the structure. The
  -- 10,000 test images are scored once, at the end.
  dataset = {
    name = "cifar100",
    calibration = 2500,
    validation = 2500,
    augment = { crop = 4, flip = true },
  },

  -- torchvision's network, strides unmodified: 6.1 million multiply-accumulates an image.
  backbone = eex.backbones.mobilenetv2 { size = 32, classes = 100 },

  -- Where a gate may be: wherever a residual connection merges (10 places).
  saliency = eex.saliency.residual_merges(),

  -- A gate: one or two blocks of conv 3x3, batch norm and activation, then pooling and a classifier.
  -- At most 7 of them, log2 of the network's 152 layers.
  gates = { blocks = { 1, 2 }, max_exits = 7 },

  -- An image leaves when its class is likelier than mu + a sigma of that class, as published; a is
  -- not fixed to 0.5 but set for each exit, on the calibration images: as cheap as possible while
  -- no less accurate than the network's end.
  policy = { kind = "per_class", temperature = 5, tune = "accuracy", target = 0 },

  -- Base and gated network are trained by the same recipe; the gated one starts from the base, as in
  -- the paper. All exits learn at once; there are 20 gates, so each one's loss weighs less than that
  -- of the end.
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

  -- Aging evolution over 3^10 structures, each judged by replay. The score: validation accuracy, less
  -- one percent for each tenth of the base's cost.
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
