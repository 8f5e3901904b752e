-- MobileNetV2 on CIFAR-10: the main experiment of NASEREX (Table I: 84.14 % at 2.33 times the speed
-- of a base that reaches 81.08 %), with a shared network instead of one training a candidate.
--
--   eex data get cifar10          (or: eex data import cifar10 PATH, for files you have)
--   eex run experiments/mobilenetv2_cifar10.lua
--
-- Half an hour to three quarters on two cores, most of it training: once the network without exits,
-- which is the base to compare with, and then, from its weights, the same network with every gate
-- that the search may choose.
local eex = require "eex"

return {
  name = "mobilenetv2_cifar10",

  -- 45,000 images to train with, 2,500 to set thresholds, 2,500 to choose the structure. The
  -- 10,000 test images are scored once, at the end.
  dataset = {
    name = "cifar10",
    calibration = 2500,
    validation = 2500,
    augment = { crop = 4, flip = true },
  },

  -- torchvision's network, strides unmodified: 6.1 million multiply-accumulates an image.
  backbone = eex.backbones.mobilenetv2 { size = 32, classes = 10 },

  -- Where a gate may be: wherever a residual connection merges (10 places).
  saliency = eex.saliency.residual_merges(),

  -- A gate: one or two blocks of conv 3x3, batch norm and activation, then pooling and a classifier.
  -- At most 7 of them, log2 of the network's 152 layers.
  gates = { blocks = { 1, 2 }, max_exits = 7 },

  -- An image leaves when its class is likelier than mu + a sigma of that class, as published. Two
  -- things differ: the temperature is fitted instead of 5 (which softens the outputs so far that sure
  -- and unsure images lie close together), and a is not 0.5 but set for each exit, both on the
  -- calibration images: as fast as possible while at most one percent less accurate than the end.
  policy = { kind = "per_class", temperature = "fitted", tune = "accuracy", target = -0.01 },

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
  -- five percent for each tenth of the base's multiply-accumulates.
  search = {
    algorithm = "aging",
    evaluator = "shared",
    score = "weighted",
    cost = "macs",
    weight = 0.5,
    population = 100,
    sample = 20,
    trials = 4000,
  },

  -- The chosen network goes on without the gates that were not chosen.
  final = {
    epochs = 20,
    lr = 0.05,
    schedule = { kind = "cosine", warmup = 0 },
    gate_weight = 1,
  },
}
